// Recomputes what must hold (FORMAT.md, "Invariants") through the port, so that it judges every backend alike.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "bridge/ledger/device_sums.h"
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

std::string NameOf(const domain::DayMark& marked) {
  return "event mark " + marked.id.text() + " of " + marked.source.text();
}

class Verifier {
 public:
  explicit Verifier(const LedgerReader& reader) : reader_(reader) {}

  VerifyReport Run() {
    CheckHistory();
    CountHistoryPlaces();
    CountPlaces();
    TakeJobs();
    CheckDevices();
    CheckOutboxes();
    CheckEndpoints();
    CheckFeeds();
    if (CheckEvents()) CheckDayMarks();
    CheckDeadLetters();
    CheckOrders();
    return std::move(report_);
  }

 private:
  void CheckHistory();
  void CountHistoryPlaces();
  void CheckDevices();
  void CheckLeftOver();
  void CountPlaces();
  bool PlacesAreItsOwn(const Device& device);
  void CheckDevice(const Device& device);
  void CheckHistoryOf(const Device& device);
  void CheckProfile(const Device& device, const domain::Profile& profile);
  void CheckCredential(const Device& device, const domain::Credential& credential);
  void MustHold(const Device& device, domain::UniqueKind kind, const Bytes& value, std::string_view what);
  void CheckHeld();
  const domain::ZoneChange* InZone();
  void CheckZoneOf(const Device& device);
  void CheckOutboxes();
  void CheckFeeds();
  void CheckFeed(const PartyId& party);
  void TakeJobs();
  void TakeJobs(std::optional<std::vector<domain::Job>> jobs);
  void CheckEndpoints();
  bool CheckEvents();
  void CheckDayMarks();
  void CheckDayMarks(const std::vector<domain::DayMark>& marked);
  void CheckDayMark(const domain::DayMark& marked, const std::optional<domain::EventMark>& mark);
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
  std::unordered_map<DeviceId, HistorySum> history_of_;
  bool history_is_found_ = true;  // false: what is a device's own could not be read, which was said
  std::unordered_map<DeviceId, PlaceSum> places_of_;
  std::set<PartyId> parties_;
  std::unordered_map<DeviceId, std::vector<domain::Job>> jobs_of_;
  bool jobs_are_read_ = true;
  std::set<Bytes> revoked_;
  // What the devices of a page must hold: a server is asked for all of it in one round trip.
  struct Held {
    DeviceId device;
    std::string what;
  };
  std::vector<domain::UniqueValue> values_;
  std::vector<Held> held_;  // each of values_
  // The zone is read beside the devices, whose order it has.
  std::vector<domain::ZoneChange> zone_;
  std::size_t zone_at_ = 0;
  bool zone_ends_ = false, zone_is_read_ = true;
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
      history_of_[record.entry.device].AddChained(seq);
    }
  }
}

void Verifier::CountHistoryPlaces() {
  std::optional<LedgerReader::HistoryPlace> after;
  for (;;) {
    const auto page = Read("history of devices", reader_.HistoryPlacesAfter(after, kPage));
    if (!page) history_is_found_ = false;
    if (!page || page->empty()) return;
    for (const auto& [device, seq] : *page) history_of_[device].AddFound(seq);
    after = page->back();
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
    CheckHeld();
    report_.devices += page->size();
    after = page->back().id;
  }
  CheckLeftOver();
}

// What belongs to no device.
void Verifier::CheckLeftOver() {
  // RFC 9562 §5.9: under the nil UUID stands what concerns no single device, which has no record.
  const auto nobodys = history_of_.extract(DeviceId());
  if (history_is_found_ && !nobodys.empty() && !nobodys.mapped().IsTheChains())
    Fault("history: what concerns no device is not what the chain holds");
  for (const auto& [id, places] : places_of_) {
    Fault("device " + id.text() + ": has " + std::to_string(places.count) +
          " places in the index and no record");
  }
  // A device is never removed, only marked as deleted: whoever has a history has a record.
  for (const auto& [id, entries] : history_of_) {
    Fault("device " + id.text() + ": has " + std::to_string(std::max(entries.chained, entries.found)) +
          " history entries and no record");
  }
  for (const auto& [id, jobs] : jobs_of_) {
    for (const auto& job : jobs) Fault("job " + job.id.text() + ": its device does not exist");
  }
  for (const auto* change = InZone(); change != nullptr; change = InZone()) {
    Fault("zone: " + change->device.text() + " is no device");
    ++zone_at_;
  }
}

void Verifier::CheckDevice(const Device& device) {
  for (const auto& profile : device.profiles) parties_.insert(profile.mno);
  for (const auto& binding : device.bindings) parties_.insert(binding.asp);
  if (device.transfer) parties_.insert({device.transfer->from, device.transfer->to});
  if (device.version == 0) Fault(device, "has no version");
  Add(domain::FaultsOf(device));
  const auto jobs = jobs_of_.extract(device.id);
  if (jobs_are_read_)
    Add(domain::FaultsInJobs(device, jobs.empty() ? std::vector<domain::Job>{} : jobs.mapped()));
  if (device.state != State::kDeleted) {
    MustHold(device, domain::UniqueKind::kEid, AsBytes(device.eid.text()), "EID");
    for (const auto& profile : device.profiles) CheckProfile(device, profile);
  }
  if (device.transfer)
    MustHold(device, domain::UniqueKind::kTransfer, AsBytes(device.transfer->id.text()), "transfer's id");
  for (const auto& credential : device.credentials) CheckCredential(device, credential);
  CheckZoneOf(device);
  if (!PlacesAreItsOwn(device))
    Fault(
        device,
        "the index has it elsewhere or says something else of it (registryctl ledger reindex makes it anew)");
  CheckHistoryOf(device);
}

// What is left in history_of_ in the end belongs to no device.
void Verifier::CheckHistoryOf(const Device& device) {
  const auto entries = history_of_.extract(device.id);
  if (history_is_found_ && !entries.empty() && !entries.mapped().IsTheChains())
    Fault(device, "its history is not the one in the chain");
}

void Verifier::MustHold(const Device& device, domain::UniqueKind kind, const Bytes& value,
                        std::string_view what) {
  values_.push_back({kind, value});
  held_.push_back({device.id, std::string(what)});
}

// Where one of them cannot be read, each is asked for by itself, so that the others are judged.
void Verifier::CheckHeld() {
  const auto holders = reader_.FindUniques(values_);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const auto holder =
        holders ? std::optional((*holders)[i]) : Read("unique values", reader_.FindUnique(values_[i]));
    if (holder && *holder != held_[i].device)
      Fault("device " + held_[i].device.text() + ": does not hold its " + held_[i].what);
  }
  values_.clear();
  held_.clear();
}

void Verifier::CheckProfile(const Device& device, const domain::Profile& profile) {
  if (profile.state == domain::ProfileState::kDeleted) return;
  MustHold(device, domain::UniqueKind::kIccid, AsBytes(profile.iccid.text()), "ICCID");
}

void Verifier::CheckCredential(const Device& device, const domain::Credential& credential) {
  const domain::IssuedCertificate& certificate = credential.certificate;
  if (revoked_.contains(certificate.serial))
    Fault(device, "its " + std::string(domain::PhaseName(credential.phase)) + " certificate is revoked");
  // A serial or a key in two devices' hands would show here: only one of them can hold it.
  MustHold(device, domain::UniqueKind::kSerial, certificate.serial, "serial number");
  MustHold(device, domain::UniqueKind::kPublicKey, certificate.spki_sha256, "public key");
}

// Nothing behind the end, and behind what cannot be read.
const domain::ZoneChange* Verifier::InZone() {
  if (zone_at_ == zone_.size() && !zone_ends_) {
    const auto after = zone_.empty() ? std::nullopt : std::optional(zone_.back().device);
    auto page = Read("zone", reader_.ZoneAfter(after, kPage));
    zone_is_read_ = page.has_value();
    zone_ends_ = !page || page->empty();
    // Reading on behind it would not end.
    if (!zone_ends_ && after && page->back().device <= *after) {
      Fault("zone: one stands under another's key");
      zone_is_read_ = false;
      zone_ends_ = true;
      page->clear();
    }
    zone_ = page ? std::move(*page) : std::vector<domain::ZoneChange>{};
    zone_at_ = 0;
  }
  return zone_at_ < zone_.size() ? &zone_[zone_at_] : nullptr;
}

void Verifier::CheckZoneOf(const Device& device) {
  const auto* change = InZone();
  for (; change != nullptr && change->device < device.id; change = InZone()) {
    Fault("zone: " + change->device.text() + " is no device");
    ++zone_at_;
  }
  if (change != nullptr && change->device == device.id) {
    Add(domain::FaultsInZone(device, *change));
    ++zone_at_;
  } else if (zone_is_read_ && !domain::FaultsInZone(device, std::nullopt).empty()) {
    Fault(device, "has a live certificate without TLSA");
  }
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

void Verifier::TakeJobs() {
  TakeJobs(Read("jobs", reader_.JobsDue(kEndOfTime, ~std::size_t{0})));
  const auto loads = Read("jobs", reader_.JobLoads());
  jobs_are_read_ = jobs_are_read_ && loads;
  if (!loads) return;
  for (const auto& [mno, load] : *loads) TakeJobs(Read("jobs", reader_.JobsUnsent(mno, load.unsent)));
}

// What is left in jobs_of_ in the end is of no device.
void Verifier::TakeJobs(std::optional<std::vector<domain::Job>> jobs) {
  jobs_are_read_ = jobs_are_read_ && jobs;
  if (!jobs) return;
  for (auto& job : *jobs) {
    auto& of_device = jobs_of_[job.device()];
    of_device.push_back(std::move(job));
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
    CheckDayMarks(*page);
    day_marks_ += page->size();
    after = page->back();
  }
  if (day_marks_ != marks_)
    Fault("event marks: " + std::to_string(marks_) + " are there, and " + std::to_string(day_marks_) +
          " are forgotten with a day (registryctl ledger reindex makes the days anew)");
}

void Verifier::CheckDayMarks(const std::vector<domain::DayMark>& marked) {
  std::vector<LedgerReader::EventKey> keys;
  keys.reserve(marked.size());
  for (const auto& one : marked) keys.emplace_back(one.source, one.id);
  const auto marks = reader_.FindEvents(keys);
  for (std::size_t i = 0; i < marked.size(); ++i) {
    const auto mark = marks ? std::optional((*marks)[i])
                            : Read(NameOf(marked[i]), reader_.FindEvent(marked[i].source, marked[i].id));
    if (mark) CheckDayMark(marked[i], *mark);
  }
}

void Verifier::CheckDayMark(const domain::DayMark& marked, const std::optional<domain::EventMark>& mark) {
  if (!mark) return Fault(NameOf(marked) + ": has a day and is not there");
  if (marked.day < domain::DayOf(mark->at))
    Fault(NameOf(marked) + ": is forgotten with a day before its own");
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
