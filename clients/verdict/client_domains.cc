#include "clients/verdict/client_domains.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "clients/verdict/verdict.h"
#include "schemas/ids/ids.h"

namespace registry::clients {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using Names = std::unique_ptr<GENERAL_NAMES, FreeNames>;

Names NamesIn(X509* certificate) {
  return Names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

// Empty when it is of another kind.
std::string DnsNameAt(const Names& names, int index) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), index), &type);
  if (type != GEN_DNS) return {};
  const auto* text = static_cast<const ASN1_IA5STRING*>(value);
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

ClientDomains::ClientDomains(const std::vector<std::string>& zones) {
  for (const std::string& zone : zones) suffixes_.push_back("._device." + zone);
}

Result<std::string> ClientDomains::DeviceOf(const std::string& name) const {
  for (const std::string& suffix : suffixes_) {
    if (!name.ends_with(suffix)) continue;
    std::string device = name.substr(0, name.size() - suffix.size());
    if (DeviceId::Parse(device)) return device;
  }
  return Refusal(Verdict::kNameNotAllowed);
}

std::vector<std::string> ClientDomains::NamesOf(const std::string& device) const {
  std::vector<std::string> names;
  for (const std::string& suffix : suffixes_) names.push_back(device + suffix);
  return names;
}

Result<std::string> OnlyDnsName(X509* certificate) {
  const Names names = NamesIn(certificate);
  if (!names || sk_GENERAL_NAME_num(names.get()) != 1) return Refusal(Verdict::kNameMissing);
  std::string name = DnsNameAt(names, 0);
  if (name.empty()) return Refusal(Verdict::kNameMissing);
  return name;
}

Result<std::string> SentName(X509* certificate, std::string sent) {
  sent = LowerCase(std::move(sent));
  if (!ValidDomainName(sent)) return Refusal(Verdict::kIdentityMalformed);
  const Names names = NamesIn(certificate);
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    if (LowerCase(DnsNameAt(names, i)) == sent) return sent;
  }
  return Refusal(Verdict::kIdentityMismatch);
}

}  // namespace registry::clients
