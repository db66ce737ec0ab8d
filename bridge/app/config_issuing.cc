#include "bridge/app/config_issuing.h"

#include <algorithm>

namespace registry::app {
namespace {

// RFC 5280 §5: a CRL is of one issuer.
bool HasCrl(const std::vector<OtherIssuingConfig>& cas, const std::string& file) {
  return std::ranges::any_of(cas, [&](const OtherIssuingConfig& ca) { return ca.crl_file == file; });
}

void Take(const OtherIssuingConfig& ca, Section& s, const Config& config,
          std::vector<OtherIssuingConfig>& into) {
  if (!ca.crl_file.empty() && ca.crl_file == config.pki.crl_file)
    s.Fault("crl_file", "is pki.crl_file: each CA has a CRL of its own");
  if (!ca.crl_file.empty() &&
      (HasCrl(config.former_issuing, ca.crl_file) || HasCrl(config.coming_issuing, ca.crl_file)))
    s.Fault("crl_file", "is that of another CA: each has a CRL of its own");
  into.push_back(ca);
}

}  // namespace

void ReadOtherIssuing(const Tables& tables, Config& config) {
  tables.Each("former_issuing", [&](Section& s) {
    const OtherIssuingConfig ca{s.Path("certificate"), s.Key("key", true), s.Path("crl_file")};
    Take(ca, s, config, config.former_issuing);
  });
  tables.Each("coming_issuing", [&](Section& s) {
    const OtherIssuingConfig ca{s.Path("certificate"), s.Key("key"), s.Path("crl_file")};
    Take(ca, s, config, config.coming_issuing);
  });
}

}  // namespace registry::app
