// The signed zones of a lab: three of them between a trust anchor and a device's name, as in the world.
#include "simulators/lab/credential.h"
#include "simulators/lab/lab.h"
#include "simulators/lab/registry_setup.h"

namespace registry::lab {
namespace {

// What a zone says of one below it, whose name server is on loopback too (RFC 1034 §4.2.1, RFC 4034 §5).
void Delegate(const std::string& zone, const std::string& server, const std::string& ds,
              std::vector<std::string>& records) {
  records.insert(records.end(), {zone + ". IN NS " + server + "." + zone + ".",
                                 server + "." + zone + ". IN A " + kAddress, ds});
}

std::vector<std::string> AspRecords(const Layout& layout, int asp, const std::string& spki_sha256) {
  return {Layout::AspHost(kAsps[asp]) + ". IN A " + kAddress,
          layout.TlsaOwner(asp) + ". IN TLSA 3 1 1 " + spki_sha256,
          Layout::TlsaOwnerAt(layout.asp_mqtt[asp], asp) + ". IN TLSA 3 1 1 " + spki_sha256};
}

}  // namespace

Status Lab::MakeZones() {
  auto zone_ds = ReadZoneDs(layout_);
  if (!zone_ds) return zone_ds.error();
  std::vector<std::string> top_level, root;
  Delegate(kZone, "ns1", *zone_ds, top_level);
  static_zones_.clear();
  for (int i = 0; i < 2; ++i) {
    auto credential = MakeCredential(layout_.In(std::string("tls/") + kAsps[i]), Layout::AspHost(kAsps[i]));
    if (!credential) return credential.error();
    const std::string zone = Layout::AspZone(kAsps[i]);
    auto made = SignZone(layout_.In("zones"), zone, AspRecords(layout_, i, credential->spki_sha256_hex));
    if (!made) return made.error();
    Delegate(zone, "ns", made->ds, top_level);
    static_zones_.push_back(*made);
  }
  auto made = SignZone(layout_.In("zones"), kTopLevel, top_level);
  if (!made) return made.error();
  static_zones_.push_back(*made);
  Delegate(kTopLevel, "ns", made->ds, root);
  made = SignZone(layout_.In("zones"), "", root);
  if (!made) return made.error();
  static_zones_.push_back(*made);
  root_ds_ = made->ds;
  return Done{};
}

Status Lab::MakeStandBy() {
  if (!options_.root_stand_by) return Done{};
  auto made = MakeKeySigningKey(layout_.In("zones"), "");
  if (!made) return made.error();
  stand_by_ = *made;
  return Done{};
}

Status Lab::SignRoot(RootKeys keys) {
  const SignedZone& root = static_zones_.back();
  std::vector<KeySigningKey> ksks;
  if (keys != RootKeys::kStandBy) ksks.push_back(root.ksk);
  if (keys != RootKeys::kFirst) ksks.push_back(stand_by_);
  if (Status made = SignAgain(root, ksks); !made) return made;
  for (const char* server : {NameOf(options_.authority), "unbound"}) {
    Kill(server);
    if (Status started = Restart(server); !started) return started;
  }
  return Done{};
}

}  // namespace registry::lab
