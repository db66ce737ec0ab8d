#include "bridge/update/device_records.h"

#include <algorithm>

#include "bridge/zone/device_content.h"

namespace registry::update {
namespace {

bool IsState(const Bytes& rdata) {
  static const Bytes kState = AsBytes("state=");
  return rdata.size() > kState.size() && std::equal(kState.begin(), kState.end(), rdata.begin() + 1);
}

}  // namespace

Bytes MarkerRdata(const std::string& owner) {
  return zone::TxtRdata(std::string(zone::kApexText) + " owner=" + owner);
}

Records Wanted(const domain::ZoneChange& change, const Bytes& marker) {
  Records wanted;
  for (const domain::TlsaRecord& record : change.tlsa) wanted.tlsa.push_back(zone::TlsaRdata(record));
  if (!change.note.empty()) wanted.txt.push_back(zone::TxtRdata(change.note));
  if (!wanted.empty()) wanted.txt.push_back(marker);
  std::ranges::sort(wanted.tlsa);
  std::ranges::sort(wanted.txt);
  return wanted;
}

Records Beside(Records wanted, const Records& seen, const Bytes& marker) {
  for (const Bytes& rdata : seen.txt) {
    if (rdata != marker && !IsState(rdata)) wanted.txt.push_back(rdata);
  }
  std::ranges::sort(wanted.txt);
  return wanted;
}

bool IsForeign(const Seen& seen, const Bytes& marker) {
  if (seen.alias) return true;
  if (seen.records.empty()) return false;
  return std::ranges::find(seen.records.txt, marker) == seen.records.txt.end();
}

zone::Name NameOf(const DeviceId& device, const zone::Name& zone) {
  zone::Name name = zone::DevicePrefix(device);
  zone::Put(name, zone);
  return name;
}

}  // namespace registry::update
