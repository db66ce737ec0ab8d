// A ZSK, a KSK and the algorithm roll over with TTLs of seconds, between a real secondary (NSD), a real parent zone
// (ldns-signzone, NSD) and a real validating resolver (Unbound), which is asked all the time and must never see anything
// bogus. The registry restarts on the way.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "bridge/zone/key_set_file.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/process.h"
#include "tests/integration/zone/zone_lab.h"

namespace registry::zone::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kParent = "test";
constexpr std::uint32_t kTtl = 2;

class RollTest : public ZoneLab {
 protected:
  void SetUp() override {
    tune_ = [this](Options& options) {
      options.apex_ttl = options.tlsa_ttl = kTtl;
      options.negative_ttl = 1;
      options.key_set_file = key_set_;
      options.zone_file = files_.path("signed-zone");
      options.rolls.propagation = options.rolls.parent_propagation = seconds(1);
      options.rolls.ds_ttl = seconds(kTtl);
      options.parents = {{"127.0.0.1", parent_port_}};
      options.parent_every = std::chrono::milliseconds(200);
    };
    const auto port = ports_.Take(), resolver = ports_.Take();
    ASSERT_TRUE(port.ok() && resolver.ok());
    parent_port_ = *port;
    resolver_port_ = *resolver;
    parent_key_ = In("ldns-keygen -a ECDSAP256SHA256 -k " + std::string(kParent));
    parent_key_.erase(parent_key_.find_last_not_of('\n') + 1);
    StartBoth();
    Commit({Published(1)});
    ASSERT_TRUE(Eventually([&] { return visible() == 1; })) << log_ << secondary_->Log();
    PublishAtParent(*DsText(kZone, files_.path("ksk.pem")));
    StartResolver();
  }
  std::string In(const std::string& command) {
    return RunCommand("cd " + files_.path("") + " && " + command);
  }

  // The parent's zone is signed with the one key again, and its server begins anew with it.
  void PublishAtParent(const std::string& ds) {
    std::istringstream words(ds);
    std::string owner, ttl, rest;
    words >> owner >> ttl;
    std::getline(words, rest);
    std::ofstream(files_.path("parent.zone"))
        << "test. 2 IN SOA ns.test. host.test. " << ++parent_serial_ << " 60 10 600 1\n"
        << "test. 2 IN NS ns.test.\nns.test. 2 IN A 127.0.0.1\n"
        << owner << " 2 IN NS ns1." << kZone << ".\nns1." << kZone << ". 2 IN A 127.0.0.1\n"
        << owner << " 2" << rest << "\n";
    ASSERT_EQ(In("ldns-signzone -o test parent.zone " + parent_key_), "");
    std::ofstream(files_.path("parent.conf"))
        << "server:\n ip-address: 127.0.0.1@" << parent_port_
        << "\n username: \"\"\n chroot: \"\"\n zonesdir: \"" << files_.path("")
        << "\"\n database: \"\"\n pidfile: \"" << files_.path("parent.pid") << "\"\n xfrdfile: \""
        << files_.path("parent.xfrd") << "\"\n zonelistfile: \"" << files_.path("parent.list")
        << "\"\n server-count: 1\nremote-control:\n control-enable: no\n"
        << "zone:\n name: \"test\"\n zonefile: \"parent.zone.signed\"\n";
    parent_.reset();
    Run(parent_, "nsd", {"nsd", "-d", "-c", files_.path("parent.conf")});
    const std::string serial = " " + std::to_string(parent_serial_) + " ";
    ASSERT_TRUE(Eventually([&] {
      return Dig(parent_port_, "+norec +short SOA test").find(serial) != std::string::npos;
    })) << lab::TailOf(files_.path("nsd.log"), 20);
  }
  void StartResolver() {
    std::ofstream(files_.path("unbound.conf"))
        << "server:\n interface: 127.0.0.1@" << resolver_port_ << "\n directory: \"" << files_.path("")
        << "\"\n pidfile: \"" << files_.path("unbound.pid") << "\"\n trust-anchor-file: \""
        << files_.path(parent_key_)
        << ".key\"\n username: \"\"\n chroot: \"\"\n use-syslog: no\n do-not-query-localhost: no\n "
           "num-threads: 1\n"
        << " module-config: \"validator iterator\"\n val-log-level: 2\n harden-algo-downgrade: yes\n "
           "local-zone: \"test.\" nodefault\n"
        << "remote-control:\n control-enable: no\n"
        << "stub-zone:\n name: \"test.\"\n stub-addr: 127.0.0.1@" << parent_port_ << "\n"
        << "stub-zone:\n name: \"" << kZone << ".\"\n stub-addr: 127.0.0.1@" << secondary_->port() << "\n";
    Run(resolver_, "unbound", {"unbound", "-d", "-c", files_.path("unbound.conf")});
    ASSERT_TRUE(Eventually([&] { return Bogus().empty(); }))
        << Bogus() << lab::TailOf(files_.path("unbound.log"), 20);
  }
  void Run(std::unique_ptr<lab::Process>& process, const std::string& name,
           std::vector<std::string> command) {
    auto started =
        lab::Process::Start({name, std::move(command), files_.path(""), files_.path(name + ".log"), {}, {}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    process = std::move(*started);
  }
  std::string Dig(std::uint16_t port, const std::string& question) const {
    return RunCommand("dig @127.0.0.1 -p " + std::to_string(port) + " +tries=3 +time=5 " + question);
  }
  // Empty when the resolver vouches for what is there and for what is not.
  std::string Bogus() const {
    for (const std::string& question :
         {DeviceName(DeviceOf(1), kZone) + " TLSA", DeviceName(DeviceOf(2), kZone) + " TLSA"}) {
      std::string answer = Dig(resolver_port_, "+dnssec " + question);
      const bool validated = std::ranges::any_of(std::array{"NOERROR", "NXDOMAIN"}, [&](const char* rcode) {
        return answer.find(std::string("status: ") + rcode) != answer.npos;
      });
      if (!validated || answer.find(" ad;") == answer.npos) return answer;
    }
    return {};
  }
  // The resolver is asked until it is so.
  void ValidatesUntil(const std::function<bool()>& done) {
    for (const auto end = std::chrono::steady_clock::now() + seconds(60); !done();) {
      const std::string bogus = Bogus();
      ASSERT_EQ(bogus, "") << log_ << lab::TailOf(files_.path("unbound.log"), 20);
      ASSERT_LT(std::chrono::steady_clock::now(), end)
          << log_ << ReadKeySet(key_set_)->value_or("no key set");
    }
  }
  KeySet Set() const { return *KeySetFrom(ReadKeySet(key_set_)->value()); }
  // As `registryctl zone roll` does.
  void Request(KeyRole role) {
    Change([role](KeySet& set) { set.requested.push_back(role); });
  }
  void Change(const std::function<void(KeySet&)>& change) {
    ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(key_set_); })) << log_;
    ASSERT_TRUE(ChangeKeySet(key_set_, [&](const auto& text) {
                  KeySet set = *KeySetFrom(*text);
                  change(set);
                  return set;
                }).ok());
  }
  void RestartRegistry() {
    publisher_.reset();
    StartPublisher({secondary_->address()}, primary_port_);
  }
  // ldns-verify-zone and delv, under this DS.
  void ExpectWhole(const std::string& record) {
    std::ofstream(files_.path("new.ds")) << record << "\n";
    std::ofstream(files_.path("dump")) << secondary_->Dump();
    EXPECT_THAT(In("ldns-verify-zone -k new.ds dump"), HasSubstr("Zone is verified and complete"));
    std::istringstream words(record);
    std::string owner, ttl, in, ds, tag, algorithm, digest_type, digest;
    words >> owner >> ttl >> in >> ds >> tag >> algorithm >> digest_type >> digest;
    std::ofstream(files_.path("delv.anchors")) << "trust-anchors { \"" << kZone << "\" static-ds " << tag
                                               << " " << algorithm << " 2 \"" << digest << "\"; };\n";
    EXPECT_THAT(In("delv @127.0.0.1 -p " + std::to_string(secondary_->port()) +
                   " -a delv.anchors +root=" + kZone + " " + DeviceName(DeviceOf(1), kZone) + " TLSA"),
                HasSubstr("; fully validated"));
  }

  lab::Ports ports_;
  const std::string key_set_ = files_.path("key-set.json");
  std::uint16_t parent_port_ = 0, resolver_port_ = 0;
  std::string parent_key_;
  int parent_serial_ = 0;
  std::unique_ptr<lab::Process> parent_, resolver_;
};

TEST_F(RollTest, BothKeysRollOverAndNobodySeesAnythingBogus) {
  const auto all_over = [&] { return Set().rolls.empty() && Set().requested.empty(); };
  const std::uint16_t zsk = LoadZoneKey(files_.path("zsk.pem"), kZskFlags)->tag;
  Request(KeyRole::kZsk);
  ValidatesUntil([&] { return Set().Signer().tag != zsk; });
  const std::string new_zsk = std::to_string(Set().Signer().tag);
  RestartRegistry();
  ValidatesUntil(all_over);
  ValidatesUntil([&] {
    return secondary_->Dig("+short +norec RRSIG " + DeviceName(DeviceOf(1), kZone))
               .find(" " + new_zsk + " ") != std::string::npos;
  });

  Request(KeyRole::kKsk);
  ValidatesUntil([&] { return !publisher_->snapshot().ds_due.empty(); });
  const std::string due = publisher_->snapshot().ds_due;
  const std::string cds = secondary_->Dig(std::string("+short +norec CDS ") + kZone);
  EXPECT_THAT(cds, HasSubstr(std::to_string(Set().rolls.at(0).to) + " 13 2 "))
      << "RFC 7344: the parent may read it";
  {
    const std::lock_guard lock(mutex_);
    EXPECT_THAT(log_, HasSubstr(due)) << "the record to copy";
  }
  PublishAtParent(due);
  ValidatesUntil(all_over);
  ValidatesUntil([&] { return secondary_->Dig(std::string("+short +norec CDS ") + kZone).empty(); });

  ExpectWhole(due);
  EXPECT_EQ(Set().removed.size(), 2u);
  EXPECT_EQ(Set().keys.size(), 2u);
}

// RFC 6781 §4.1.4. A resolver that wants every algorithm's signature (harden-algo-downgrade) sees nothing bogus either. The
// registry restarts in every step; its file of the signed zone is there.
TEST_F(RollTest, TheAlgorithmRollsOverAndNobodySeesAnythingBogus) {
  const std::uint16_t ksk = LoadZoneKey(files_.path("ksk.pem"), kKskFlags)->tag;
  Change([](KeySet& set) { set.requested_algorithm = kEd25519; });
  ValidatesUntil([&] { return Set().AlgorithmRoll() != nullptr; });
  const auto until = [&](RollStep step) {
    ValidatesUntil([&] { return Set().AlgorithmRoll()->step == step; });
    RestartRegistry();
  };
  const std::string name = DeviceName(DeviceOf(1), kZone);
  const auto both = [&] {
    const std::string rrsigs = secondary_->Dig("+short +norec RRSIG " + name);
    return rrsigs.find("TLSA 13 ") != rrsigs.npos && rrsigs.find("TLSA 15 ") != rrsigs.npos;
  };
  ValidatesUntil(both);
  EXPECT_THAT(secondary_->Dig(std::string("+short +norec DNSKEY ") + kZone), Not(HasSubstr(" 3 15 ")))
      << "signatures first";
  RestartRegistry();
  until(RollStep::kPublish);
  EXPECT_TRUE(both());
  Commit({Published(3)});
  until(RollStep::kSubmit);
  ValidatesUntil([&] { return !publisher_->snapshot().ds_due.empty(); });
  const std::string due = publisher_->snapshot().ds_due;
  EXPECT_THAT(due, HasSubstr(" 15 2 "));
  EXPECT_THAT(secondary_->Dig(std::string("+short +norec DNSKEY ") + kZone), HasSubstr(" 3 15 "));
  ExpectWhole(due);
  ExpectWhole(*DsText(kZone, files_.path("ksk.pem")));
  PublishAtParent(due);
  until(RollStep::kRetire);
  until(RollStep::kWithdraw);
  EXPECT_TRUE(both()) << "old signatures go last";
  ValidatesUntil([&] { return Set().rolls.empty(); });
  RestartRegistry();
  ValidatesUntil(
      [&] { return secondary_->Dig("+short +norec RRSIG " + name).find("TLSA 13 ") == std::string::npos; });
  ValidatesUntil([&] { return secondary_->Dig(std::string("+short +norec CDS ") + kZone).empty(); });
  ExpectWhole(due);
  EXPECT_EQ(Set().keys.size(), 2u);
  EXPECT_EQ(Set().algorithm(), kEd25519);
  EXPECT_EQ(Set().Find(ksk), nullptr);
}

}  // namespace
}  // namespace registry::zone::testing
