// Orders and the outcomes of their devices, in every backend.
#include <gmock/gmock.h>

#include "bridge/ledger/record_codec.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using domain::Changeset;
using domain::Order;
using domain::OrderItem;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class LedgerOrders : public EveryBackend {
 protected:
  std::string Put(Order order, std::uint64_t expected, std::vector<OrderItem> items = {}) {
    Changeset changes;
    changes.orders = {{std::move(order), expected}};
    changes.order_items = std::move(items);
    const auto done = ledger_->Commit(std::move(changes));
    return done.ok() ? "committed" : done.error().symbol;
  }
  std::vector<OrderId> IdsOf(const std::optional<PartyId>& owner) const {
    std::vector<OrderId> ids;
    for (const auto& order : *ledger_->OrdersOf(owner)) ids.push_back(order.id);
    return ids;
  }
  std::vector<std::uint64_t> NumbersAfter(std::uint64_t order, std::uint64_t after, std::size_t limit) const {
    std::vector<std::uint64_t> numbers;
    for (const auto& item : *ledger_->OrderItemsAfter(samples::OrderOf(order), after, limit))
      numbers.push_back(item.number);
    return numbers;
  }
  // As an order that has decided `number` devices.
  static Order At(std::uint64_t order, std::uint64_t number) {
    Order at = samples::Order(order);
    at.counts.refused = number;
    if (number > 0) at.cursor = {{}, samples::DeviceOf(number)};
    return at;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, LedgerOrders, kEveryBackend, BackendName);

TEST_P(LedgerOrders, AnEmptyLedgerHasNone) {
  EXPECT_FALSE(ledger_->LoadOrder(samples::OrderOf(1))->has_value());
  EXPECT_THAT(*ledger_->OrdersOf(std::nullopt), IsEmpty());
  EXPECT_THAT(*ledger_->OrderItemsAfter(samples::OrderOf(1), 0, 10), IsEmpty());
}

TEST_P(LedgerOrders, AreReadBackUnderTheirOwner) {
  Order other = samples::Order(2);
  other.owner = samples::Party("mno-a");
  ASSERT_EQ(Put(samples::Order(1), 0), "committed");
  ASSERT_EQ(Put(other, 0), "committed");
  Order stored = samples::Order(1);
  stored.version = 1;
  EXPECT_EQ(Encode(**ledger_->LoadOrder(stored.id)), Encode(stored));
  EXPECT_THAT(IdsOf(samples::Party("asp-a")), ElementsAre(samples::OrderOf(1)));
  EXPECT_THAT(IdsOf(samples::Party("mno-a")), ElementsAre(samples::OrderOf(2)));
  EXPECT_EQ(IdsOf(std::nullopt).size(), 2u);
}

TEST_P(LedgerOrders, ADecisionFromAnOldViewIsStaleAndWritesNothing) {
  ASSERT_EQ(Put(At(1, 0), 0), "committed");
  ASSERT_EQ(Put(At(1, 1), 1, {samples::OrderItem(1, 1)}), "committed");
  EXPECT_EQ(Put(At(1, 1), 1, {samples::OrderItem(1, 2)}), kStale);
  EXPECT_EQ(Put(samples::Order(1), 0), kStale);
  EXPECT_THAT(NumbersAfter(1, 0, 10), ElementsAre(1));
  EXPECT_EQ((*ledger_->LoadOrder(samples::OrderOf(1)))->version, 2u);
}

TEST_P(LedgerOrders, AreWrittenWithADeviceOrNotAtAll) {
  ASSERT_EQ(Put(At(1, 0), 0), "committed");
  Changeset changes;
  changes.devices = {{samples::Device(1), 7}};  // no such version
  changes.orders = {{At(1, 1), 1}};
  changes.order_items = {samples::OrderItem(1, 1)};
  EXPECT_EQ(ledger_->Commit(std::move(changes)).error().symbol, kStale);
  EXPECT_THAT(NumbersAfter(1, 0, 10), IsEmpty());
  EXPECT_EQ((*ledger_->LoadOrder(samples::OrderOf(1)))->counts.all(), 0u);
}

TEST_P(LedgerOrders, OutcomesAreReadInPages) {
  ASSERT_EQ(Put(At(1, 0), 0), "committed");
  ASSERT_EQ(Put(At(2, 0), 0), "committed");
  for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_EQ(Put(At(1, i), i, {samples::OrderItem(1, i)}), "committed");
  ASSERT_EQ(Put(At(2, 1), 1, {samples::OrderItem(2, 1)}), "committed");
  EXPECT_THAT(NumbersAfter(1, 0, 2), ElementsAre(1, 2));
  EXPECT_THAT(NumbersAfter(1, 2, 10), ElementsAre(3, 4, 5));
  EXPECT_THAT(NumbersAfter(1, 5, 10), IsEmpty());
  EXPECT_THAT(NumbersAfter(1, 0, 0), IsEmpty());
  EXPECT_THAT(NumbersAfter(2, 0, 10), ElementsAre(1));
  EXPECT_EQ(Encode(ledger_->OrderItemsAfter(samples::OrderOf(1), 3, 1)->at(0)),
            Encode(samples::OrderItem(1, 4)));
}

TEST_P(LedgerOrders, AnErasedOrderTakesItsOutcomesWithIt) {
  for (const std::uint64_t order : {1u, 2u}) {
    ASSERT_EQ(Put(At(order, 0), 0), "committed");
    ASSERT_EQ(Put(At(order, 1), 1, {samples::OrderItem(order, 1)}), "committed");
  }
  Changeset changes;
  changes.orders_erase = {samples::OrderOf(1)};
  changes.orders = {{samples::Order(3), 0}};
  ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
  EXPECT_FALSE(ledger_->LoadOrder(samples::OrderOf(1))->has_value());
  EXPECT_THAT(NumbersAfter(1, 0, 10), IsEmpty());
  EXPECT_THAT(NumbersAfter(2, 0, 10), ElementsAre(1));
  EXPECT_TRUE(ledger_->LoadOrder(samples::OrderOf(3))->has_value());
  EXPECT_EQ(Put(samples::Order(1), 0), "committed");  // nobody has this id any more
}

TEST_P(LedgerOrders, VerifyComparesCountsAndCursorWithTheItems) {
  ASSERT_EQ(Put(At(1, 0), 0), "committed");
  ASSERT_EQ(Put(At(1, 1), 1, {samples::OrderItem(1, 1)}), "committed");
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
  ASSERT_EQ(Put(At(1, 2), 2), "committed");  // counted without an outcome
  const std::string name = "order " + samples::OrderOf(1).text();
  EXPECT_THAT(Verify(*ledger_)->faults, ElementsAre(name + ": its counts are not those of its items",
                                                    name + ": its cursor is not at its last item"));
  ASSERT_EQ(Put(At(1, 3), 3, {samples::OrderItem(1, 3)}), "committed");
  EXPECT_THAT(Verify(*ledger_)->faults, Contains(name + ": item 2 is missing"));
}

TEST(OrdersFolder, AreThereAfterAReopenAndForAReaderBeside) {
  const samples::Folder folder;
  Changeset changes;
  changes.orders = {{samples::Order(1), 0}};
  changes.order_items = {samples::OrderItem(1, 1)};
  ASSERT_TRUE(OpenBackend(Backend::kRocksDb, folder)->Commit(std::move(changes)).ok());
  const auto ledger = OpenBackend(Backend::kRocksDb, folder);
  const auto reader = OpenRocksDbReader(folder.path(), folder.path("scratch"));
  ASSERT_TRUE(reader.ok());
  const std::vector<const LedgerReader*> both{ledger.get(), reader->get()};
  for (const LedgerReader* each : both) {
    EXPECT_EQ((*each->LoadOrder(samples::OrderOf(1)))->version, 1u);
    EXPECT_EQ(each->OrderItemsAfter(samples::OrderOf(1), 0, 10)->size(), 1u);
  }
}

TEST(OrdersFolder, AFolderFromBeforeThemHasNoneBesideAndTakesThemWhenOpened) {
  namespace fs = std::filesystem;
  const samples::Folder folder;
  fs::copy(fs::path(REGISTRY_SOURCE_DIR) / "tests/data/ledger-format-2", folder.path());
  fs::permissions(folder.path(), fs::perms::owner_all);
  {
    const auto reader = OpenRocksDbReader(folder.path(), folder.path("scratch"));
    ASSERT_TRUE(reader.ok());
    EXPECT_THAT(*(*reader)->OrdersOf(std::nullopt), IsEmpty());
    EXPECT_FALSE((*reader)->LoadOrder(samples::OrderOf(1))->has_value());
    EXPECT_THAT(*(*reader)->OrderItemsAfter(samples::OrderOf(1), 0, 10), IsEmpty());
  }
  const auto ledger = OpenBackend(Backend::kRocksDb, folder);
  Changeset changes;
  changes.orders = {{samples::Order(1), 0}};
  ASSERT_TRUE(ledger->Commit(std::move(changes)).ok());
  EXPECT_EQ(ledger->OrdersOf(std::nullopt)->size(), 1u);
}

}  // namespace
}  // namespace registry::ledger
