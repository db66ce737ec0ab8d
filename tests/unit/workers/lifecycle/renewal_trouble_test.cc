// A ledger that cannot be read while a renewal sends its payload: nobody is told that a step failed, for none did, and the
// payload goes out once the ledger can be read again.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/support/faulty_ledger.h"
#include "tests/unit/workers/lifecycle/renewal_flow.h"
#include "workers/domain/view.h"

namespace registry::test {
namespace {

using domain::JobKind;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Which reading fails, and how often it did.
struct Trouble {
  FaultyLedger::Fault Meet(bool fails) {
    if (!fails) return std::nullopt;
    ++met;
    return Error::Make(Code::kFailed, domain::kLedgerFailed, "as told by the test");
  }
  std::atomic<bool> of_endpoint{false}, of_load{false};
  std::atomic<int> met{0};
};

TestRegistry::Setup Over(const std::shared_ptr<Trouble>& trouble) {
  TestRegistry::Setup setup;
  setup.wrap = [trouble](std::unique_ptr<ledger::Ledger> real) {
    FaultyLedger::Hooks hooks;
    hooks.load_endpoint = [trouble] { return trouble->Meet(trouble->of_endpoint); };
    hooks.load_of = [trouble] { return trouble->Meet(trouble->of_load); };
    return std::make_unique<FaultyLedger>(std::move(real), std::move(hooks));
  };
  return setup;
}

class RenewalTroubleTest : public RenewalTest {
 protected:
  explicit RenewalTroubleTest(std::shared_ptr<Trouble> trouble = std::make_shared<Trouble>())
      : RenewalTest(Over(trouble)), trouble_(std::move(trouble)) {}

  void ExpectComesThrough(std::atomic<bool>& fails) {
    ASSERT_TRUE(Rekey("asp-a").accepted());
    ASSERT_TRUE(Submit().accepted());
    registry_.ServeZone();
    const auto version = Device().version;
    fails = true;
    registry_.clock().Advance(kTlsaTtl);  // from now on the payload with the next certificate is due
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (trouble_->met < 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    ASSERT_GE(trouble_->met, 2) << "it is tried again";
    EXPECT_EQ(Device().version, version) << "and nothing is written";
    EXPECT_FALSE(HasJob(JobKind::kPayloadPush));
    EXPECT_TRUE(HasJob(JobKind::kCredentialStep));
    fails = false;
    registry_.RunDueJobs(std::chrono::seconds(0));
    ASSERT_TRUE(HasJob(JobKind::kPayloadPush));
    ASSERT_TRUE(Push({{"outcome", "success"}}).accepted());
    EXPECT_EQ(domain::NextCredential(Device()), nullptr) << "it took over";
    EXPECT_THAT(registry_.Heard(kAspFailures), IsEmpty());
    EXPECT_THAT(HistoryOf(registry_, device_), Not(Contains(HasSubstr("failed"))));
  }

  const std::shared_ptr<Trouble> trouble_;
};

TEST_F(RenewalTroubleTest, TheEndpointCannotBeRead) { ExpectComesThrough(trouble_->of_endpoint); }
TEST_F(RenewalTroubleTest, HowMuchItsMnoHasToDoCannotBeRead) { ExpectComesThrough(trouble_->of_load); }

}  // namespace
}  // namespace registry::test
