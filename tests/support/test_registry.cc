#include "tests/support/test_registry.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "bridge/ingest/commands.h"
#include "schemas/base/sanitized.h"
#include "schemas/wire/envelope.h"
#include "tests/support/contract.h"
#include "tests/support/device_key.h"
#include "workers/domain/compose.h"
#include "workers/lifecycle/code_text.h"

namespace registry::test {
namespace {

// Under a sanitizer everything is several times slower.
constexpr std::chrono::seconds kReplyDeadline{REGISTRY_ADDRESS_SANITIZED || REGISTRY_THREAD_SANITIZED ? 100
                                                                                                      : 20};
constexpr const char* kZone = "iotregistry.test";
const Bytes kCodeKey(lifecycle::kCodeKeySize, 9);

std::filesystem::path NewFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "registry-test-XXXXXX").string();
  REG_CHECK(mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

std::string Padded(std::uint64_t number, int width) {
  std::string digits = std::to_string(number);
  return std::string(static_cast<std::size_t>(width) - digits.size(), '0') + digits;
}

}  // namespace

// SGP.29: check digits are 98 - (first 30 digits * 100 mod 97).
std::string EidOf(std::uint64_t number) {
  const std::string first = "89049032" + Padded(number, 22);
  unsigned remainder = 0;
  for (char c : first + "00") remainder = (remainder * 10 + static_cast<unsigned>(c - '0')) % 97;
  return first + Padded(98 - remainder, 2);
}

// ITU-T E.118: Luhn over the first 18 digits.
std::string IccidOf(std::uint64_t number) {
  const std::string first = "8988" + Padded(number, 14);
  int sum = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    int digit = first[first.size() - 1 - i] - '0';
    if (i % 2 == 0) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return first + std::to_string((10 - sum % 10) % 10);
}

TestRegistry::TestRegistry(Setup setup)
    : folder_(NewFolder()),
      setup_(std::move(setup)),
      signer_("Issuing CA"),
      ledger_(ledger::OpenMemoryLedger()) {
  if (setup_.wrap) ledger_ = setup_.wrap(std::move(ledger_));
  domain::Policy policy;
  policy.zone = kZone;
  auto issuer = csr_sign::Issuer::Create(policy, signer_);
  REG_CHECK(issuer.ok());
  issuer_.emplace(std::move(*issuer));
  Open();
}

TestRegistry::~TestRegistry() {
  pipeline_.reset();
  intake_.reset();
  std::filesystem::remove_all(folder_);
}

void TestRegistry::Open() {
  auto intake = ingest::Intake::Open({.folder = folder_.string(), .key = Bytes(32, 8)});
  REG_CHECK(intake.ok());
  intake_ = std::move(*intake);
  ingest::Services services;
  services.parties = {{*PartyId::Parse("mno-a"), wire::Role::kMno},
                      {*PartyId::Parse("mno-b"), wire::Role::kMno},
                      {*PartyId::Parse("asp-a"), wire::Role::kAsp},
                      {*PartyId::Parse("asp-b"), wire::Role::kAsp},
                      {*PartyId::Parse("operator"), wire::Role::kOperator}};
  services.issuer = &*issuer_;
  services.signer = &signer_;
  services.kept_per_hour = setup_.kept_per_hour;
  services.policy.retry = setup_.retry;
  services.policy.transfer = setup_.transfer;
  services.limits = setup_.limits;
  services.space_low = setup_.space_low;
  services.aside = [this](const PartyId&, domain::OutgoingMessage reply) {
    const std::lock_guard lock(mutex_);
    aside_.push_back(std::move(reply));
    counted_.notify_all();
  };
  services.policy.zone = kZone;
  services.policy.authorisation.key = kCodeKey;
  auto& payload = services.policy.payload;
  payload.bootstrap.registry_profile = "iot-registry-1";
  payload.bootstrap.root_certificate = signer_.certificate();
  payload.bootstrap.issuing_certificate = signer_.certificate();
  payload.bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", signer_.certificate(), Bytes(32, 7)};
  payload.bootstrap.trust_anchors = {". IN DS 1 13 2 " + std::string(64, 'A')};
  ingest::PipelineOptions options;
  options.lanes = setup_.lanes;
  options.queue_max = setup_.queue_max;
  options.stop_deadline = setup_.stop_deadline;
  options.timer_period = std::chrono::milliseconds(5);
  options.own_work = setup_.own_work;
  options.renewals_every = std::chrono::hours(1);  // when a test says so (Sweep)
  options.retry_after = std::chrono::milliseconds(1);
  pipeline_ =
      std::make_unique<ingest::Pipeline>(options, *ledger_, *intake_, clock_, std::move(services), *this);
  pipeline_->Start();
}

void TestRegistry::WaitUntilRead() const {
  const auto until = std::chrono::steady_clock::now() + kReplyDeadline;
  while (pipeline_->queued() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

void TestRegistry::Restart() {
  pipeline_.reset();
  intake_.reset();
  Open();
}

void TestRegistry::CommandDone(const std::string&, const std::string& outcome, const std::string&,
                               std::chrono::microseconds) {
  std::lock_guard lock(mutex_);
  ++outcomes_[outcome];
  counted_.notify_all();
}

void TestRegistry::Limited(const std::string& party, const std::string& limit) {
  std::lock_guard lock(mutex_);
  ++limited_[party + " " + limit];
}

std::uint64_t TestRegistry::CountIn(const Counts& counts, const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

void TestRegistry::RenewalMoved(const std::string& outcome) {
  std::lock_guard lock(mutex_);
  ++renewals_[outcome];
}

void TestRegistry::Log(int level, const std::string& line) {
  if (level >= 2) std::fprintf(stderr, "registry: %s\n", line.c_str());
  if (level < 3) return;
  std::lock_guard lock(mutex_);
  errors_.push_back(line);
}

bool TestRegistry::Logged(const std::string& part) const {
  std::lock_guard lock(mutex_);
  return std::any_of(errors_.begin(), errors_.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

bool TestRegistry::Counted(const std::string& outcome, std::uint64_t times) const {
  std::unique_lock lock(mutex_);
  return counted_.wait_for(lock, kReplyDeadline, [&] {
    const auto found = outcomes_.find(outcome);
    return found != outcomes_.end() && found->second == times;
  });
}

std::vector<Said> TestRegistry::ReadAfter(ledger::Seq* after, std::chrono::milliseconds wait) {
  auto entries = ledger_->OutboxAfter(ledger::Sink::kMqtt, *after, 10000, wait);
  REG_CHECK(entries.ok());
  std::vector<Said> said;
  for (const auto& entry : *entries) {
    *after = entry.seq;
    const auto* feed = std::get_if<ledger::FeedItem>(&entry.item);
    auto message = feed != nullptr ? domain::Render(feed->notification, feed->seq)
                                   : std::get<domain::OutgoingMessage>(entry.item);
    lifecycle::FillInCode(kCodeKey, message);
    ExpectContract(message.payload);
    said.push_back(
        {message.topic, message.correlation_data, message.payload, nlohmann::json::parse(message.payload)});
  }
  return said;
}

std::vector<Said> TestRegistry::TakeAside() {
  std::vector<domain::OutgoingMessage> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(aside_);
  }
  std::vector<Said> said;
  for (auto& message : taken) {
    ExpectContract(message.payload);
    said.push_back(
        {message.topic, message.correlation_data, message.payload, nlohmann::json::parse(message.payload)});
  }
  return said;
}

Said TestRegistry::Ask(const std::string& party, const std::string& command, const nlohmann::json& data,
                       std::string id) {
  if (id.empty()) id = "test-" + std::to_string(next_id_++);
  const nlohmann::json envelope = {{"specversion", "1.0"},
                                   {"id", id},
                                   {"source", party},
                                   {"type", "registry.v1." + command},
                                   {"data", data}};
  ingest::InboundMessage message;
  message.topic = "registry/v1/from/" + party + "/" + command;
  message.payload = envelope.dump();
  return AskRaw(message);
}

Said TestRegistry::AskRaw(const ingest::InboundMessage& message) {
  auto last = ledger_->OutboxLast(ledger::Sink::kMqtt);
  REG_CHECK(last.ok());
  ledger::Seq after = *last;
  pipeline_->Receive(message);
  const auto deadline = std::chrono::steady_clock::now() + kReplyDeadline;
  // What goes aside wakes no outbox.
  const auto* row = ingest::FindCommand(message.topic.substr(message.topic.rfind('/') + 1));
  const std::chrono::milliseconds wait(row != nullptr && row->way == ingest::Way::kReads ? 1 : 200);
  while (std::chrono::steady_clock::now() < deadline) {
    for (Said& said : TakeAside()) return said;
    for (Said& said : ReadAfter(&after, wait)) {
      const std::string type = said.envelope.at("type");
      if (type.starts_with(wire::EventType(""))) continue;  // "transfer.rejected" is one
      if (type.ends_with(".accepted") || type.ends_with(".rejected")) return said;
    }
  }
  std::fprintf(stderr, "no reply to %s\n", message.topic.c_str());
  std::abort();
}

std::vector<Said> TestRegistry::Heard(const std::string& prefix) {
  std::vector<Said> matching;
  for (Said& said : ReadAfter(&heard_[prefix], std::chrono::milliseconds(0))) {
    if (said.topic.starts_with(prefix)) matching.push_back(std::move(said));
  }
  return matching;
}

void TestRegistry::ServeZone() {
  auto state = ledger_->LoadSink(ledger::Sink::kZone);
  REG_CHECK(state.ok());
  auto entries =
      ledger_->OutboxAfter(ledger::Sink::kZone, state->cursor, 10000, std::chrono::milliseconds(0));
  REG_CHECK(entries.ok());
  std::vector<domain::ZoneChange> changes;
  for (const auto& entry : *entries) {
    changes.push_back(std::get<domain::ZoneChange>(entry.item));
    state->cursor = entry.seq;
  }
  REG_CHECK(pipeline_->Visible(changes) || changes.empty());
  REG_CHECK(ledger_->Advance(ledger::Sink::kZone, *state, false).ok());
}

void TestRegistry::RunDueJobs(std::chrono::seconds later) {
  clock_.Advance(later);
  const auto deadline = std::chrono::steady_clock::now() + kReplyDeadline;
  while (std::chrono::steady_clock::now() < deadline) {
    auto due = ledger_->JobsDue(clock_.Now(), 1);
    REG_CHECK(due.ok());
    if (due->empty()) return;
    std::this_thread::yield();
  }
  std::fprintf(stderr, "jobs stay due\n");
  std::abort();
}

void TestRegistry::Sweep(std::chrono::seconds later) {
  RunDueJobs(later);
  // Of two rounds that end from now on, one has begun from now on.
  const auto deadline = std::chrono::steady_clock::now() + kReplyDeadline;
  const std::uint64_t until = pipeline_->renewal_rounds() + 2;
  while (pipeline_->renewal_rounds() < until && std::chrono::steady_clock::now() < deadline) {
    pipeline_->LookForRenewals();
    std::this_thread::yield();
  }
  REG_CHECK(pipeline_->renewal_rounds() >= until);
  RunDueJobs(std::chrono::seconds(0));
}

domain::Device TestRegistry::Device(const std::string& id) const {
  auto device = ledger_->LoadDevice(*DeviceId::Parse(id));
  REG_CHECK(device.ok() && device->has_value());
  return **device;
}

TestRegistry::Registered TestRegistry::Register(const std::string& mno) {
  const std::uint64_t number = next_esim_++;
  const Said said = Ask(mno, "esim.register", {{"eid", EidOf(number)}, {"iccid", IccidOf(number)}});
  if (!said.accepted()) std::fprintf(stderr, "%s\n", said.payload.c_str());
  REG_CHECK(said.accepted());
  return {said.data().at("device"), said.data().at("authorisationCode")};
}

void TestRegistry::PublishEndpoint(const std::string& asp, const std::string& name) {
  const nlohmann::json endpoint = {
      {"name", name},
      {"fqdn", "mqtt." + asp + ".test"},
      {"url", "tls://mqtt." + asp + ".test:8883"},
      {"port", 8883},
      {"protocol", "tls"},
      {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt." + asp + ".test"}}}};
  const Said said = Ask(asp, "endpoint.publish", {{"endpoint", endpoint}});
  if (!said.accepted()) std::fprintf(stderr, "%s\n", said.payload.c_str());
  REG_CHECK(said.accepted());
}

std::string TestRegistry::Activate(const std::string& mno, const std::string& asp) {
  PublishEndpoint(asp);
  const Registered device = Register(mno);
  const std::string actions = "registry/v1/to/" + mno + "/do/";
  REG_CHECK(Ask(asp, "device.claim",
                {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", "main"}})
                .accepted());
  REG_CHECK(Ask(mno, "device.attach", {{"device", device.device}}).accepted());
  REG_CHECK(Ask(mno, "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}}).accepted());
  ServeZone();
  const auto pushes = Heard(actions + "payload.push");
  REG_CHECK(!pushes.empty());
  REG_CHECK(Ask(mno, "do.result",
                {{"job", pushes.back().data().at("job")}, {"device", device.device}, {"outcome", "success"}})
                .accepted());
  return device.device;
}

}  // namespace registry::test
