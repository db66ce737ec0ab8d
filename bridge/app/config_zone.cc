#include "bridge/app/config_zone.h"

#include <charconv>
#include <filesystem>

#include "bridge/keys/key_source.h"
#include "bridge/zone/algorithm.h"

namespace registry::app {
namespace {

constexpr int kTtlMax = 86400;
constexpr int kRollDaysMax = 3650;
constexpr int kWaitMax = 30 * 86400;  // of a step of a roll-over, seconds

// "192.0.2.1", "2001:db8::1@5300".
ParentConfig ParentFrom(const std::string& text) {
  const std::size_t at = text.find('@');
  ParentConfig parent{text.substr(0, at)};
  if (at == text.npos) return parent;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + at + 1, end, parent.port);
  if (parsed.ec != std::errc() || parsed.ptr != end) parent.port = 0;
  return parent;
}
bool IsParent(const std::string& text) {
  const ParentConfig parent = ParentFrom(text);
  return IsAddress(parent.address) && parent.port != 0;
}

// Both or neither.
zone::TsigKeyFile Whole(Section& s, zone::TsigKeyFile key, const char* name, const char* secret) {
  if (key.given() && !IsDomainName(key.name)) s.Fault(name, "must be a domain name");
  if (key.given() && key.secret_file.empty()) s.Fault(secret, std::string("is missing beside ") + name);
  if (!key.given() && !key.secret_file.empty()) s.Fault(name, std::string("is missing beside ") + secret);
  return key;
}

// Of [zone], kind by kind.
class ZoneReader {
 public:
  explicit ZoneReader(const Tables& tables) : folder_(tables.folder()), s_(tables.Open("zone")) {}

  ZoneConfig Read(const std::string& name) {
    ReadServing();
    ReadPublishing();
    ReadContent(name);
    ReadKeyFiles(folder_);
    ReadKeyRolls();
    s_.Finish();
    return std::move(zone_);
  }

 private:
  void ReadServing() {
    zone_.listen_address = s_.Checked("listen_address", "an IP address", IsAddress, "127.0.0.1");
    zone_.listen_port = s_.As<std::uint16_t>("listen_port", 5300, 0);
    zone_.tsig_name = s_.Checked("tsig_name", "a domain name", IsDomainName);
    zone_.tsig_secret = s_.Path("tsig_secret");
    zone_.former_key = Whole(s_, {s_.Text("former_tsig_name", ""), s_.Path("former_tsig_secret", "")},
                             "former_tsig_name", "former_tsig_secret");
    zone_.lag_limit_seconds = s_.As<int>("lag_limit_seconds", 60, 0, 86400);
    ZoneTlsConfig& tls = zone_.tls;
    tls.address = s_.Checked("tls_listen_address", "an IP address", IsAddress, zone_.listen_address);
    tls.port = s_.As<std::uint16_t>("tls_listen_port", 853, 0);
    tls.certificate_file = s_.Path("tls_certificate", "");
    tls.key_file = s_.Path("tls_key", "");
    tls.client_ca_file = s_.Path("tls_client_ca", "");
    tls.client_required = s_.Flag("tls_client_required", true);
    tls.only = s_.Flag("tls_only", false);
    if (tls.certificate_file.empty() != tls.key_file.empty())
      s_.Fault("tls_certificate", "and zone.tls_key go together");
    if (!tls.on() && !tls.client_ca_file.empty()) s_.Fault("tls_client_ca", "needs zone.tls_certificate");
    if (!tls.on() && tls.only) s_.Fault("tls_only", "needs zone.tls_certificate");
  }

  void ReadPublishing() {
    const auto known = [](const std::string& text) { return text == "own" || text == "update"; };
    zone_.publisher = s_.Checked("publisher", R"("own" or "update")", known, "own");
    zone_.update_address = s_.Text("update_address", "");
    if (zone_.by_update() && !IsAddress(zone_.update_address))
      s_.Fault("update_address", "must be an IP address");
    zone_.update_port = s_.As<std::uint16_t>("update_port", 53);
    zone_.update_owner = s_.Checked("update_owner", "a name like a domain's", IsDomainName, "registry");
  }

  void ReadContent(const std::string& name) {
    zone_.name_servers = s_.Texts("name_servers", "domain names", IsDomainName, zone_.by_update());
    constexpr char kGlue[] = "pairs of a domain name and an IP address";
    for (const auto& pair : s_.Tuples("glue", 2, kGlue)) {
      if (!IsDomainName(pair[0]) || !IsAddress(pair[1]))
        s_.Fault("glue", std::string("must be a list of ") + kGlue);
      zone_.glue.emplace_back(pair[0], pair[1]);
    }
    for (const std::string& text :
         s_.Texts("other_primaries", "IP addresses, each perhaps with @ and a port", IsParent, true)) {
      const ParentConfig at = ParentFrom(text);
      const bool has_port = text.find('@') != std::string::npos;
      zone_.other_primaries.emplace_back(at.address, has_port ? at.port : zone_.listen_port);
    }
    zone_.contact = s_.Checked("contact", "a domain name", IsDomainName, "hostmaster." + name);
    zone_.tlsa_ttl = s_.As<std::uint32_t>("tlsa_ttl", 60, 1, kTtlMax);
    zone_.negative_ttl = s_.As<std::uint32_t>("negative_ttl", 60, 1, kTtlMax);
    zone_.apex_ttl = s_.As<std::uint32_t>("apex_ttl", 3600, 1, kTtlMax);
  }

  void ReadKeyFiles(const std::filesystem::path& folder) {
    zone_.ksk = s_.Key("ksk", zone_.by_update());
    zone_.zsk = s_.Key("zsk", zone_.by_update());
    zone_.new_keys = s_.Text("new_keys", "");
    zone_.key_set = s_.Path("key_set", "");
    if (zone_.key_set.empty()) {  // beside the keys, or beside the configuration when those lie in a token
      const bool in_file = !keys::IsKeyUri(zone_.ksk) && !zone_.ksk.empty();
      const auto beside = in_file ? std::filesystem::path(zone_.ksk).parent_path() : folder;
      zone_.key_set = (beside / "key-set.json").string();
    }
    zone_.signed_zone = s_.Path("signed_zone", "");
    if (zone_.signed_zone.empty())
      zone_.signed_zone = (std::filesystem::path(zone_.key_set).parent_path() / "signed-zone").string();
  }

  void ReadKeyRolls() {
    const auto algorithm = [](const std::string& text) { return zone::AlgorithmNamed(text) != nullptr; };
    zone_.algorithm = s_.Checked("algorithm", R"("ECDSAP256SHA256", "ECDSAP384SHA384" or "ED25519")",
                                 algorithm, "ECDSAP256SHA256");
    zone_.zsk_days = s_.As<int>("zsk_days", 90, 0, kRollDaysMax);
    zone_.ksk_days = s_.As<int>("ksk_days", 0, 0, kRollDaysMax);
    zone_.propagation_seconds = s_.As<std::uint32_t>("propagation_seconds", 3600, 0, kWaitMax);
    zone_.ds_ttl = s_.As<std::uint32_t>("ds_ttl", 86400, 1, kWaitMax);
    zone_.parent_propagation_seconds = s_.As<std::uint32_t>("parent_propagation_seconds", 3600, 0, kWaitMax);
    const auto known = [](const std::string& text) {
      return text == "rollover" || text == "always" || text == "never" || text == "delete";
    };
    zone_.cds = s_.Checked("cds", R"("rollover", "always", "never" or "delete")", known, "rollover");
    for (const std::string& text :
         s_.Texts("parents", "IP addresses, each perhaps with @ and a port", IsParent, true))
      zone_.parents.push_back(ParentFrom(text));
  }

  const std::string folder_;
  Section s_;
  ZoneConfig zone_;
};

}  // namespace

ZoneConfig ReadZone(const Tables& tables, const std::string& name) { return ZoneReader(tables).Read(name); }

std::vector<SecondaryConfig> ReadSecondaries(const Tables& tables, const ZoneTlsConfig& tls) {
  std::vector<SecondaryConfig> secondaries;
  tables.Each("secondary", [&](Section& s) {
    SecondaryConfig secondary;
    secondary.name = s.Checked("name", "a name", [](const std::string& text) { return !text.empty(); });
    secondary.address = s.Checked("address", "an IP address", IsAddress);
    secondary.port = s.As<std::uint16_t>("port", 53);
    secondary.key =
        Whole(s, {s.Text("tsig_name", ""), s.Path("tsig_secret", "")}, "tsig_name", "tsig_secret");
    secondary.former_key = Whole(s, {s.Text("former_tsig_name", ""), s.Path("former_tsig_secret", "")},
                                 "former_tsig_name", "former_tsig_secret");
    secondary.tls_name = s.Text("tls_name", "");
    if (!secondary.tls_name.empty() && !IsDomainName(secondary.tls_name))
      s.Fault("tls_name", "must be a domain name");
    if (!secondary.tls_name.empty() && tls.client_ca_file.empty())
      s.Fault("tls_name", "needs zone.tls_client_ca");
    secondaries.push_back(std::move(secondary));
  });
  return secondaries;
}

}  // namespace registry::app
