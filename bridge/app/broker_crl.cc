#include "bridge/app/broker_crl.h"

#include <fstream>
#include <iterator>

#include "bridge/signing/key_file.h"
#include "bridge/signing/read_x509.h"

namespace registry::app {
namespace {

constexpr std::chrono::hours kSayAgainAfter{24};

Result<signing::PublishedCrl> Read(const std::string& file, const std::string& ca_file) {
  const auto ca = signing::LoadCertificate(ca_file);
  if (!ca) return ca.error();
  std::ifstream input(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(input), {}};
  return signing::ReadPemCrl(text, *ca);
}

}  // namespace

BrokerCrlVerdict JudgeBrokerCrl(const std::string& file, const std::string& ca_file, UtcTime now,
                                std::chrono::seconds warn_before) {
  if (file.empty()) return {};
  const std::string name = "mqtt.crl_file: " + file + ": ";
  const auto crl = Read(file, ca_file);
  if (!crl) {
    return {2, true,
            name + crl.error().message + ": whether the broker refuses withdrawn parties is not known"};
  }
  const std::string nobody = ": a broker that reads it lets nobody in";
  const std::int64_t until = crl->next_update ? crl->next_update->seconds() : 0;
  if (crl->this_update > now) {
    return {3, false, name + "begins at " + ToRfc3339(crl->this_update) + nobody, until};
  }
  if (!crl->next_update) return {};
  const std::string end = ToRfc3339(*crl->next_update);
  if (*crl->next_update <= now) return {3, false, name + "has ended at " + end + nobody, until};
  if (*crl->next_update - now >= warn_before) return {0, false, "", until};
  return {2, false,
          name + "ends at " + end + ", from when on a broker that has read it lets nobody in: make a new one",
          until};
}

BrokerCrl::BrokerCrl(Options options, const Clock& clock, LogLine log)
    : options_(std::move(options)), clock_(clock), log_(std::move(log)) {}

void BrokerCrl::Start() {
  if (!options_.file.empty()) thread_.Start("broker-crl", [this] { Run(); });
}

void BrokerCrl::Run() {
  MutexLock lock(mutex_);
  do {
    lock.Unlock();
    Look();
    lock.Lock();
  } while (thread_.Rest(lock, options_.every));
}

void BrokerCrl::Look() {
  const auto verdict = JudgeBrokerCrl(options_.file, options_.ca_file, clock_.Now(), options_.warn_before);
  until_ = verdict.until;
  const auto now = std::chrono::steady_clock::now();
  if (verdict.line == said_ && (verdict.level == 0 || now - said_at_ < kSayAgainAfter)) return;
  if (verdict.level > 0) log_(verdict.level, verdict.line);
  said_ = verdict.line;
  said_at_ = now;
}

}  // namespace registry::app
