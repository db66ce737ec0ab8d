// Jobs as releases of earlier folder formats left them: what they do not say is read as what was true of them then.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>

#include "bridge/ledger/record_codec.h"
#include "tests/unit/bridge/ledger/backends.h"
#include "workers/domain/job_kinds.h"
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

// A folder of format 2, written by the code of that time, with the alarm that its reactivation left behind.
class EarlierAlarm : public testing::Test {
 protected:
  void SetUp() override {
    namespace fs = std::filesystem;
    fs::copy(fs::path(REGISTRY_SOURCE_DIR) / "tests/data/ledger-format-2", folder_.path());
    fs::permissions(folder_.path(), fs::perms::owner_all);
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, folder_.path(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> columns;
    for (const auto& name : names) columns.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, folder_.path(), columns, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    const auto jobs = std::find(names.begin(), names.end(), "jobs") - names.begin();
    EXPECT_TRUE(
        db->Put({}, handles[static_cast<std::size_t>(jobs)], Stale().id.text(), Encode(Stale())).ok());
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  static domain::Job Stale() {
    domain::Job job;
    job.id = samples::JobOf(77);
    job.subject = samples::DeviceOf(2);
    job.kind = domain::JobKind::kZoneVisible;
    job.attempt = 1;
    job.version = 1;
    return job;
  }
  samples::Folder folder_;
};

TEST_F(EarlierAlarm, OfAContentThatWasReplacedWaitsForNothing) {
  const auto ended = [](const LedgerReader& ledger) {
    EXPECT_GT((*ledger.LoadDevice(samples::DeviceOf(2)))->zone.wanted, Stale().version);
    const auto jobs = ledger.JobsOf(samples::DeviceOf(2));
    for (const auto& job : *jobs) EXPECT_NE(job.id, Stale().id);
    const auto report = Verify(ledger);
    for (const auto& fault : report->faults) EXPECT_EQ(fault.find("alarm"), fault.npos) << fault;
  };
  {
    const auto beside = OpenRocksDbReader(folder_.path(), folder_.path("scratch"));
    ASSERT_TRUE(beside.ok());
    ended(**beside);
  }
  const auto ledger = OpenBackend(Backend::kRocksDb, folder_);
  ended(*ledger);
  EXPECT_EQ(ledger->LoadJob(Stale().id).value(), std::nullopt);
}

}  // namespace
}  // namespace registry::ledger
