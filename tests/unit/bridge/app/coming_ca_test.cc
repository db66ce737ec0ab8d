// An issuing CA that is to sign later: since when its TLSA record is served by each server, and from when it may sign.
#include <gmock/gmock.h>

#include <fstream>

#include "bridge/app/coming_ca_watch.h"
#include "simulators/lab/probe.h"
#include "tests/support/temporary_folder.h"

namespace registry::app {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr UtcTime kNoon{1'800'000'000'000'000};

class HandClock final : public Clock {
 public:
  UtcTime Now() const override { return now; }
  UtcTime now = kNoon;
};

class ComingCaTest : public testing::Test {
 protected:
  ComingCaTest() {
    config_.pki.crl_file = folder_.In("crl.pem");
    config_.secondaries = {{"ns1", "192.0.2.1"}, {"ns2", "192.0.2.2"}};
    config_.dns.apex_ttl = 600;
    config_.dns.propagation_seconds = 60;
  }
  std::unique_ptr<ComingCaWatch> Watch(const std::vector<Bytes>& certificates) {
    auto watch = std::make_unique<ComingCaWatch>(
        config_, certificates, clock_, [this](int, const std::string& line) { said_.push_back(line); },
        [this](const std::string& server) {
          ++asked_[server];
          return answers_[server];
        });
    return watch;
  }
  zone::AskedSet With(const std::vector<Bytes>& certificates) const {
    zone::AskedSet set;
    set.rdatas.emplace();
    for (const Bytes& certificate : certificates) set.rdatas->push_back(IssuingTlsa(certificate));
    return set;
  }
  ServedTimes Kept(const Bytes& certificate) const {
    const auto read = ReadServed(ServedFile(config_));
    EXPECT_TRUE(read.ok()) << read.error().message;
    const auto found = read->find(IssuingTlsaText(certificate));
    return found == read->end() ? ServedTimes() : found->second;
  }

  test::TemporaryFolder folder_;
  Config config_;
  HandClock clock_;
  std::map<std::string, zone::AskedSet> answers_;
  std::map<std::string, int> asked_;
  std::vector<std::string> said_;
  const Bytes old_ = AsBytes("the CA that signs"), next_ = AsBytes("the CA to come");
};

TEST_F(ComingCaTest, TheRecordIsTheOneAtTheApex) {
  EXPECT_EQ(IssuingTlsaText(AsBytes("")),
            "2 0 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(IssuingTlsa(next_).size(), 35u);
}

TEST_F(ComingCaTest, ItMaySignWhenTheSlowestServersLastAnswerWithoutItIsForgotten) {
  EXPECT_THAT(WhenToSign(config_, {}).missing, ElementsAre("ns1", "ns2"));
  const auto half = WhenToSign(config_, {{"ns1", kNoon}});
  EXPECT_FALSE(half.at);
  EXPECT_THAT(half.missing, ElementsAre("ns2"));
  const auto whole =
      WhenToSign(config_, {{"ns1", kNoon}, {"ns2", kNoon + seconds(50)}, {"gone", kNoon + seconds(99)}});
  EXPECT_EQ(whole.at, kNoon + seconds(50 + 600 + 60 + 1));
  EXPECT_THAT(whole.missing, IsEmpty());
  config_.secondaries.clear();
  EXPECT_FALSE(WhenToSign(config_, {{"ns1", kNoon}}).at) << "nobody is asked";
  config_.dns.publisher = "update";
  EXPECT_THAT(WhenToSign(config_, {}).missing, ElementsAre("signing-server"));
}

TEST_F(ComingCaTest, EachServersFirstAnswerWithItIsKept) {
  answers_ = {{"ns1", With({old_, next_})}, {"ns2", With({old_})}};
  const auto watch = Watch({next_});
  EXPECT_FALSE(watch->Look());
  EXPECT_EQ(Kept(next_), (ServedTimes{{"ns1", kNoon}}));
  EXPECT_THAT(said_, ElementsAre(HasSubstr("ns1 serves the record"), HasSubstr("ns2 does not serve")));
  clock_.now = kNoon + seconds(30);
  EXPECT_FALSE(watch->Look());
  EXPECT_EQ(asked_["ns1"], 1) << "it has it";
  EXPECT_EQ(said_.size(), 2u) << "the same is said once a minute";
  answers_["ns2"] = With({old_, next_});
  EXPECT_TRUE(watch->Look());
  EXPECT_EQ(Kept(next_), (ServedTimes{{"ns1", kNoon}, {"ns2", kNoon + seconds(30)}}));
  EXPECT_THAT(said_.back(), HasSubstr("may sign from " + ToRfc3339(kNoon + seconds(30 + 600 + 60 + 1))));
}

TEST_F(ComingCaTest, ASilentServerIsNotTakenForOneThatServes) {
  answers_ = {{"ns1", With({next_})}, {"ns2", {std::nullopt, "no answer"}}};
  const auto watch = Watch({next_});
  EXPECT_FALSE(watch->Look());
  EXPECT_EQ(Kept(next_), (ServedTimes{{"ns1", kNoon}}));
  EXPECT_THAT(said_.back(),
              HasSubstr("ns2 does not serve the record of a coming issuing CA yet (no answer)"));
}

TEST_F(ComingCaTest, TimesOutliveAStartAndNotTheRecord) {
  answers_ = {{"ns1", With({next_})}, {"ns2", With({next_})}};
  {
    const auto watch = Watch({next_});
    EXPECT_TRUE(watch->Look());
  }
  clock_.now = kNoon + seconds(500);
  {
    const auto again = Watch({next_});
    again->Start();
    again->Stop();
    EXPECT_EQ(Kept(next_).at("ns1"), kNoon);
  }
  Watch({})->Start();
  EXPECT_FALSE(std::filesystem::exists(ServedFile(config_))) << "no CA is to come";
  const auto anew = Watch({next_});
  anew->Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return Kept(next_).size() == 2; }, seconds(20)));
  EXPECT_EQ(Kept(next_).at("ns1"), clock_.now) << "caches may have seen the apex without it";
}

TEST_F(ComingCaTest, AFileThatIsNotWhatWasWrittenIsSaid) {
  for (const char* text : {"", "{}", "{\"coming\": [{\"tlsa\": 1}]}",
                           "{\"coming\": [{\"tlsa\": \"2 0 1 00\", \"served\": {\"ns1\": \"noon\"}}]}"}) {
    std::ofstream(ServedFile(config_)) << text;
    EXPECT_EQ(ReadServed(ServedFile(config_)).error().symbol, "ca_times_invalid") << text;
  }
  answers_ = {{"ns1", With({next_})}, {"ns2", With({next_})}};
  const auto watch = Watch({next_});
  watch->Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return Kept(next_).size() == 2; }, seconds(20))) << "it is counted anew";
  watch->Stop();
  EXPECT_THAT(said_.front(), HasSubstr("is not known"));
}

}  // namespace
}  // namespace registry::app
