// What ledger.h promises, asked of every backend.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "bridge/ledger/record_codec.h"
#include "tests/support/device_maker.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using domain::Changeset;
using domain::UniqueKind;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr milliseconds kNoWait{0};
constexpr milliseconds kLong{20'000};

class LedgerConformance : public EveryBackend {
 protected:
  void MustCommit(Changeset changes) {
    const auto done = ledger_->Commit(std::move(changes));
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  std::string Refusal(Changeset changes) {
    const auto done = ledger_->Commit(std::move(changes));
    return done.ok() ? "committed" : done.error().symbol;
  }
  domain::Device Load(std::uint64_t number) { return **ledger_->LoadDevice(samples::DeviceOf(number)); }
  static Changeset Put(domain::Device device, std::uint64_t expected) {
    Changeset changes;
    changes.devices = {{std::move(device), expected}};
    return changes;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, LedgerConformance, kEveryBackendAndMember, BackendName);

TEST_P(LedgerConformance, AnEmptyLedgerAnswersEveryQuestion) {
  EXPECT_FALSE(ledger_->LoadDevice(samples::DeviceOf(1))->has_value());
  EXPECT_FALSE(ledger_->FindEvent(samples::Party("mno-a"), samples::Event("1"))->has_value());
  EXPECT_FALSE(ledger_->FindUnique({UniqueKind::kEid, AsBytes("1")})->has_value());
  EXPECT_EQ(*ledger_->OutboxLast(Sink::kMqtt), 0u);
  EXPECT_EQ(ledger_->LoadSink(Sink::kZone)->cursor, 0u);
  EXPECT_THAT(*ledger_->OutboxAfter(Sink::kCrl, 0, 10, kNoWait), IsEmpty());
  EXPECT_EQ(ledger_->LoadFeed(samples::Party("asp-a"))->last, 0u);
  EXPECT_THAT(*ledger_->FeedFrom(samples::Party("asp-a"), 0, 10), IsEmpty());
  EXPECT_THAT(*ledger_->HistoryAfter(0, 10), IsEmpty());
  EXPECT_THAT(*ledger_->DevicesAfter(std::nullopt, 10), IsEmpty());
  EXPECT_THAT(*ledger_->DeadLettersAfter(0, 10), IsEmpty());
  EXPECT_TRUE(ledger_->Commit({}).ok());
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

TEST_P(LedgerConformance, ReadsBackEveryFieldOfWhatWasCommitted) {
  Changeset changes = samples::Registration(1);
  changes.devices[0].device = samples::FullDevice(1);
  changes.endpoints = {{samples::Endpoint(1), 0}};
  changes.jobs_put = {samples::SentJob(1)};
  MustCommit(changes);

  domain::Device device = samples::FullDevice(1);
  device.version = 1;
  EXPECT_EQ(Encode(Load(1)), Encode(device));
  domain::EndpointRecord endpoint = samples::Endpoint(1);
  endpoint.version = 1;
  EXPECT_EQ(Encode(**ledger_->LoadEndpoint(endpoint.asp, endpoint.endpoint.name)), Encode(endpoint));
  EXPECT_EQ(Encode(**ledger_->LoadJob(samples::JobOf(1))), Encode(samples::SentJob(1)));
  EXPECT_EQ(Encode(**ledger_->FindEvent(samples::Party("mno-a"), samples::Event("event-1"))),
            Encode(samples::Mark(1)));
  EXPECT_EQ(*ledger_->FindUnique({UniqueKind::kEid, AsBytes(samples::EidOf(1).text())}),
            samples::DeviceOf(1));
}

TEST_P(LedgerConformance, AnEventIsAdmittedOnce) {
  MustCommit(samples::Registration(1));
  Changeset again = samples::Registration(2);
  again.mark = samples::Mark(1);
  EXPECT_EQ(Refusal(again), kEventKnown);
  EXPECT_FALSE(ledger_->LoadDevice(samples::DeviceOf(2))->has_value())
      << "nothing of a refused changeset is written";
  EXPECT_THAT(*ledger_->HistoryAfter(0, 10), SizeIs(1));
  EXPECT_EQ(*ledger_->OutboxLast(Sink::kMqtt), 1u);
}

TEST_P(LedgerConformance, TheSameIdFromAnotherSourceIsAnotherEvent) {
  Changeset one, two;
  one.mark = two.mark = samples::Mark(1);
  two.mark->source = samples::Party("mno-b");
  MustCommit(one);
  MustCommit(two);
}

TEST_P(LedgerConformance, ARecordMovesOnlyFromTheVersionThatWasRead) {
  EXPECT_EQ(Refusal(Put(samples::Device(1), 1)), kStale) << "does not exist";
  MustCommit(Put(samples::Device(1), 0));
  EXPECT_EQ(Refusal(Put(samples::Device(1), 0)), kStale) << "exists";
  MustCommit(Put(samples::Device(1), 1));
  EXPECT_EQ(Load(1).version, 2u);
  EXPECT_EQ(Refusal(Put(samples::Device(1), 1)), kStale);
  EXPECT_EQ(ledger_->changesets(), 2u) << "what was refused is not counted";

  Changeset endpoint;
  endpoint.endpoints = {{samples::Endpoint(1), 0}};
  MustCommit(endpoint);
  EXPECT_EQ(Refusal(endpoint), kStale);
}

domain::EndpointKey KeyOf(const domain::EndpointRecord& record) { return {record.asp, record.endpoint.name}; }

// Bound, live, to the endpoint of samples::Endpoint(1).
domain::Device BoundToOne(std::uint64_t number) {
  domain::Device device = samples::FullDevice(number);
  device.bindings.front().endpoint = samples::Endpoint(1).endpoint.name;
  return device;
}

TEST_P(LedgerConformance, AnErasedEndpointIsGoneAndMayComeBack) {
  Changeset published, erased, early;
  published.endpoints = {{samples::Endpoint(1), 0}};
  early.endpoints_erase = {{KeyOf(samples::Endpoint(1)), 2}};
  erased.endpoints_erase = {{KeyOf(samples::Endpoint(1)), 1}};
  EXPECT_EQ(Refusal(erased), kStale) << "is not there";
  MustCommit(published);
  EXPECT_EQ(Refusal(early), kStale) << "is of another version";
  MustCommit(erased);
  EXPECT_FALSE(
      ledger_->LoadEndpoint(samples::Endpoint(1).asp, samples::Endpoint(1).endpoint.name)->has_value());
  EXPECT_THAT(*ledger_->EndpointsAfter(std::nullopt, 10), IsEmpty());
  MustCommit(published);
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

TEST_P(LedgerConformance, AnEndpointThatADeviceIsBoundToStays) {
  Changeset published, erased;
  published.endpoints = {{samples::Endpoint(1), 0}};
  erased.endpoints_erase = {{KeyOf(samples::Endpoint(1)), 1}};
  MustCommit(published);
  MustCommit(Put(BoundToOne(1), 0));
  EXPECT_EQ(Refusal(erased), kStale);
  domain::Device moved = BoundToOne(1);
  moved.bindings.front().endpoint = samples::Endpoint(2).endpoint.name;
  MustCommit(Put(moved, 1));
  MustCommit(erased);
}

TEST_P(LedgerConformance, WhatRestsOnAnEndpointIsStaleOnceThatMovedOrWent) {
  Changeset published, rests, erased;
  published.endpoints = {{samples::Endpoint(1), 0}};
  rests.endpoints_seen = {{KeyOf(samples::Endpoint(1)), 1}};
  rests.history = {samples::History(1)};
  erased.endpoints_erase = {{KeyOf(samples::Endpoint(1)), 2}};
  EXPECT_EQ(Refusal(rests), kStale);
  MustCommit(published);
  MustCommit(rests);
  published.endpoints.front().expected_version = 1;
  MustCommit(published);
  EXPECT_EQ(Refusal(rests), kStale);
  MustCommit(erased);
  EXPECT_EQ(Refusal(rests), kStale);
}

// Of the two one is refused, whichever comes first, and though they are written together.
TEST_P(LedgerConformance, AnEndpointIsNotErasedBesideADeviceThatIsBoundToIt) {
  for (const bool erased_first : {true, false}) {
    Changeset published, erased;
    published.endpoints = {{samples::Endpoint(1), 0}};
    MustCommit(published);
    erased.endpoints_erase = {{KeyOf(samples::Endpoint(1)), 1}};
    Changeset bound = Put(BoundToOne(erased_first ? 1 : 2), 0);
    bound.endpoints_seen = {{KeyOf(samples::Endpoint(1)), 1}};
    std::vector<Changeset> both = {erased, bound};
    if (!erased_first) std::swap(both[0], both[1]);
    std::atomic<int> taken{0}, answered{0};
    for (Changeset& one : both) {
      ledger_->CommitLater(std::move(one), [&](const Status& done) {
        taken += done.ok() ? 1 : 0;
        ++answered;
      });
    }
    MustCommit({});  // commits are in order: both are answered
    EXPECT_EQ(answered, 2);
    EXPECT_EQ(taken, 1) << erased_first;
  }
}

TEST_P(LedgerConformance, AUniqueValueHasOneHolder) {
  const domain::UniqueValue key{UniqueKind::kPublicKey, {1, 2, 3}};
  Changeset first, second, handed_over;
  first.claims = {{key, samples::DeviceOf(1)}};
  second.claims = {{key, samples::DeviceOf(2)}};
  handed_over.releases = {key};
  handed_over.claims = second.claims;
  MustCommit(first);
  MustCommit(first);  // its holder may claim it again
  EXPECT_EQ(Refusal(second), kStale);
  MustCommit(handed_over);
  EXPECT_EQ(*ledger_->FindUnique(key), samples::DeviceOf(2));
  Changeset torn;
  torn.claims = {{{UniqueKind::kSerial, {9}}, samples::DeviceOf(1)},
                 {{UniqueKind::kSerial, {9}}, samples::DeviceOf(2)}};
  EXPECT_EQ(Refusal(torn), kStale);
  EXPECT_FALSE(ledger_->FindUnique({UniqueKind::kSerial, {9}})->has_value());
}

TEST_P(LedgerConformance, JobsAreFoundByDeviceAndWhenDue) {
  Changeset changes;
  changes.jobs_put = {samples::Job(3), samples::Job(1), samples::Job(2)};
  changes.jobs_put[0].subject = samples::DeviceOf(1);
  MustCommit(changes);
  EXPECT_THAT(*ledger_->JobsOf(samples::DeviceOf(1)), SizeIs(2));
  const auto due = *ledger_->JobsDue(samples::kNoon + std::chrono::seconds(2), 10);
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[0].id, samples::JobOf(1));
  EXPECT_EQ(Encode(due[1]), Encode(samples::Job(2)));  // with everything it carries
  EXPECT_EQ(Encode(ledger_->JobsOf(samples::DeviceOf(1))->front()), Encode(samples::Job(1)));
  EXPECT_THAT(*ledger_->JobsDue(samples::kNoon + std::chrono::hours(1), 1), SizeIs(1));

  Changeset later;
  later.jobs_put = {samples::Job(1)};
  later.jobs_put[0].due = samples::kNoon + std::chrono::hours(2);
  later.jobs_erase = {samples::JobOf(2), samples::JobOf(99)};
  MustCommit(later);
  // Put off further than anybody can have meant.
  const auto too_far = [&](std::chrono::minutes longest, std::size_t limit) {
    return *ledger_->JobsDue({samples::kNoon + std::chrono::hours(1), samples::kNoon + longest}, limit);
  };
  EXPECT_THAT(too_far(std::chrono::minutes(120), 10), SizeIs(1));
  ASSERT_THAT(too_far(std::chrono::minutes(119), 10), SizeIs(2));
  EXPECT_EQ(too_far(std::chrono::minutes(119), 10)[1].id, samples::JobOf(1)) << "behind those in time";
  EXPECT_THAT(too_far(std::chrono::minutes(119), 1), SizeIs(1));
  const auto left = *ledger_->JobsDue(samples::kNoon + std::chrono::hours(1), 10);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].id, samples::JobOf(3));
  EXPECT_FALSE(ledger_->LoadJob(samples::JobOf(2))->has_value());
}

TEST_P(LedgerConformance, UnsentJobsWaitInOrderAndAreNeverDue) {
  const PartyId mno = samples::Party("mno-a");
  Changeset changes;
  changes.jobs_put = {samples::UnsentJob(3), samples::UnsentJob(1), samples::SentJob(2),
                      samples::UnsentJob(4, "mno-b")};
  MustCommit(changes);
  const auto unsent = *ledger_->JobsUnsent(mno, 10);
  ASSERT_THAT(unsent, SizeIs(2));
  EXPECT_EQ(Encode(unsent[0]), Encode(samples::UnsentJob(1)));
  EXPECT_EQ(unsent[1].id, samples::JobOf(3));
  EXPECT_THAT(*ledger_->JobsUnsent(mno, 1), SizeIs(1));
  EXPECT_THAT(*ledger_->JobsDue(samples::kNoon + std::chrono::hours(1), 10), SizeIs(1));
  EXPECT_EQ(*ledger_->LoadOf(mno), (domain::JobLoad{1, 2}));
  const auto loads = *ledger_->JobLoads();
  ASSERT_THAT(loads, SizeIs(2));
  EXPECT_EQ(loads[1], LedgerReader::MnoLoad(samples::Party("mno-b"), {0, 1}));

  Changeset later;
  later.jobs_put = {samples::SentJob(1)};
  later.jobs_erase = {samples::JobOf(2), samples::JobOf(4)};
  MustCommit(later);
  EXPECT_EQ(*ledger_->LoadOf(mno), (domain::JobLoad{1, 1}));
  EXPECT_THAT(*ledger_->JobLoads(), SizeIs(1)) << "who has nothing to do is forgotten";
  EXPECT_THAT(*ledger_->JobsDue(samples::kNoon + std::chrono::hours(1), 10), SizeIs(1));
}

TEST_P(LedgerConformance, NoMoreJobsOpenThanTheChangesetSays) {
  const PartyId mno = samples::Party("mno-a");
  const auto opening = [&](std::uint64_t number, std::size_t max) {
    Changeset changes;
    changes.jobs_put = {samples::SentJob(number)};
    changes.open_bounds = {{mno, max}};
    return changes;
  };
  MustCommit(opening(1, 2));
  MustCommit(opening(2, 2));
  EXPECT_EQ(Refusal(opening(3, 2)), kStale);
  EXPECT_FALSE(ledger_->LoadJob(samples::JobOf(3))->has_value());
  MustCommit(opening(2, 2));  // it is open already
  Changeset others = opening(4, 2);
  others.jobs_put = {samples::SentJob(4, "mno-b"), samples::UnsentJob(5), samples::Job(6)};
  MustCommit(others);
  Changeset instead = opening(3, 2);
  instead.jobs_erase = {samples::JobOf(1), samples::JobOf(99)};
  MustCommit(instead);
  EXPECT_EQ(ledger_->LoadOf(mno)->open, 2u);
  Changeset two = opening(7, 3);
  two.jobs_put.push_back(samples::SentJob(8));
  EXPECT_EQ(Refusal(two), kStale) << "one of them has room";
  EXPECT_EQ(ledger_->LoadOf(mno)->open, 2u);
}

// Many at once see the same room; only as many get it as there is.
TEST_P(LedgerConformance, TheRoomIsGivenOutOnce) {
  std::atomic<int> opened{0};
  std::vector<std::thread> threads;
  for (std::uint64_t number = 0; number < 16; ++number) {
    threads.emplace_back([&, number] {
      Changeset changes;
      changes.jobs_put = {samples::SentJob(number)};
      changes.open_bounds = {{samples::Party("mno-a"), 5}};
      if (ledger_->Commit(changes).ok()) ++opened;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(opened, 5);
  EXPECT_EQ(ledger_->LoadOf(samples::Party("mno-a"))->open, 5u);
}

TEST_P(LedgerConformance, HistoryIsChainedFromZero) {
  MustCommit(samples::Registration(1));
  MustCommit(samples::Registration(2));
  const auto records = *ledger_->HistoryAfter(0, 10);
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].seq, 1u);
  EXPECT_EQ(records[0].hash, ChainHash(Bytes(32, 0), Encode(samples::History(1))));
  EXPECT_EQ(records[1].hash, ChainHash(records[0].hash, Encode(samples::History(2))));
  const auto of_two = *ledger_->HistoryOf(samples::DeviceOf(2));
  ASSERT_THAT(of_two, SizeIs(1));
  EXPECT_EQ(of_two[0].seq, 2u);
}

TEST_P(LedgerConformance, ManyQuestionsAreAnsweredInTheirOrder) {
  for (std::uint64_t i = 0; i < 3; ++i) MustCommit(samples::Registration(i));
  const auto eid = [this](std::uint64_t i) {
    return domain::UniqueValue{UniqueKind::kEid, AsBytes(Load(i).eid.text())};
  };
  const domain::UniqueValue nobodys{UniqueKind::kEid, AsBytes("1")};
  EXPECT_THAT(*ledger_->FindUniques({eid(2), nobodys, eid(0), eid(2)}),
              ElementsAre(samples::DeviceOf(2), std::nullopt, samples::DeviceOf(0), samples::DeviceOf(2)));
  EXPECT_THAT(*ledger_->FindUniques({}), IsEmpty());
  const auto mark = samples::Registration(1).mark.value();
  const auto marks = *ledger_->FindEvents({{mark.source, samples::Event("none")}, {mark.source, mark.id}});
  ASSERT_THAT(marks, SizeIs(2));
  EXPECT_FALSE(marks[0]);
  EXPECT_EQ(marks[1]->id, mark.id);
}

TEST_P(LedgerConformance, WhichEntriesAreADevicesOwnComesInOrder) {
  for (const std::uint64_t device : {2, 0, 1}) MustCommit(samples::Registration(device));
  std::vector<LedgerReader::HistoryPlace> all = {
      {samples::DeviceOf(2), 1}, {samples::DeviceOf(0), 2}, {samples::DeviceOf(1), 3}};
  std::sort(all.begin(), all.end());
  EXPECT_EQ(*ledger_->HistoryPlacesAfter(std::nullopt, 2), std::vector(all.begin(), all.begin() + 2));
  EXPECT_THAT(*ledger_->HistoryPlacesAfter(all[1], 2), ElementsAre(all[2]));
  EXPECT_THAT(*ledger_->HistoryPlacesAfter(all[2], 2), IsEmpty());
}

TEST_P(LedgerConformance, TheOutboxKeepsTheOrderOfCommit) {
  Changeset changes;
  changes.messages = {samples::Message(1), samples::Message(2)};
  changes.notifications = {samples::Notification(1)};
  changes.zone = {samples::Zone(1)};
  changes.revocations = {samples::Revocation(1)};
  MustCommit(changes);
  const auto entries = *ledger_->OutboxAfter(Sink::kMqtt, 0, 10, kNoWait);
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(std::get<domain::OutgoingMessage>(entries[0].item).payload, samples::Message(1).payload);
  EXPECT_EQ(std::get<domain::OutgoingMessage>(entries[1].item).payload, samples::Message(2).payload);
  EXPECT_EQ(std::get<FeedItem>(entries[2].item).seq, 1u);
  EXPECT_LT(entries[0].seq, entries[1].seq);
  EXPECT_THAT(*ledger_->OutboxAfter(Sink::kMqtt, entries[1].seq, 10, kNoWait), SizeIs(1));
  EXPECT_THAT(*ledger_->OutboxAfter(Sink::kMqtt, 0, 2, kNoWait), SizeIs(2));
  EXPECT_EQ(std::get<domain::ZoneChange>(ledger_->OutboxAfter(Sink::kZone, 0, 10, kNoWait)->at(0).item),
            samples::Zone(1));
  EXPECT_EQ(std::get<domain::Revocation>(ledger_->OutboxAfter(Sink::kCrl, 0, 10, kNoWait)->at(0).item).serial,
            samples::Revocation(1).serial);
}

TEST_P(LedgerConformance, ACursorOnlyMovesForward) {
  for (std::uint64_t i = 1; i <= 3; ++i) MustCommit(samples::Registration(i));
  ASSERT_TRUE(ledger_->Advance(Sink::kMqtt, {2, "two"}, true).ok());
  ASSERT_TRUE(ledger_->Advance(Sink::kMqtt, {1, "one"}, false).ok());
  EXPECT_EQ(ledger_->LoadSink(Sink::kMqtt)->cursor, 2u);
  EXPECT_EQ(ledger_->LoadSink(Sink::kMqtt)->state, "two");
  EXPECT_THAT(*ledger_->OutboxAfter(Sink::kMqtt, 0, 10, kNoWait), SizeIs(1))
      << "what arrived is not told again";
  ASSERT_TRUE(ledger_->Advance(Sink::kMqtt, {3, "three"}, false).ok());
  EXPECT_EQ(ledger_->LoadSink(Sink::kMqtt)->state, "three");
  EXPECT_EQ(*ledger_->OutboxLast(Sink::kMqtt), 3u);
}

TEST_P(LedgerConformance, FeedsAreNumberedPerPartyAndForgetWhatIsAcknowledged) {
  Changeset changes;
  for (std::uint64_t i = 1; i <= 3; ++i) changes.notifications.push_back(samples::Notification(i));
  changes.notifications.push_back(samples::Notification(4, "asp-b"));
  MustCommit(changes);
  EXPECT_EQ(ledger_->LoadFeed(samples::Party("asp-a"))->last, 3u);
  EXPECT_EQ(ledger_->LoadFeed(samples::Party("asp-b"))->last, 1u);
  Changeset ack;
  ack.feed_acks = {{samples::Party("asp-a"), 2}};
  MustCommit(ack);
  const auto left = *ledger_->FeedFrom(samples::Party("asp-a"), 1, 10);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].seq, 3u);
  ack.feed_acks = {{samples::Party("asp-a"), 1}, {samples::Party("asp-b"), 77}};
  MustCommit(ack);
  EXPECT_EQ(ledger_->LoadFeed(samples::Party("asp-a"))->acked, 2u) << "only forward";
  EXPECT_EQ(ledger_->LoadFeed(samples::Party("asp-b"))->acked, 1u) << "never beyond what was sent";
}

TEST_P(LedgerConformance, TheZoneHoldsTheLastWantedContent) {
  Changeset added, changed, gone;
  added.zone = {samples::Zone(1), samples::Zone(2)};
  changed.zone = {{samples::DeviceOf(1), 2, {}, "state=deactivated"}};
  gone.zone = {{samples::DeviceOf(2), 2, {}, ""}};
  MustCommit(added);
  MustCommit(changed);
  MustCommit(gone);
  EXPECT_THAT(*ledger_->ZoneAfter(std::nullopt, 10), ElementsAre(changed.zone[0]));
  EXPECT_THAT(*ledger_->OutboxAfter(Sink::kZone, 0, 10, kNoWait), SizeIs(4));
}

TEST_P(LedgerConformance, DevicesComeInOrderOfId) {
  for (std::uint64_t i = 1; i <= 20; ++i) MustCommit(samples::Registration(i));
  std::optional<DeviceId> after;
  std::size_t seen = 0;
  for (auto page = *ledger_->DevicesAfter(after, 7); !page.empty(); page = *ledger_->DevicesAfter(after, 7)) {
    for (const auto& device : page) {
      EXPECT_TRUE(!after || *after < device.id);
      after = device.id;
      ++seen;
    }
  }
  EXPECT_EQ(seen, 20u);
}

TEST_P(LedgerConformance, DeadLettersAreNumbered) {
  Changeset changes;
  changes.dead_letters = {samples::DeadLetter(1), samples::DeadLetter(2)};
  MustCommit(changes);
  const auto letters = *ledger_->DeadLettersAfter(1, 10);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].first, 2u);
  EXPECT_EQ(letters[0].second.topic, samples::DeadLetter(2).topic);
}

TEST_P(LedgerConformance, AReaderOfTheOutboxWaitsForTheNextCommit) {
  auto entries =
      std::async(std::launch::async, [&] { return *ledger_->OutboxAfter(Sink::kMqtt, 0, 10, kLong); });
  MustCommit(samples::Registration(1));
  EXPECT_THAT(entries.get(), SizeIs(1));
}

TEST_P(LedgerConformance, AWaitingReaderGivesUpAtItsDeadline) {
  EXPECT_THAT(*ledger_->OutboxAfter(Sink::kMqtt, 0, 10, milliseconds(5)), IsEmpty());
}

TEST_P(LedgerConformance, WakeAllEndsTheWaiting) {
  std::atomic<bool> over = false;
  auto entries = std::async(std::launch::async, [&] {
    const auto read = *ledger_->OutboxAfter(Sink::kMqtt, 0, 10, kLong);
    over = true;
    return read;
  });
  const auto deadline = std::chrono::steady_clock::now() + kLong / 2;
  while (!over && std::chrono::steady_clock::now() < deadline) {
    ledger_->WakeAll();  // again and again: the reader may not have begun to wait
    std::this_thread::yield();
  }
  EXPECT_THAT(entries.get(), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now(), deadline);
}

TEST_P(LedgerConformance, AWholeLifeLeavesNoFault) {
  for (std::uint64_t i = 1; i <= 50; ++i) {
    Changeset changes = samples::Registration(i);
    changes.notifications = {samples::Notification(i)};
    MustCommit(changes);
    domain::Device device = samples::FullDevice(i);
    device.state = domain::State::kPublished;
    device.statuses.clear();  // on hold it would neither be in the zone nor be pushed to
    device.version = Load(i).version;
    test::BindingOf(device).composed = samples::Job(i).version;
    device.zone = {1, 1};
    Changeset certified = Put(device, device.version);
    certified.claims = {{{UniqueKind::kSerial, domain::LiveCertificate(device)->serial}, device.id},
                        {{UniqueKind::kPublicKey, domain::LiveCertificate(device)->spki_sha256}, device.id}};
    certified.zone = {samples::Zone(i)};
    certified.zone[0].tlsa[0].data = domain::LiveCertificate(device)->sha256;
    certified.jobs_put = {samples::Job(i)};
    certified.history = {samples::History(i)};
    MustCommit(certified);
  }
  const auto report = *Verify(*ledger_);
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_EQ(report.devices, 50u);
  EXPECT_EQ(report.history_entries, 100u);
}

}  // namespace
}  // namespace registry::ledger
