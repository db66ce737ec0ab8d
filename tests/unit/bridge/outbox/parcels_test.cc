// What travels together, what stays alone, and that each party's order is kept, over many random outboxes.
#include "bridge/outbox/parcels.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "schemas/wire/batch.h"
#include "schemas/wire/topics.h"

namespace registry::outbox {
namespace {

PartyId Party(const std::string& name) { return *PartyId::Parse(name); }

ledger::OutboxEntry Entry(ledger::Seq seq, const std::string& party,
                          const std::string& below = "feed.ack/accepted",
                          const std::string& correlation = "") {
  wire::Envelope envelope;
  envelope.id = *EventId::Parse(std::to_string(seq));
  envelope.source = "registry";
  envelope.type = wire::AcceptedType("feed.ack");
  envelope.data = nlohmann::json::object();
  ledger::OutboxEntry entry;
  entry.seq = seq;
  entry.item = domain::OutgoingMessage{wire::OwnSpaceOf(Party(party)) + below, wire::EncodeEnvelope(envelope),
                                       correlation};
  return entry;
}

using Seqs = std::vector<ledger::Seq>;

std::vector<Seqs> Packed(std::vector<ledger::OutboxEntry> entries) {
  std::vector<Seqs> packed;
  for (const Parcel& parcel : Parcels({Party("a"), Party("b")}).Pack(std::move(entries))) {
    packed.push_back(parcel.entries);
  }
  return packed;
}

TEST(Parcels, WhatWaitsTogetherForOnePartyTravelsTogether) {
  const auto parcels =
      Parcels({Party("a")}).Pack({Entry(1, "a"), Entry(2, "c"), Entry(3, "a"), Entry(4, "c")});
  ASSERT_EQ(parcels.size(), 3u);
  EXPECT_EQ(parcels[0].entries, (Seqs{1, 3}));
  EXPECT_EQ(parcels[0].message.topic, "registry/v1/to/a/batch");
  EXPECT_TRUE(parcels[0].message.batch);
  EXPECT_TRUE(parcels[0].for_batcher);
  const auto items = wire::SplitBatch(parcels[0].message.payload);
  ASSERT_TRUE(items.ok());
  ASSERT_EQ(items->size(), 2u);
  EXPECT_EQ(wire::DecodeEnvelope((*items)[1])->id.text(), "3");
  for (const std::size_t other : {1, 2}) {
    EXPECT_EQ(parcels[other].message.topic, "registry/v1/to/c/feed.ack/accepted");
    EXPECT_FALSE(parcels[other].message.batch);
    EXPECT_FALSE(parcels[other].for_batcher);
  }
}

TEST(Parcels, OneAloneIsNoBatch) {
  const auto parcels = Parcels({Party("a")}).Pack({Entry(1, "a")});
  ASSERT_EQ(parcels.size(), 1u);
  EXPECT_EQ(parcels[0].message.topic, "registry/v1/to/a/feed.ack/accepted");
  EXPECT_FALSE(parcels[0].message.batch);
  EXPECT_TRUE(Parcels({}).Pack({}).empty());
}

TEST(Parcels, WhatBelongsToAWholeMessageStaysAloneInItsPlace) {
  EXPECT_EQ(Packed({Entry(1, "a"), Entry(2, "a"), Entry(3, "a", "feed.ack/accepted", "mine"), Entry(4, "a"),
                    Entry(5, "a")}),
            (std::vector<Seqs>{{1, 2}, {3}, {4, 5}}))
      << "Correlation Data";
  for (const char* asked : {"here", "my/accepted", "feed.ack/rejected", "feed/ack.accepted/x"}) {
    EXPECT_EQ(Packed({Entry(1, "a"), Entry(2, "a", asked), Entry(3, "a")}),
              (std::vector<Seqs>{{1}, {2}, {3}}))
        << asked;
  }
}

TEST(Parcels, EverythingTheRegistrySaysOfItselfMayTravelTogether) {
  ledger::FeedItem item;
  item.seq = 7;
  item.notification.to = Party("a");
  item.notification.type = "device.activated";
  item.notification.data = "{}";
  item.notification.id = *EventId::Parse("n");
  ledger::OutboxEntry told = Entry(2, "a");
  told.item = item;
  EXPECT_EQ(Packed({Entry(1, "a"), told}), (std::vector<Seqs>{{1, 2}}));
}

TEST(Parcels, ABatchIsBoundedInItemsAndOctets) {
  std::vector<ledger::OutboxEntry> many;
  for (ledger::Seq seq = 1; seq <= 2 * Parcels::kItemsMax + 1; ++seq) many.push_back(Entry(seq, "a"));
  const auto parcels = Parcels({Party("a")}).Pack(std::move(many));
  ASSERT_EQ(parcels.size(), 3u);
  EXPECT_EQ(parcels[0].entries.size(), Parcels::kItemsMax);
  EXPECT_EQ(parcels[2].entries.size(), 1u);
  EXPECT_FALSE(parcels[2].message.batch);
  std::vector<ledger::OutboxEntry> large;
  for (ledger::Seq seq = 1; seq <= 5; ++seq) {
    large.push_back(Entry(seq, "a"));
    auto& payload = std::get<domain::OutgoingMessage>(large.back().item).payload;
    payload.insert(1, 100'000, ' ');
  }
  for (const Parcel& parcel : Parcels({Party("a")}).Pack(std::move(large))) {
    EXPECT_LE(parcel.message.payload.size(), Parcels::kOctetsMax);
    EXPECT_LE(parcel.entries.size(), 2u);
  }
}

RC_GTEST_PROP(Parcels, EveryEntryOnceAndEachPartysInOrder, ()) {
  const auto picks = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 9));
  std::vector<ledger::OutboxEntry> entries;
  std::map<std::string, Seqs> expected, found;
  for (const int pick : picks) {
    const std::string party(1, static_cast<char>('a' + pick % 3));
    const ledger::Seq seq = entries.size() + 1;
    entries.push_back(pick < 6 ? Entry(seq, party) : Entry(seq, party, "here"));
    expected[party].push_back(seq);
  }
  for (const Parcel& parcel : Parcels({Party("a"), Party("b")}).Pack(std::move(entries))) {
    const std::string party(1, parcel.message.topic[std::string("registry/v1/to/").size()]);
    found[party].insert(found[party].end(), parcel.entries.begin(), parcel.entries.end());
    RC_ASSERT(parcel.message.batch == (parcel.entries.size() > 1));
    RC_ASSERT(!parcel.message.batch || party != "c");
  }
  RC_ASSERT(found == expected);
}

}  // namespace
}  // namespace registry::outbox
