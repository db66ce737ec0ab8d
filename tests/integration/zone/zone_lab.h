// tests/integration/zone/zone_lab.h: a publisher over a memory ledger, a real secondary, and other implementations as
// judges.
#pragma once

#include <gtest/gtest.h>

#include <mutex>

#include "bridge/zone/keys.h"
#include "tests/integration/zone/secondary_process.h"

namespace registry::zone::testing {

class ZoneLab : public ::testing::Test {
 protected:
  void StartPublisher(std::vector<SecondaryAddress> secondaries, std::uint16_t port = 0) {
    Options options = files_.options();
    options.secondaries = std::move(secondaries);
    options.listen_port = port;
    if (tune_) tune_(options);
    auto publisher = Publisher::Create(
        options, *ledger_,
        [this](const std::vector<domain::ZoneChange>& changes) {
          const std::lock_guard lock(mutex_);
          for (const auto& change : changes) visible_.push_back(change);
          return true;
        },
        [this](int, const std::string& line) {
          const std::lock_guard lock(mutex_);
          log_ += line + "\n";
        });
    ASSERT_TRUE(publisher.ok()) << publisher.error().message;
    publisher_ = std::move(*publisher);
    const Status started = publisher_->Start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  // A primary and a secondary that know each other's ports.
  void StartBoth(Software software = Software::kNsd) {
    primary_port_ = FreePort();
    secondary_ = std::make_unique<SecondaryProcess>(software, files_, "secondary", primary_port_);
    secondary_->Start();
    StartPublisher({secondary_->address()}, primary_port_);
  }
  void Commit(std::vector<domain::ZoneChange> changes) {
    domain::Changeset changeset;
    changeset.zone = std::move(changes);
    ASSERT_TRUE(ledger_->Commit(std::move(changeset)).ok());
  }
  std::size_t visible() {
    const std::lock_guard lock(mutex_);
    return visible_.size();
  }
  bool Serves(std::uint32_t serial) const {
    return secondary_->Dig(std::string("+short +norec SOA ") + kZone)
               .find(" " + std::to_string(serial) + " ") != std::string::npos;
  }
  std::string Judge(const std::string& dump) const {
    const std::string file = files_.path("dump.zone");
    std::ofstream(file) << dump;
    std::ofstream(files_.path("anchor.key")) << *DnskeyText(kZone, files_.path("ksk.pem"), kKskFlags) << "\n";
    return RunCommand("ldns-verify-zone -k " + files_.path("anchor.key") + " " + file) +
           RunCommand("dnssec-verify -q -o " + std::string(kZone) + " " + file +
                      " && echo dnssec-verify agrees");
  }
  std::string Delv(const std::string& name, const std::string& type) const {
    auto key = *DnskeyText(kZone, files_.path("ksk.pem"), kKskFlags);
    const std::string marker = "DNSKEY 257 3 13 ";
    const std::string base64 = key.substr(key.find(marker) + marker.size());
    std::ofstream(files_.path("delv.anchors"))
        << "trust-anchors { \"" << kZone << "\" static-key 257 3 13 \"" << base64 << "\"; };\n";
    return RunCommand("delv @127.0.0.1 -p " + std::to_string(secondary_->port()) + " -a " +
                      files_.path("delv.anchors") + " +root=" + kZone + " " + name + " " + type);
  }

  ZoneFiles files_;
  std::function<void(Options&)> tune_;  // before a publisher is made
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::mutex mutex_;
  std::vector<domain::ZoneChange> visible_;
  std::string log_;
  std::uint16_t primary_port_ = 0;
  std::unique_ptr<SecondaryProcess> secondary_;
  std::unique_ptr<Publisher> publisher_;
};

}  // namespace registry::zone::testing
