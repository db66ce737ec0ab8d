// Every record reads back as it was written, whatever is in it: zeros and empty fields where the struct begins with
// something else, unset identifiers, the ends of every number. The values are made from the same list of fields that
// writes and reads them, so a field added later is tried too.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <random>

#include "bridge/ledger/record_fields.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ledger {
namespace {

class RandomFields {
 public:
  explicit RandomFields(std::uint64_t seed) : random_(seed) {}

  template <class T>
  void operator()(std::uint8_t, T& value) {
    Draw(value);
  }

 private:
  bool Rarely() { return random_() % 4 == 0; }
  std::size_t Few() { return random_() % 4; }

  template <std::integral T>
  void Draw(T& value) {
    value = Rarely() ? T{} : Rarely() ? std::numeric_limits<T>::max() : static_cast<T>(random_());
  }
  void Draw(bool& value) { value = random_() % 2 == 0; }
  void Draw(UtcTime& value) { Draw(value.micros); }
  void Draw(std::string& value) {
    value.clear();
    for (auto left = Few() * 50; left > 0; --left) value += static_cast<char>(random_());
  }
  void Draw(Bytes& value) {
    value.clear();
    for (auto left = Few() * 50; left > 0; --left) value.push_back(static_cast<std::uint8_t>(random_()));
  }
  void Draw(DeviceId& value) { value = Rarely() ? DeviceId() : samples::DeviceOf(random_()); }
  void Draw(Eid& value) { value = Rarely() ? Eid() : samples::EidOf(random_() % 1000); }
  void Draw(Iccid& value) { value = Rarely() ? Iccid() : samples::IccidOf(random_() % 1000); }
  void Draw(TransferId& value) {
    value = Rarely() ? TransferId() : *TransferId::Parse(samples::JobOf(random_() % 1000).text());
  }
  void Draw(JobId& value) { value = Rarely() ? JobId() : samples::JobOf(random_() % 1000); }
  void Draw(OrderId& value) { value = Rarely() ? OrderId() : samples::OrderOf(random_() % 1000); }
  template <class Tag>
  void Draw(TextId<Tag>& value) {
    value = Rarely() ? TextId<Tag>() : *TextId<Tag>::Parse("name-" + std::to_string(random_() % 1000));
  }
  template <class T>
  void Draw(std::optional<T>& value) {
    value.reset();
    if (!Rarely()) Draw(value.emplace());
  }
  template <class E>
  void Draw(std::set<E>& values) {
    values.clear();
    for (auto left = Few(); left > 0; --left) {
      E value{};
      Draw(value);
      values.insert(value);
    }
  }
  template <class T>
  void Draw(std::vector<T>& values) {
    values.clear();
    for (auto left = Few(); left > 0; --left) Draw(values.emplace_back());
  }
  template <class T>
  requires std::is_enum_v<T>
  void Draw(T& value) {
    std::optional<T> known;
    while (!known) known = StoredEnum<T>::FromStored(random_() % 8);
    value = *known;
  }
  template <class T>
  requires std::is_class_v<T>
  void Draw(T& value) { Fields(*this, value); }

  std::mt19937_64 random_;
};

template <class T>
class EveryKind : public testing::Test {};
using Kinds = testing::Types<domain::EventMark, domain::Device, domain::EndpointRecord, domain::Job,
                             domain::HistoryEntry, domain::OutgoingMessage, FeedItem, domain::ZoneChange,
                             domain::Revocation, domain::DeadLetter, SinkState, FeedState, Head,
                             domain::DeviceBrief, domain::Order, domain::OrderItem>;
TYPED_TEST_SUITE(EveryKind, Kinds);

// One value has one encoding, so equal octets are equal values.
TYPED_TEST(EveryKind, ReadsBackAsWritten) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    TypeParam value;
    RandomFields random(seed);
    Fields(random, value);
    const std::string written = Encode(value);
    const auto read = Decode<TypeParam>(written);
    RC_ASSERT(read.ok());
    RC_ASSERT(Encode(*read) == written);
  }));
}

TEST(EveryZero, ReadsBackAsZero) {
  domain::Job job;
  job.attempt = 0;
  EXPECT_EQ(Decode<domain::Job>(Encode(job))->attempt, 0u);
  const domain::ZoneChange change{DeviceId(), 0, {{0, 0, 0, {}}, {3, 0, 1, {}}}, ""};
  EXPECT_EQ(*Decode<domain::ZoneChange>(Encode(change)), change);
}

}  // namespace
}  // namespace registry::ledger
