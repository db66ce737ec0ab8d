// tests/unit/bridge/zone/zone_files.h: what every zone test needs: a folder with keys, options that use them, devices.
// The folder is removed with the object. Keys are made by OpenSSL for each test run.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "bridge/clock.h"
#include "bridge/zone/publisher.h"
#include "workers/domain/job_kinds.h"

namespace registry::zone::testing {

inline constexpr const char* kZone = "iotregistry.test";
inline constexpr const char* kTsigName = "bridge-key";
inline constexpr const char* kTsigSecret = "ERERERERERERERERERERERERERERERERERERERERERE=";

class ZoneFiles {
 public:
  ZoneFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zone-test-XXXXXX").string();
    REG_CHECK(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    WriteKey("ksk.pem");
    WriteKey("zsk.pem");
    WriteSecret("tsig.secret", kTsigSecret);
  }
  ~ZoneFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ZoneFiles(const ZoneFiles&) = delete;
  ZoneFiles& operator=(const ZoneFiles&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void WriteKey(const std::string& name, const char* curve = "P-256") const {
    EVP_PKEY* key = EVP_EC_gen(curve);
    std::FILE* file = std::fopen(path(name).c_str(), "w");
    REG_CHECK(key != nullptr && file != nullptr && fchmod(fileno(file), 0600) == 0 &&
              PEM_write_PKCS8PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    std::fclose(file);
    EVP_PKEY_free(key);
  }

  void WriteSecret(const std::string& name, const std::string& base64) const {
    std::ofstream(path(name)) << base64 << "\n";
    REG_CHECK(chmod(path(name).c_str(), 0600) == 0);
  }

  Options options() const {
    Options options;
    options.zone = kZone;
    options.name_servers = {std::string("ns1.") + kZone};
    options.glue = {{std::string("ns1.") + kZone, "127.0.0.1"}};
    options.contact = std::string("hostmaster.") + kZone;
    options.ksk_file = path("ksk.pem");
    options.zsk_file = path("zsk.pem");
    options.tsig_name = kTsigName;
    options.tsig_secret_file = path("tsig.secret");
    options.apex_certificates = {AsBytes("root certificate"), AsBytes("issuing certificate")};
    return options;
  }

 private:
  std::filesystem::path folder_;
};

// The n-th device of a family that is the same in every run.
inline DeviceId DeviceOf(std::uint64_t n) {
  std::mt19937_64 random(n * 7919 + 1);
  DeviceId::Octets octets;
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
  return DeviceId::FromRandom(octets);
}

inline domain::ZoneChange Published(std::uint64_t n, std::uint64_t revision = 1) {
  std::mt19937_64 random(n * 31 + revision);
  domain::TlsaRecord record;
  for (int i = 0; i < 32; ++i) record.data.push_back(static_cast<std::uint8_t>(random()));
  return {DeviceOf(n), revision, {record}, {}};
}
inline domain::ZoneChange Deactivated(std::uint64_t n, std::uint64_t revision) {
  return {DeviceOf(n), revision, {}, "state=deactivated"};
}
inline domain::ZoneChange Gone(std::uint64_t n, std::uint64_t revision) {
  return {DeviceOf(n), revision, {}, {}};
}
// As a decision leaves them: the changes, each with the job that waits until it is visible.
inline domain::Changeset Decided(std::vector<domain::ZoneChange> changes, UtcTime now) {
  domain::Changeset changeset;
  for (const domain::ZoneChange& change : changes) {
    domain::Job job;
    job.id = *JobId::Parse(change.device.text());  // one for each device
    job.subject = change.device;
    job.kind = domain::JobKind::kZoneVisible;
    job.created = job.due = now;
    job.version = change.revision;
    changeset.jobs_put.push_back(std::move(job));
  }
  changeset.zone = std::move(changes);
  return changeset;
}

}  // namespace registry::zone::testing
