#include "bridge/app/coming_ca_watch.h"

#include <algorithm>
#include <memory>

#include "bridge/app/zone_options.h"
#include "bridge/zone/tsig_keys.h"

namespace registry::app {
namespace {

constexpr std::chrono::milliseconds kAskEvery{2000}, kApexWithin{2000};

// Everything that is asked with, shared by the copies of one Ask.
struct Asking {
  zone::Options options;
  zone::Name zone;
  zone::TsigKeys keys;
};

zone::AskedSet AskOne(const Asking& with, const std::string& server, const Clock& clock) {
  const auto named =
      std::ranges::find_if(with.options.secondaries, [&](const auto& its) { return its.name == server; });
  if (named == with.options.secondaries.end()) return {std::nullopt, "no such server"};
  const zone::SecondaryKeys its = zone::KeysOf(*named, with.options, with.keys);
  // A signing server is sent the changes from any address, too; secondaries know the one that the zone is served at.
  const std::string source = server == update::kServerName ? "" : with.options.listen_address;
  const auto ask = [&](const zone::TsigKey& key) {
    return zone::AskSet(*named, with.zone, zone::kTypeTlsa, key, clock, source, kApexWithin);
  };
  auto asked = ask(*its.now);
  if (!asked.rdatas && its.former != nullptr) asked = ask(*its.former);
  return asked;
}

}  // namespace

ComingCaWatch::Ask ComingCaWatch::AskingOf(const Config& config, const Clock& clock) {
  zone::Options options = ZoneOptions(config, {});
  if (config.dns.by_update())
    options.secondaries.insert(options.secondaries.begin(),
                               {update::kServerName, config.dns.update_address, config.dns.update_port});
  auto keys = zone::LoadTsigKeys(options);
  auto name = zone::NameFromText(config.zone);
  if (!keys || !name) {
    const std::string why = keys ? "the zone's name is wrong" : keys.error().message;
    return [why](const std::string&) { return zone::AskedSet{std::nullopt, why}; };
  }
  const auto with =
      std::make_shared<const Asking>(Asking{std::move(options), std::move(*name), std::move(*keys)});
  return [with, &clock](const std::string& server) { return AskOne(*with, server, clock); };
}

ComingCaWatch::ComingCaWatch(Config config, const std::vector<Bytes>& certificates, const Clock& clock,
                             LogLine log, Ask ask)
    : config_(std::move(config)), clock_(clock), log_(std::move(log)), ask_(std::move(ask)) {
  for (const Bytes& certificate : certificates)
    records_.emplace(IssuingTlsaText(certificate), IssuingTlsa(certificate));
}

void ComingCaWatch::Start() {
  Recall();
  if (!records_.empty()) thread_.Start("coming-ca", [this] { Run(); });
}

// A record that was away counts anew: caches may hold the set that was without it.
void ComingCaWatch::Recall() {
  const std::string file = ServedFile(config_);
  auto kept = ReadServed(file);
  if (!kept) log_.Error("since when a coming CA's record is served is not known: " + kept.error().message);
  if (kept) std::erase_if(*kept, [this](const auto& one) { return !records_.contains(one.first); });
  served_ = kept ? std::move(*kept) : ServedByRecord();
  if (auto written = WriteServed(file, served_); !written)
    log_.Error("since when a coming CA's record is served is not kept: " + written.error().message);
}

void ComingCaWatch::Run() {
  MutexLock lock(mutex_);
  bool all = false;
  do {
    lock.Unlock();
    all = Look();
    lock.Lock();
  } while (!all && thread_.Rest(lock, kAskEvery));
}

bool ComingCaWatch::Look() {
  bool changed = false;
  const std::vector<std::string> servers = ZoneServers(config_);
  for (const std::string& server : servers) {
    if (!thread_.stopping() && Lacks(server)) LookAt(server, changed);
  }
  if (changed) {
    if (auto written = WriteServed(ServedFile(config_), served_); !written)
      log_.Error("since when a coming CA's record is served is not kept: " + written.error().message);
    for (const auto& [record, rdata] : records_) SayWhen(record);
  }
  return std::ranges::none_of(servers, [this](const std::string& server) { return Lacks(server); });
}

bool ComingCaWatch::Lacks(const std::string& server) const {
  return std::ranges::any_of(records_, [&](const auto& record) {
    const auto its = served_.find(record.first);
    return its == served_.end() || !its->second.contains(server);
  });
}

void ComingCaWatch::LookAt(const std::string& server, bool& changed) {
  const zone::AskedSet asked = ask_(server);
  // Looked at after the answer: what is served is served since a moment before.
  const UtcTime now = clock_.Now();
  for (const auto& [record, rdata] : records_) {
    if (served_[record].contains(server)) continue;
    if (asked.rdatas && std::ranges::find(*asked.rdatas, rdata) != asked.rdatas->end()) {
      served_[record].emplace(server, now);
      changed = true;
      log_.Info(server + " serves the record of a coming issuing CA: TLSA " + record);
    } else if (said_.Due(server + record, SayOnce::Steady::now())) {
      log_.Warning(server + " does not serve the record of a coming issuing CA yet (" +
                   (asked.rdatas ? "its answer is without it" : asked.why) + "): TLSA " + record);
    }
  }
}

void ComingCaWatch::SayWhen(const std::string& record) {
  const SignFrom from = WhenToSign(config_, served_[record]);
  if (from.at)
    log_.Info("the coming issuing CA may sign from " + ToRfc3339(*from.at) +
              " on (registryctl ca switch): TLSA " + record);
}

}  // namespace registry::app
