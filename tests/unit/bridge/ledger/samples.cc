#include "tests/unit/bridge/ledger/samples.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "workers/domain/job_kinds.h"

namespace registry::ledger::samples {
namespace {

// SGP.29: the last two digits make the whole number 1 modulo 97.
std::string EidText(std::uint64_t number) {
  char head[31];
  std::snprintf(head, sizeof(head), "8904900000%020llu", static_cast<unsigned long long>(number));
  unsigned remainder = 0;
  for (const char* digit = head; *digit != 0; ++digit) {
    remainder = (remainder * 10 + static_cast<unsigned>(*digit - '0')) % 97;
  }
  const unsigned check = 98 - remainder * 100 % 97;
  char text[33];
  std::snprintf(text, sizeof(text), "%s%02u", head, check);
  return text;
}

// ITU-T E.118: 18 digits and a Luhn digit.
std::string IccidText(std::uint64_t number) {
  char head[19];
  std::snprintf(head, sizeof(head), "8949%014llu",
                static_cast<unsigned long long>(number % 100'000'000'000'000));
  unsigned sum = 0;
  for (int i = 0; i < 18; ++i) {
    unsigned digit = static_cast<unsigned>(head[17 - i] - '0');
    if (i % 2 == 0) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return std::string(head) + static_cast<char>('0' + (10 - sum % 10) % 10);
}

Bytes Filled(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  for (auto& octet : bytes) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    octet = static_cast<std::uint8_t>(seed >> 56);
  }
  return bytes;
}

}  // namespace

PartyId Party(const std::string& text) { return PartyId::Parse(text).value(); }
EventId Event(const std::string& text) { return EventId::Parse(text).value(); }
Eid EidOf(std::uint64_t number) { return Eid::Parse(EidText(number)).value(); }
Iccid IccidOf(std::uint64_t number) { return Iccid::Parse(IccidText(number)).value(); }

DeviceId DeviceOf(std::uint64_t number) {
  DeviceId::Octets octets{};
  const Bytes random = Filled(octets.size(), number);
  std::copy(random.begin(), random.end(), octets.begin());
  return DeviceId::FromRandom(octets);
}

JobId JobOf(std::uint64_t number) { return JobId::Parse(DeviceOf(number + 0x10000000).text()).value(); }

domain::Device Device(std::uint64_t number) {
  domain::Device device;
  device.id = DeviceOf(number);
  device.eid = EidOf(number);
  device.profiles = {{1, IccidOf(number), Party("mno-a"), domain::ProfileState::kInstalled, false, {}}};
  device.codes = {{domain::CodePurpose::kClaim, wire::Role::kAsp, Filled(32, number), Party("mno-a"), {}, 0}};
  device.trace = {{"registered", kNoon}};
  device.created = device.updated = kNoon;
  return device;
}

domain::Device FullDevice(std::uint64_t number) {
  domain::Device device = Device(number);
  device.state = domain::State::kActive;
  device.statuses = {domain::DeviceStatus::kClientHold, domain::DeviceStatus::kTransferProhibited};
  device.profiles[0].state = domain::ProfileState::kEnabled;
  device.profiles[0].attached = true;
  device.profiles[0].agreement_key = Filled(65, number + 4);
  const domain::IssuedCertificate certificate{Filled(560, number),
                                              Filled(20, number + 1),
                                              Filled(32, number + 2),
                                              Filled(32, number + 3),
                                              kNoon,
                                              kNoon + std::chrono::hours(24 * 365)};
  device.credentials = {{certificate, 1, domain::CredentialPhase::kLive, kNoon}};
  device.bindings = {
      {1, Party("asp-a"), EndpointName::Parse("main").value(), domain::BindingPhase::kLive, 3, 3}};
  device.codes.clear();
  device.zone = {300, 300};
  for (const char* step :
       {"claimed", "attached", "key.generate", "certified", "published", "delivered", "active"}) {
    device.trace.push_back({step, kNoon + std::chrono::milliseconds(device.trace.size() * 10)});
  }
  device.updated = kNoon + std::chrono::seconds(1);
  return device;
}

domain::EndpointRecord Endpoint(std::uint64_t number) {
  domain::EndpointRecord record;
  record.asp = Party("asp-a");
  auto& endpoint = record.endpoint;
  endpoint.name = EndpointName::Parse("main-" + std::to_string(number)).value();
  endpoint.fqdn = "mqtt.asp-a.test";
  endpoint.url = "mqtts://mqtt.asp-a.test:8883";
  endpoint.port = 8883;
  endpoint.protocol = "mqtts";
  endpoint.trust = {wire::TrustKind::kTlsa, {}, "_8883._tcp.mqtt.asp-a.test"};
  endpoint.wifi = {"factory", "c2VhbGVk"};
  record.legacy_json = AsBytes(R"({"u":"mqtts://mqtt.asp-a.test:8883"})");
  record.legacy_json_signature = Filled(71, number);
  return record;
}

domain::Job Job(std::uint64_t number) {
  domain::Job job;
  job.id = JobOf(number);
  job.subject = DeviceOf(number);
  job.kind = domain::JobKind::kPayloadPush;
  job.attempt = 2;
  job.created = kNoon;
  job.due = kNoon + std::chrono::seconds(number);
  job.version = 3;
  job.last_stage = "submitted";
  job.last_progress = 7;
  job.body = R"({"attempt":2})";
  return job;
}

domain::Job SentJob(std::uint64_t number, const std::string& mno) {
  domain::Job job = TracedJob(number);
  job.to = Party(mno);
  job.sent = kNoon + std::chrono::seconds(1);
  job.told = job.due;
  return job;
}

domain::Job UnsentJob(std::uint64_t number, const std::string& mno) {
  domain::Job job = Job(number);
  job.to = Party(mno);
  job.unsent = true;
  return job;
}

domain::Job TracedJob(std::uint64_t number) {
  domain::Job job = Job(number);
  job.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return job;
}

domain::EventMark Mark(std::uint64_t number) {
  return {Party("mno-a"),
          Event("event-" + std::to_string(number)),
          kNoon,
          {{"type", Filled(32, number)}, {"data/eid", Filled(32, number + 1)}},
          Message(number)};
}

domain::HistoryEntry History(std::uint64_t number) {
  return {kNoon, Party("mno-a"), DeviceOf(number), "registered", Event("event-" + std::to_string(number))};
}

domain::OutgoingMessage Message(std::uint64_t number) {
  return {"registry/v1/to/mno-a/esim.register/accepted", R"({"id":")" + std::to_string(number) + "\"}",
          "correlation"};
}

domain::Notification Notification(std::uint64_t number, const std::string& party) {
  return {Party(party),
          "device.activated",
          Event("notification-" + std::to_string(number)),
          kNoon,
          R"({"device":")" + DeviceOf(number).text() + "\"}",
          Event("event-" + std::to_string(number)),
          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
}

domain::ZoneChange Zone(std::uint64_t number, std::uint64_t revision) {
  return {DeviceOf(number), revision, {{3, 0, 1, Filled(32, number)}}, ""};
}

domain::Revocation Revocation(std::uint64_t number) {
  return {Filled(20, number + 1), kNoon, 5, kNoon + std::chrono::hours(24 * 365)};
}

domain::DeadLetter DeadLetter(std::uint64_t number) {
  return {kNoon, "registry/v1/from/nobody/" + std::to_string(number), "{", "unknown_party"};
}

OrderId OrderOf(std::uint64_t number) { return OrderId::Parse(DeviceOf(number + 0x20000000).text()).value(); }

domain::Order Order(std::uint64_t number) {
  domain::Order order;
  order.id = OrderOf(number);
  order.owner = Party("asp-a");
  order.selection = domain::DeviceGroup::Of(order.owner);
  order.rate = 50;
  order.cause = Event("order-" + std::to_string(number));
  order.created = order.updated = kNoon;
  return order;
}

domain::OrderItem OrderItem(std::uint64_t order, std::uint64_t number) {
  return {OrderOf(order), number, DeviceOf(number), domain::ItemOutcome::kRefused, "state_prohibits", kNoon};
}

domain::Changeset Registration(std::uint64_t number) {
  domain::Changeset changes;
  changes.mark = Mark(number);
  changes.devices = {{Device(number), 0}};
  changes.claims = {{{domain::UniqueKind::kEid, AsBytes(EidOf(number).text())}, DeviceOf(number)},
                    {{domain::UniqueKind::kIccid, AsBytes(IccidOf(number).text())}, DeviceOf(number)}};
  changes.history = {History(number)};
  changes.messages = {Message(number)};
  return changes;
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "registry-ledger-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  root_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

}  // namespace registry::ledger::samples
