// bridge/app/coming_ca.h: an issuing CA that is to sign later ([[coming_issuing]]): since when each server of the zone
// answers with its TLSA record, and from when on it may sign. registryd asks the servers and keeps the times
// (coming_ca_watch.h); registryctl reads them.
// File: coming-issuing.json beside pki.crl_file, which registryd writes there too:
//   {"coming": [{"tlsa": "2 0 1 …", "served": {"ns1": "2027-01-01T00:00:00.000000Z"}}]}
// Rule: caches may hold the apex without the record for its TTL, from the moment on in which the last server began to
//   answer with it, and other servers than the configured ones lag behind these by zone.propagation_seconds.
// Threads: any; one writer. Errors (2400): ca_times_invalid, file_failed.
// Spec: RFC 7583 §3.2.1 (Ipub = Dprp + TTL), RFC 7671 §8.1.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bridge/app/config.h"
#include "schemas/base/bytes.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::app {

// RDATA of the apex record of an issuing CA, and its presentation form.
Bytes IssuingTlsa(const Bytes& certificate);
std::string IssuingTlsaText(const Bytes& certificate);

using ServedTimes = std::map<std::string, UtcTime>;         // by the server's name
using ServedByRecord = std::map<std::string, ServedTimes>;  // by the record's text
std::string ServedFile(const Config& config);
Result<ServedByRecord> ReadServed(const std::string& file);  // empty where there is no file
// No file where there is nothing to keep.
Status WriteServed(const std::string& file, const ServedByRecord& served);

// Whose answers count: the secondaries, and the signing server of zone.publisher = "update".
std::vector<std::string> ZoneServers(const Config& config);

struct SignFrom {
  std::optional<UtcTime> at;         // nullopt: not every server has the record yet, or there is none to ask
  std::vector<std::string> missing;  // the servers that do not
};
SignFrom WhenToSign(const Config& config, const ServedTimes& served);

}  // namespace registry::app
