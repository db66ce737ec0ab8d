// Recomputes what must hold (FORMAT.md, "Invariants") through the port, so that it judges every backend alike.
#include <set>
#include <unordered_map>

#include "bridge/ledger/outbox_tail.h"
#include "bridge/ledger/record_codec.h"
#include "workers/domain/invariants.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kFaultsMax = 1000;  // a ruined ledger need not fill the memory with complaints
constexpr UtcTime kEndOfTime{INT64_MAX};

using domain::Device;
using domain::State;

// Of a device's places in any order, each with what it says: how many, and the sum of what they hash to. A place that
// is wrong in one of a million devices shows, and a million places need not be kept in memory.
struct PlaceSum {
  std::uint64_t count = 0, sum = 0;
  void Add(const domain::DevicePlace& place, const std::string& brief) {
    const auto& group = place.group;
    std::string text = std::to_string(static_cast<int>(group.kind)) + ' ';
    text += (group.party ? group.party->text() : "") + ' ' + (group.endpoint ? group.endpoint->text() : "");
    text += ' ' + std::to_string(group.state ? static_cast<int>(*group.state) : 0);
    text += ' ' + std::to_string(place.position.expires.micros) + ' ' + brief;
    sum += std::hash<std::string>{}(text);
    ++count;
  }
  bool operator==(const PlaceSum&) const = default;
};

class Verifier {
 public:
  explicit Verifier(const LedgerReader& reader) : reader_(reader) {}

  VerifyReport Run() {
    CheckHistory();
    CountPlaces();
    CheckDevices();
    CheckZone();
    CheckOutboxes();
    CheckEndpoints();
    CheckFeeds();
    CheckJobs();
    if (CheckEvents()) CheckDayMarks();
    CheckDeadLetters();
    CheckOrders();
    return std::move(report_);
  }

 private:
  void CheckHistory();
  void CheckDevices();
  void CountPlaces();
  bool PlacesAreItsOwn(const Device& device);
  void CheckDevice(const Device& device);
  bool HistoryIsTheChains(const DeviceId& id);
  void CheckProfile(const Device& device, const domain::Profile& profile);
  void CheckCredential(const Device& device, const domain::Credential& credential);
  void CheckHolds(const Device& device, domain::UniqueKind kind, const Bytes& value, std::string_view what);
  void CheckZone();
  void CheckZoneChange(const domain::ZoneChange& change);
  void CheckOutboxes();
  void CheckFeeds();
  void CheckFeed(const PartyId& party);
  void CheckJobs();
  void CheckJobs(const std::optional<std::vector<domain::Job>>& jobs);
  void CheckEndpoints();
  bool CheckEvents();
  void CheckDayMarks();
  void CheckDayMark(const domain::DayMark& marked);
  void CheckDeadLetters();
  void CheckOrders();
  void CheckOrder(const domain::Order& order);

  void Fault(std::string fault) {
    if (report_.faults.size() < kFaultsMax) report_.faults.push_back(std::move(fault));
  }
  void Add(const domain::Faults& faults) {
    for (const std::string& fault : faults) Fault(fault);
  }
  void Fault(const Device& device, std::string_view fault) {
    Fault("device " + device.id.text() + ": " + std::string(fault));
  }
  // The value, or nullopt and a fault that says what could not be read.
  template <class T>
  std::optional<T> Read(std::string_view what, Result<T> result) {
    if (result) return std::move(*result);
    Fault(std::string(what) + ": " + result.error().message);
    return std::nullopt;
  }

  const LedgerReader& reader_;
  VerifyReport report_;
  std::unordered_map<DeviceId, std::uint64_t> history_of_;
  std::unordered_map<DeviceId, PlaceSum> places_of_;
  std::set<PartyId> parties_;
  std::set<DeviceId> in_zone_wanted_;  // devices that must have a TLSA record
  std::set<Bytes> revoked_;
  std::uint64_t marks_ = 0, day_marks_ = 0;
};

void Verifier::CheckHistory() {
  Bytes previous;
  for (Seq seq = 0;;) {
    const auto page = Read("history", reader_.HistoryAfter(seq, kPage));
    if (!page || page->empty()) return;
    for (const auto& record : *page) {
      if (record.seq != ++seq) return Fault("history: number " + std::to_string(seq) + " is missing");
      const Bytes hash = ChainHash(previous, Encode(record.entry));
      if (hash != record.hash) return Fault("history: the hash chain breaks at " + std::to_string(seq));
      previous = hash;
      ++report_.history_entries;
      ++history_of_[record.entry.device];
    }
  }
}

void Verifier::CountPlaces() {
  std::optional<domain::DevicePlace> after;
  for (;;) {
    const auto page = reader_.PlacesAfter(after, kPage);
    if (!page && page.error().symbol == kLedgerUnindexed) {
      report_.indexed = false;
      return;
    }
    if (!page) return Fault("index of devices: " + page.error().message);
    if (page->empty()) return;
    for (const auto& [place, brief] : *page) places_of_[place.position.device].Add(place, Encode(brief));
    after = page->back().first;
  }
}

// What is left in places_of_ in the end belongs to no device.
bool Verifier::PlacesAreItsOwn(const Device& device) {
  PlaceSum own;
  const std::string brief = Encode(domain::BriefOf(device));
  for (const auto& place : domain::PlacesOf(device)) own.Add(place, brief);
  const auto kept = places_of_.extract(device.id);
  return !report_.indexed || own == (kept.empty() ? PlaceSum{} : kept.mapped());
}

void Verifier::CheckDevices() {
  if (auto revocations = Read("revocations", reader_.Revocations())) {
    for (auto& revocation : *revocations) revoked_.insert(std::move(revocation.serial));
  }
  std::optional<DeviceId> after;
  for (;;) {
    const auto page = Read("devices", reader_.DevicesAfter(after, kPage));
    if (!page) return;  // how many are gone cannot be said
    if (page->empty()) break;
    for (const Device& device : *page) CheckDevice(device);
    report_.devices += page->size();
    after = page->back().id;
  }
  // RFC 9562 §5.9: under the nil UUID stands what concerns no single device, which has no record.
  if (!HistoryIsTheChains(DeviceId())) Fault("history: what concerns no device is not what the chain holds");
  for (const auto& [id, places] : places_of_) {
    Fault("device " + id.text() + ": has " + std::to_string(places.count) +
          " places in the index and no record");
  }
  // A device is never removed, only marked as deleted: whoever has a history has a record.
  for (const auto& [id, entries] : history_of_) {
    Fault("device " + id.text() + ": has " + std::to_string(entries) + " history entries and no record");
  }
}

void Verifier::CheckDevice(const Device& device) {
  for (const auto& profile : device.profiles) parties_.insert(profile.mno);
  for (const auto& binding : device.bindings) parties_.insert(binding.asp);
  if (device.transfer) parties_.insert({device.transfer->from, device.transfer->to});
  if (device.version == 0) Fault(device, "has no version");
  Add(domain::FaultsOf(device));
  if (const auto jobs = Read("jobs", reader_.JobsOf(device.id))) Add(domain::FaultsInJobs(device, *jobs));
  if (device.state != State::kDeleted) {
    CheckHolds(device, domain::UniqueKind::kEid, AsBytes(device.eid.text()), "EID");
    for (const auto& profile : device.profiles) CheckProfile(device, profile);
  }
  if (device.transfer)
    CheckHolds(device, domain::UniqueKind::kTransfer, AsBytes(device.transfer->id.text()), "transfer's id");
  for (const auto& credential : device.credentials) CheckCredential(device, credential);
  if (!domain::FaultsInZone(device, std::nullopt).empty()) in_zone_wanted_.insert(device.id);
  if (!PlacesAreItsOwn(device))
    Fault(
        device,
        "the index has it elsewhere or says something else of it (registryctl ledger reindex makes it anew)");
  if (!HistoryIsTheChains(device.id)) Fault(device, "its history is not the one in the chain");
}

// A history that cannot be read has been said by Read. What is left in history_of_ in the end belongs to no device.
bool Verifier::HistoryIsTheChains(const DeviceId& id) {
  const auto history = Read("history of " + id.text(), reader_.HistoryOf(id));
  const auto chained = history_of_.extract(id);
  return !history || history->size() == (chained.empty() ? 0 : chained.mapped());
}

void Verifier::CheckHolds(const Device& device, domain::UniqueKind kind, const Bytes& value,
                          std::string_view what) {
  const auto holder = Read("unique values", reader_.FindUnique({kind, value}));
  if (holder && *holder != device.id) Fault(device, "does not hold its " + std::string(what));
}

void Verifier::CheckProfile(const Device& device, const domain::Profile& profile) {
  if (profile.state == domain::ProfileState::kDeleted) return;
  CheckHolds(device, domain::UniqueKind::kIccid, AsBytes(profile.iccid.text()), "ICCID");
}

void Verifier::CheckCredential(const Device& device, const domain::Credential& credential) {
  const domain::IssuedCertificate& certificate = credential.certificate;
  if (revoked_.contains(certificate.serial))
    Fault(device, "its " + std::string(domain::PhaseName(credential.phase)) + " certificate is revoked");
  // A serial or a key in two devices' hands would show here: only one of them can hold it.
  CheckHolds(device, domain::UniqueKind::kSerial, certificate.serial, "serial number");
  CheckHolds(device, domain::UniqueKind::kPublicKey, certificate.spki_sha256, "public key");
}

void Verifier::CheckZone() {
  std::optional<DeviceId> after;
  for (;;) {
    const auto page = Read("zone", reader_.ZoneAfter(after, kPage));
    if (!page || page->empty()) break;
    for (const auto& change : *page) CheckZoneChange(change);
    after = page->back().device;
  }
  for (const DeviceId& missing : in_zone_wanted_)
    Fault("device " + missing.text() + ": has a live certificate without TLSA");
}

void Verifier::CheckZoneChange(const domain::ZoneChange& change) {
  in_zone_wanted_.erase(change.device);
  const auto device = Read("zone", reader_.LoadDevice(change.device));
  if (!device) return;
  if (!*device) return Fault("zone: " + change.device.text() + " is no device");
  Add(domain::FaultsInZone(**device, change));
}

void Verifier::CheckOutboxes() {
  for (const Sink sink : kAllSinks) {
    const std::string name = "outbox " + std::to_string(static_cast<int>(sink));
    const auto state = Read(name, reader_.LoadSink(sink));
    const auto last = Read(name, reader_.OutboxLast(sink));
    if (!state || !last) continue;
    if (state->cursor > *last) Fault(name + ": the cursor is behind the last entry");
    for (Seq seq = state->cursor;;) {
      const auto page = Read(name, reader_.OutboxAfter(sink, seq, kPage, std::chrono::milliseconds(0)));
      if (!page) break;
      if (page->empty()) {
        if (seq != *last) Fault(name + ": entries after " + std::to_string(seq) + " are missing");
        break;
      }
      seq = page->back().seq;
    }
  }
}

void Verifier::CheckFeeds() {
  for (const PartyId& party : parties_) CheckFeed(party);
}

void Verifier::CheckFeed(const PartyId& party) {
  const std::string name = "feed of " + party.text();
  const auto state = Read(name, reader_.LoadFeed(party));
  if (!state) return;
  if (state->acked > state->last) Fault(name + ": more is acknowledged than was sent");
  for (Seq next = state->acked + 1; next <= state->last;) {
    const auto page = Read(name, reader_.FeedFrom(party, next, kPage));
    if (!page) return;
    if (page->empty()) return Fault(name + ": number " + std::to_string(next) + " is missing");
    for (const FeedItem& item : *page) {
      if (item.seq != next++) return Fault(name + ": number " + std::to_string(next - 1) + " is missing");
      if (item.notification.to != party) return Fault(name + ": holds a notification to somebody else");
    }
  }
}

void Verifier::CheckJobs() {
  CheckJobs(Read("jobs", reader_.JobsDue(kEndOfTime, ~std::size_t{0})));
  const auto loads = Read("jobs", reader_.JobLoads());
  if (!loads) return;
  for (const auto& [mno, load] : *loads) CheckJobs(Read("jobs", reader_.JobsUnsent(mno, load.unsent)));
}

void Verifier::CheckJobs(const std::optional<std::vector<domain::Job>>& jobs) {
  if (!jobs) return;
  for (const auto& job : *jobs) {
    const auto device = Read("jobs", reader_.LoadDevice(job.device()));
    if (device && !*device) Fault("job " + job.id.text() + ": its device does not exist");
  }
}

void Verifier::CheckEndpoints() {
  std::optional<LedgerReader::EndpointKey> after;
  for (;;) {
    const auto page = Read("endpoints", reader_.EndpointsAfter(after, kPage));
    if (!page || page->empty()) return;
    for (const auto& record : *page) {
      parties_.insert(record.asp);
      if (record.version == 0)
        Fault("endpoint " + record.endpoint.name.text() + " of " + record.asp.text() + ": has no version");
    }
    LedgerReader::EndpointKey last{page->back().asp, page->back().endpoint.name};
    // A record under another's key would not be found, and reading on behind it would not end.
    if (after && last <= *after) return Fault("endpoints: one stands under another's key");
    after = std::move(last);
  }
}

// False when not all of them could be read, which was said.
bool Verifier::CheckEvents() {
  std::optional<LedgerReader::EventKey> after;
  for (;;) {
    const auto page = Read("event marks", reader_.EventsAfter(after, kPage));
    if (!page) return false;
    if (page->empty()) return true;
    marks_ += page->size();
    LedgerReader::EventKey last(page->back().source, page->back().id);
    if (after && last <= *after) {
      Fault("event marks: one stands under another's key");
      return false;
    }
    after = std::move(last);
  }
}

// Each under one day, so that none is kept for ever, and none is forgotten before its time.
void Verifier::CheckDayMarks() {
  std::optional<domain::DayMark> after;
  for (;;) {
    const auto page = reader_.DayMarksAfter(after, kPage);
    if (!page && page.error().symbol == kLedgerUnindexed) return;
    if (!page) return Fault("days of event marks: " + page.error().message);
    if (page->empty()) break;
    for (const auto& marked : *page) CheckDayMark(marked);
    day_marks_ += page->size();
    after = page->back();
  }
  if (day_marks_ != marks_)
    Fault("event marks: " + std::to_string(marks_) + " are there, and " + std::to_string(day_marks_) +
          " are forgotten with a day (registryctl ledger reindex makes the days anew)");
}

void Verifier::CheckDayMark(const domain::DayMark& marked) {
  const std::string name = "event mark " + marked.id.text() + " of " + marked.source.text();
  const auto mark = Read(name, reader_.FindEvent(marked.source, marked.id));
  if (!mark) return;
  if (!*mark) return Fault(name + ": has a day and is not there");
  if (marked.day < domain::DayOf((*mark)->at)) Fault(name + ": is forgotten with a day before its own");
}

void Verifier::CheckDeadLetters() {
  for (Seq seq = 0;;) {
    const auto page = Read("dead letters", reader_.DeadLettersAfter(seq, kPage));
    if (!page || page->empty()) return;
    seq = page->back().first;
  }
}

void Verifier::CheckOrders() {
  const auto orders = Read("orders", reader_.OrdersOf(std::nullopt));
  if (!orders) return;
  for (const auto& order : *orders) CheckOrder(order);
}

// The counts are those of the items, so no device was counted without its outcome, or twice.
void Verifier::CheckOrder(const domain::Order& order) {
  const std::string name = "order " + order.id.text();
  domain::OrderCounts counts;
  std::optional<DeviceId> last;
  for (;;) {
    const auto page = Read(name, reader_.OrderItemsAfter(order.id, counts.all(), kPage));
    if (!page) return;
    if (page->empty()) break;
    for (const auto& item : *page) {
      counts.Add(item.outcome);
      if (item.number != counts.all())
        return Fault(name + ": item " + std::to_string(counts.all()) + " is missing");
      last = item.device;
    }
  }
  if (counts != order.counts) Fault(name + ": its counts are not those of its items");
  if (last != (order.cursor ? std::optional(order.cursor->device) : std::nullopt))
    Fault(name + ": its cursor is not at its last item");
  if (order.version == 0) Fault(name + ": has no version");
}

}  // namespace

Result<VerifyReport> Verify(const LedgerReader& reader) { return Verifier(reader).Run(); }

}  // namespace registry::ledger
