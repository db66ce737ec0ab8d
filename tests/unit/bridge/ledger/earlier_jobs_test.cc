// Jobs as releases of earlier folder formats left them: what they do not say is read as what was true of them then.
#include <gtest/gtest.h>

#include "tests/unit/bridge/ledger/backends.h"
#include "workers/domain/standing.h"

namespace registry::ledger {
namespace {

// As a release of folder format 2 wrote one: nobody's, and without the deadline told.
domain::Job OfFormat2(std::uint64_t number, std::string body) {
  domain::Job job = samples::Job(number);
  job.due = samples::Job(0).due;
  job.body = std::move(body);
  return job;
}

TEST(EarlierJob, WasItsSponsorsAndToldWhatItsActionSays) {
  const samples::Folder folder;
  const auto ledger = OpenBackend(Backend::kRocksDb, folder);
  const UtcTime due = samples::Job(0).due, earlier = due - std::chrono::seconds(60);
  const std::string said = R"({"deadline":")" + ToRfc3339(earlier) + R"("})",
                    later = R"({"deadline":")" + ToRfc3339(due + std::chrono::seconds(60)) + R"("})";
  const std::pair<std::string, UtcTime> told[] = {
      {said, earlier}, {later, due}, {"{}", due}, {"no JSON", due}};
  std::uint64_t number = 0;
  for (const auto& [body, when] : told) {
    domain::Changeset changes = samples::Registration(++number);
    const PartyId sponsor = domain::Sponsor(changes.devices[0].device);
    changes.jobs_put = {OfFormat2(number, body)};
    ASSERT_TRUE(ledger->Commit(std::move(changes)).ok());
    const auto job = ledger->LoadJob(samples::JobOf(number));
    ASSERT_TRUE(job.ok() && *job) << body;
    EXPECT_EQ((*job)->told, when) << body;
    EXPECT_EQ((*job)->to, sponsor) << body;
  }
}

}  // namespace
}  // namespace registry::ledger
