// The devices that are kept in memory: the newest of each, and no more than so many.
#include "bridge/ledger/keyed/written_devices.h"

#include "bridge/ledger/record_codec.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

WrittenDevices::Written Of(std::uint64_t number, std::uint64_t version = 1) {
  domain::Device device = samples::Device(number);
  device.version = version;
  return std::make_shared<const domain::Device>(std::move(device));
}

TEST(WrittenDevices, TheNewestCounts) {
  WrittenDevices devices;
  EXPECT_EQ(devices.Find(samples::DeviceOf(1)), nullptr);
  devices.Put(Of(1, 1));
  const auto before = devices.Find(samples::DeviceOf(1));
  devices.Put(Of(1, 2));
  EXPECT_EQ(devices.Find(samples::DeviceOf(1))->version, 2u);
  EXPECT_EQ(before->version, 1u) << "what somebody has read stays";
}

TEST(WrittenDevices, WhoeverCameFirstGoesFirst) {
  WrittenDevices devices;
  for (std::uint64_t number = 0; number < WrittenDevices::kKept; ++number) devices.Put(Of(number));
  devices.Put(Of(0, 2));  // again: no more than before
  EXPECT_NE(devices.Find(samples::DeviceOf(0)), nullptr);
  devices.Put(Of(WrittenDevices::kKept));
  EXPECT_EQ(devices.Find(samples::DeviceOf(0)), nullptr);
  EXPECT_NE(devices.Find(samples::DeviceOf(1)), nullptr);
  EXPECT_NE(devices.Find(samples::DeviceOf(WrittenDevices::kKept)), nullptr);
}

TEST(WrittenDevices, WhatIsBeingWrittenIsLookedUp) {
  WrittenDevices devices;
  for (std::uint64_t number = 0; number < WrittenDevices::kKept; ++number) devices.Put(Of(number));
  devices.Hide(samples::DeviceOf(1));
  devices.Hide(samples::DeviceOf(WrittenDevices::kKept));  // not there
  EXPECT_EQ(devices.Find(samples::DeviceOf(1)), nullptr);
  devices.Put(Of(1, 2));
  EXPECT_EQ(devices.Find(samples::DeviceOf(1))->version, 2u);
  EXPECT_NE(devices.Find(samples::DeviceOf(0)), nullptr) << "it takes the place it had";
}

// Neither from memory nor from disk may anything else be read than what was committed, and it is the same from both.
TEST(WrittenDevices, ALedgerReadsThoseItKeepsAndThoseItDoesNotAlike) {
  samples::Folder folder;
  const auto from_memory = [&] {
    const auto ledger = OpenBackend(Backend::kRocksDb, folder);
    domain::Changeset changes;
    changes.devices.push_back({samples::FullDevice(7), 0});
    EXPECT_TRUE(ledger->Commit(std::move(changes)).ok());
    return **ledger->LoadDevice(samples::DeviceOf(7));
  }();
  const auto from_disk = **OpenBackend(Backend::kRocksDb, folder)->LoadDevice(samples::DeviceOf(7));
  EXPECT_EQ(Encode(from_memory), Encode(from_disk));
  EXPECT_EQ(from_memory.version, 1u);
}

}  // namespace
}  // namespace registry::ledger
