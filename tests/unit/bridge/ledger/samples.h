// tests/unit/bridge/ledger/samples.h: values with every field set, numbered so that two of them differ.
#pragma once

#include <filesystem>
#include <string>

#include "bridge/ledger/ledger.h"

namespace registry::ledger::samples {

PartyId Party(const std::string& text);
EventId Event(const std::string& text);
JobId JobOf(std::uint64_t number);
DeviceId DeviceOf(std::uint64_t number);
Eid EidOf(std::uint64_t number);
Iccid IccidOf(std::uint64_t number);
inline constexpr UtcTime kNoon{1'780'000'000'000'000};

domain::Device Device(std::uint64_t number);  // registered, nothing else
domain::Device FullDevice(std::uint64_t number);
domain::EndpointRecord Endpoint(std::uint64_t number);
domain::Job Job(std::uint64_t number);        // as before jobs had a traceparent
domain::Job TracedJob(std::uint64_t number);  // as before jobs named their MNO
domain::Job SentJob(std::uint64_t number, const std::string& mno = "mno-a");
domain::Job UnsentJob(std::uint64_t number, const std::string& mno = "mno-a");
domain::EventMark Mark(std::uint64_t number);
domain::HistoryEntry History(std::uint64_t number);
domain::OutgoingMessage Message(std::uint64_t number);
domain::Notification Notification(std::uint64_t number, const std::string& party = "asp-a");
domain::ZoneChange Zone(std::uint64_t number, std::uint64_t revision = 1);
domain::Revocation Revocation(std::uint64_t number);
domain::DeadLetter DeadLetter(std::uint64_t number);
OrderId OrderOf(std::uint64_t number);
domain::Order Order(std::uint64_t number);  // just started
domain::OrderItem OrderItem(std::uint64_t order, std::uint64_t number);

// What registering, certifying or activating a device writes, nearly: one of everything.
domain::Changeset Registration(std::uint64_t number);

// A folder of its own, removed again.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name = "ledger") const { return root_ / name; }

 private:
  std::filesystem::path root_;
};

}  // namespace registry::ledger::samples
