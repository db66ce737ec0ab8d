// The registry's names in a zone of somebody else's, by RFC 2136 UPDATE: Knot and BIND hold and sign it, NSD serves it,
//   delv judges what is served. What others have put into the zone stays as it was, and nothing is lost when a server
//   or the registry dies on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/update/publisher.h"
#include "bridge/update/served_watch.h"
#include "bridge/update/signing_server.h"
#include "schemas/base/mutex.h"
#include "simulators/lab/ports.h"
#include "tests/integration/update/signing_process.h"

namespace registry::update {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using zone::testing::Deactivated;
using zone::testing::DeviceOf;
using zone::testing::Eventually;
using zone::testing::Gone;
using zone::testing::kZone;
using zone::testing::Published;
using zone::testing::Software;

std::string NameText(std::uint64_t n) { return DeviceOf(n).text() + "._device." + kZone; }

class UpdateTest : public ::testing::TestWithParam<Software> {
 protected:
  void SetUp() override {
    const auto port = ports_.Take(), secondary = ports_.Take();
    ASSERT_TRUE(port.ok() && secondary.ok());
    server_ = std::make_unique<zone::testing::SigningProcess>(GetParam(), files_, *port, *secondary, before_);
    server_->Start();
    secondary_ = std::make_unique<zone::testing::SecondaryProcess>(Software::kNsd, files_, "secondary", *port,
                                                                   *secondary);
    secondary_->Start();
  }
  void StartPublisher() {
    Options options;
    options.zone = files_.options();
    options.zone.secondaries = {secondary_->address()};
    options.address = "127.0.0.1";
    options.port = server_->port();
    options.sweep_every = milliseconds(20);
    options.retry_first = milliseconds(50);
    options.retry_last = milliseconds(200);
    if (tune_) tune_(options.zone);
    auto made = CreatePublisher(
        options, *ledger_, [this](const auto& changes) { return Take(changes); },
        [this](int, const std::string& line) {
          const MutexLock lock(mutex_);
          log_ += line + "\n";
        });
    ASSERT_TRUE(made.ok()) << made.error().message;
    publisher_ = std::move(*made);
    EXPECT_EQ(publisher_->snapshot().secondaries.size(), 1u) << "somebody may ask before the start";
    ASSERT_TRUE(publisher_->Start().ok());
  }
  bool Take(const std::vector<domain::ZoneChange>& changes) {
    const MutexLock lock(mutex_);
    ++told_;
    if (!takes_) return false;
    for (const auto& change : changes) visible_.insert({change.device, change.revision});
    return true;
  }
  void Commit(std::vector<domain::ZoneChange> changes) {
    domain::Changeset changeset;
    changeset.zone = std::move(changes);
    ASSERT_TRUE(ledger_->Commit(std::move(changeset)).ok());
  }
  bool Visible(std::uint64_t n, std::uint64_t revision = 1) const {
    const MutexLock lock(mutex_);
    return visible_.contains({DeviceOf(n), revision});
  }
  std::size_t visible() const {
    const MutexLock lock(mutex_);
    return visible_.size();
  }
  std::string Said() const {
    const MutexLock lock(mutex_);
    return log_;
  }
  std::string Everything() const { return Said() + server_->Log() + secondary_->Log(); }
  // By another implementation, from the secondary, with the signing server's key.
  std::string Delv(const std::string& name, const std::string& type) const {
    std::ofstream(files_.path("delv.anchors"))
        << "trust-anchors { \"" << kZone << "\" static-key 257 3 13 \"" << server_->Anchor() << "\"; };\n";
    return zone::testing::RunCommand("delv @127.0.0.1 -p " + std::to_string(secondary_->port()) + " -a " +
                                     files_.path("delv.anchors") + " +root=" + kZone + " " + name + " " +
                                     type);
  }
  std::string Tlsa(std::uint64_t n) const { return server_->Dig("+short TLSA " + NameText(n)); }

  std::string before_;
  std::function<void(zone::Options&)> tune_;  // before a publisher is made
  lab::Ports ports_;
  zone::testing::ZoneFiles files_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::unique_ptr<zone::testing::SigningProcess> server_;
  std::unique_ptr<zone::testing::SecondaryProcess> secondary_;
  mutable Mutex mutex_;
  std::set<std::pair<DeviceId, std::uint64_t>> visible_ GUARDED_BY(mutex_);
  std::string log_ GUARDED_BY(mutex_);
  bool takes_ GUARDED_BY(mutex_) = true;
  int told_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<zone::Publisher> publisher_;  // ends first
};

TEST_P(UpdateTest, PublishesChangesAndRevokesBesideWhatOthersHave) {
  StartPublisher();
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return Visible(1); })) << Everything();
  EXPECT_THAT(Delv(NameText(1), "TLSA"), HasSubstr("fully validated"));
  const std::string first = Tlsa(1);
  EXPECT_THAT(first, HasSubstr("3 0 1 "));

  Commit({Published(1, 2)});
  ASSERT_TRUE(Eventually([&] { return Visible(1, 2); })) << Everything();
  EXPECT_NE(Tlsa(1), first);
  EXPECT_EQ(std::ranges::count(Tlsa(1), '\n'), 1);

  Commit({Deactivated(1, 3)});
  ASSERT_TRUE(Eventually([&] { return Visible(1, 3); })) << Everything();
  EXPECT_EQ(Tlsa(1), "");
  EXPECT_THAT(Delv(NameText(1), "TXT"), AllOf(HasSubstr("fully validated"), HasSubstr("state=deactivated")));

  Commit({Gone(1, 4)});
  ASSERT_TRUE(Eventually([&] { return Visible(1, 4); })) << Everything();
  EXPECT_THAT(Delv(NameText(1), "TXT"), HasSubstr("ncache nxdomain"));

  EXPECT_THAT(server_->Dig(std::string("+short A www.") + kZone), HasSubstr("192.0.2.1"));
  EXPECT_THAT(server_->Dig(std::string("+short TXT ") + kZone),
              AllOf(HasSubstr("v=spf1"), HasSubstr("v=iotreg1")));
  EXPECT_THAT(Delv(kZone, "TLSA"),
              AllOf(HasSubstr("fully validated"), HasSubstr("0 0 1"), HasSubstr("2 0 1")));
}

TEST_P(UpdateTest, AForeignRecordIsKeptAndHoldsNobodyElseBack) {
  EXPECT_EQ(server_->Update("add " + NameText(2) + " 60 TLSA 3 1 1 00ff\n"), "");
  StartPublisher();
  Commit({Published(1), Published(2), Published(3)});
  ASSERT_TRUE(Eventually([&] { return Visible(1) && Visible(3); })) << Everything();
  EXPECT_FALSE(Visible(2));
  EXPECT_THAT(Tlsa(2), HasSubstr("3 1 1 00FF"));
  EXPECT_THAT(Said(), HasSubstr("not the registry's: " + NameText(2)));
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 1; }));
  EXPECT_THAT(publisher_->snapshot().secondaries.front().refusal, HasSubstr("1 names"));

  EXPECT_EQ(server_->Update("delete " + NameText(2) + " TLSA\n"), "");
  ASSERT_TRUE(Eventually([&] { return Visible(2); })) << Everything();
  EXPECT_THAT(Tlsa(2), HasSubstr("3 0 1 "));
  EXPECT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 0; }));
}

TEST_P(UpdateTest, ADeletedDeviceLeavesTheTxtThatSomebodyElseHasPutBesideIt) {
  StartPublisher();
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return Visible(1); })) << Everything();
  EXPECT_EQ(server_->Update("add " + NameText(1) + " 60 TXT \"somebody's\"\n"), "");
  Commit({Published(1, 2)});
  ASSERT_TRUE(Eventually([&] { return Visible(1, 2); })) << Everything();
  EXPECT_THAT(server_->Dig("+short TXT " + NameText(1)),
              AllOf(HasSubstr("somebody's"), HasSubstr("v=iotreg1")));
  Commit({Gone(1, 3)});
  ASSERT_TRUE(Eventually([&] { return Visible(1, 3); })) << Everything();
  EXPECT_EQ(Tlsa(1), "");
  EXPECT_EQ(server_->Dig("+short TXT " + NameText(1)), "\"somebody's\"\n");
  EXPECT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 0; }));
}

// As after the signing server was set back to an older zone.
TEST_P(UpdateTest, ASecondaryThatIsAheadOfTheSigningServerDoesNotServe) {
  zone::Options options = files_.options();
  options.secondaries = {secondary_->address()};
  const auto keys = zone::LoadTsigKeys(options);
  ASSERT_TRUE(keys.ok());
  const SystemClock clock;
  ServedWatch watch(options, *keys, *zone::NameFromText(kZone), clock, [](int, const std::string&) {});
  watch.Signs(0);
  watch.Start();
  ASSERT_TRUE(Eventually([&] { return watch.ahead().size() == 1; })) << Everything();
  EXPECT_FALSE(watch.AllServe(0));
  EXPECT_GT(watch.ahead().front().serial, 0u);
  watch.Signs(watch.ahead().front().serial + 1000);
  EXPECT_TRUE(watch.AllServe(0));
  EXPECT_TRUE(watch.ahead().empty());
  watch.Stop();
}

// A wildcard CNAME over all devices, and a name that is delegated.
class UpdateAmongOthersTest : public UpdateTest {
 protected:
  UpdateAmongOthersTest() {
    before_ = "*._device CNAME www\n" + DeviceOf(2).text() + "._device NS ns.elsewhere.test.\n";
  }
};

TEST_P(UpdateAmongOthersTest, ADelegationBlocksOneNameAndAWildcardNone) {
  StartPublisher();
  Commit({Published(1), Gone(2, 2), Published(3)});
  ASSERT_TRUE(Eventually([&] { return Visible(1) && Visible(3); })) << Everything();
  EXPECT_THAT(Tlsa(1), HasSubstr("3 0 1 "));
  EXPECT_FALSE(Visible(2, 2));
  EXPECT_THAT(Said(), HasSubstr("no authority for " + NameText(2)));
  EXPECT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 1; }));
  EXPECT_EQ(publisher_->snapshot().refused, 0u);

  // The entry is passed, and the ledger has no such device: it is tried again all the same.
  EXPECT_EQ(server_->Update("delete " + NameText(2) + " NS\n"), "");
  EXPECT_TRUE(Eventually([&] { return Visible(2, 2); })) << Everything();
  EXPECT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 0; }));
}

TEST_P(UpdateAmongOthersTest, ADeletionThatWasPutAsideIsFoundAgainAfterARestart) {
  domain::Changeset changes;
  changes.zone = {Gone(2, 2)};
  for (const std::uint64_t n : {1, 2, 3}) {
    domain::Device device;
    device.id = DeviceOf(n);
    device.zone = {2, n == 2 ? 1u : 2u};
    changes.devices.push_back({device, 0});
  }
  ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
  StartPublisher();
  ASSERT_TRUE(Eventually([&] { return Said().find("no authority for") != std::string::npos; }))
      << Everything();
  Commit({Published(5)});
  ASSERT_TRUE(Eventually([&] { return Visible(5); })) << "the entry of the deletion is passed";
  publisher_.reset();
  StartPublisher();
  EXPECT_TRUE(Eventually([&] {
    return Said().find("put aside before the start are tried again: 1\n") != std::string::npos;
  })) << Everything();
  EXPECT_FALSE(Visible(2, 2));
  EXPECT_EQ(server_->Update("delete " + NameText(2) + " NS\n"), "");
  EXPECT_TRUE(Eventually([&] { return Visible(2, 2); })) << Everything();
}

TEST_P(UpdateTest, NothingIsLostWhileTheSigningServerIsKilled) {
  StartPublisher();
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return Visible(1); })) << Everything();
  std::vector<domain::ZoneChange> many;
  for (std::uint64_t n = 10; n < 410; ++n) many.push_back(Published(n));
  Commit(std::move(many));
  // Wherever it is by now: the first UPDATE is on its way, or done.
  server_->Kill();
  Commit({Gone(1, 2)});
  ASSERT_TRUE(Eventually([&] { return Said().find("nothing is published for now") != std::string::npos; }));
  EXPECT_FALSE(Visible(1, 2));
  EXPECT_FALSE(publisher_->snapshot().secondaries.front().reachable);
  server_->Start();
  ASSERT_TRUE(Eventually([&] { return visible() == 402; }, seconds(40))) << Everything();
  EXPECT_THAT(Said(), HasSubstr("takes changes again"));
  EXPECT_THAT(Delv(NameText(409), "TLSA"), HasSubstr("fully validated"));
  EXPECT_EQ(Tlsa(1), "");
}

TEST_P(UpdateTest, AfterACrashWhatIsDoneIsToldAndNotDoneAgain) {
  {
    const MutexLock lock(mutex_);
    takes_ = false;  // served, and the consequence is never recorded
  }
  StartPublisher();
  Commit({Published(1), Published(2), Gone(1, 2)});
  ASSERT_TRUE(Eventually([&] {
    const MutexLock lock(mutex_);
    return told_ > 0;
  })) << Everything();
  publisher_.reset();
  const std::string soa = server_->Dig(std::string("+short SOA ") + kZone);
  {
    const MutexLock lock(mutex_);
    takes_ = true;
  }
  StartPublisher();
  ASSERT_TRUE(Eventually([&] { return Visible(2) && Visible(1, 2); })) << Everything();
  EXPECT_EQ(server_->Dig(std::string("+short SOA ") + kZone), soa);
  EXPECT_EQ(Tlsa(1), "");
}

// The prerequisites, without the publisher that avoids to need them.
TEST_P(UpdateTest, AChangeMadeInBetweenIsNotOverwritten) {
  const auto name = *zone::NameFromText(kZone);
  const auto key = zone::LoadTsigKey(zone::testing::kTsigName, files_.path("tsig.secret"));
  ASSERT_TRUE(key.ok());
  const SystemClock clock;
  SigningServer server(name, Dialogue("127.0.0.1", server_->port(), *key, clock, [] { return false; }));
  const Bytes marker = MarkerRdata("registry");
  UpdateMessage message(name, 60);
  for (std::uint64_t n = 1; n <= 2; ++n) {
    const zone::Name device = NameOf(DeviceOf(n), name);
    const auto seen = server.Look({device});
    ASSERT_TRUE(seen.ok()) << seen.error().message;
    ASSERT_TRUE(message.Add({device, seen->front().records, Wanted(Published(n), marker)}));
  }
  EXPECT_EQ(server_->Update("add " + NameText(2) + " 60 TXT \"mine\"\n"), "");
  std::string refusal;
  const auto outcome = server.Change(message, refusal);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(*outcome, SigningServer::Outcome::kRefused);
  EXPECT_EQ(refusal, "YXRRSET");
  EXPECT_EQ(Tlsa(1), "");
  EXPECT_THAT(server_->Dig("+short TXT " + NameText(2)), HasSubstr("mine"));
}

// As after the operator has given registryd a new key, and the servers not yet.
TEST_P(UpdateTest, AFormerKeyIsTriedWhereTheNewOneIsNotKnown) {
  files_.WriteSecret("new.secret", "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=");
  tune_ = [this](zone::Options& options) {
    options.former_key = {zone::testing::kTsigName, files_.path("tsig.secret")};
    options.tsig_name = "new-key";
    options.tsig_secret_file = files_.path("new.secret");
  };
  StartPublisher();
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return Visible(1); })) << Everything();
  EXPECT_THAT(Tlsa(1), HasSubstr("3 0 1 "));
  EXPECT_THAT(Said(), HasSubstr("the signing server knows its former key bridge-key alone; give it new-key"));
  EXPECT_THAT(Said(), Not(HasSubstr("nothing is published for now")));
}

TEST_P(UpdateTest, AKeyThatTheServerDoesNotTakeIsSaidAndNothingIsLost) {
  const std::string other = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
  files_.WriteSecret("tsig.secret", other);
  StartPublisher();
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return Said().find("BADSIG") != std::string::npos; })) << Everything();
  EXPECT_EQ(publisher_->snapshot().pending, 1u);
  publisher_.reset();
  files_.WriteSecret("tsig.secret", zone::testing::kTsigSecret);
  StartPublisher();
  EXPECT_TRUE(Eventually([&] { return Visible(1); })) << Everything();
}

INSTANTIATE_TEST_SUITE_P(SigningServers, UpdateTest, ::testing::Values(Software::kKnot, Software::kBind),
                         [](const auto& each) { return each.param == Software::kKnot ? "Knot" : "Bind"; });

INSTANTIATE_TEST_SUITE_P(SigningServers, UpdateAmongOthersTest,
                         ::testing::Values(Software::kKnot, Software::kBind),
                         [](const auto& each) { return each.param == Software::kKnot ? "Knot" : "Bind"; });

}  // namespace
}  // namespace registry::update
