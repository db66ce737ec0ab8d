#include "bridge/console/reads.h"

#include <algorithm>
#include <charconv>

#include "bridge/console/describe.h"
#include "bridge/console/json_answer.h"
#include "workers/lifecycle/explain.h"
#include "workers/lifecycle/reads.h"
#include "workers/lifecycle/renewal_told.h"

namespace registry::console {
namespace {

// "12345:ID" behind a device of a group by expiry, "ID" else.
std::optional<domain::DevicePosition> PositionOf(const std::string& text) {
  domain::DevicePosition position;
  const std::size_t colon = text.find(':');
  if (colon != std::string::npos) {
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + colon, position.expires.micros);
    if (wrong != std::errc() || end != text.data() + colon) return std::nullopt;
  }
  const auto id = DeviceId::Parse(colon == std::string::npos ? text : text.substr(colon + 1));
  if (!id) return std::nullopt;
  position.device = *id;
  return position;
}

std::string TextOf(const domain::DevicePosition& position) {
  const std::string id = position.device.text();
  return position.expires == UtcTime{} ? id : std::to_string(position.expires.micros) + ":" + id;
}

// What a list is narrowed to; `fault` says which value is none.
struct Narrowed {
  std::optional<domain::State> state;
  std::optional<PartyId> party;
  std::optional<UtcTime> before;
  std::optional<domain::DevicePosition> after;
  std::string fault;
};

template <class Value, class Parse>
void Take(const Reads::Query& query, const char* name, std::optional<Value>& to, std::string& fault,
          Parse parse) {
  const std::string text = query(name);
  if (text.empty()) return;
  to = parse(text);
  if (!to && fault.empty()) fault = std::string(name) + ": '" + text + "' is none";
}

Narrowed NarrowedBy(const Reads::Query& query) {
  Narrowed narrowed;
  Take(query, "state", narrowed.state, narrowed.fault, domain::StateOf);
  Take(query, "party", narrowed.party, narrowed.fault, PartyId::Parse);
  Take(query, "before", narrowed.before, narrowed.fault, FromRfc3339);
  Take(query, "after", narrowed.after, narrowed.fault, PositionOf);
  return narrowed;
}

domain::DeviceGroup GroupOf(const Narrowed& narrowed) {
  if (narrowed.before) return domain::DeviceGroup::ByExpiry(narrowed.party);
  if (narrowed.state) return domain::DeviceGroup::In(*narrowed.state, narrowed.party);
  return domain::DeviceGroup::Of(narrowed.party);
}

// One page of devices of a group, and where the next one begins; null behind the last.
struct Walked {
  Json rows = Json::array();
  Json next;
};

// `form`: a row, or null for a device that is left out.
template <class Form>
Result<Walked> Walk(const ledger::LedgerReader& ledger, const domain::DeviceGroup& group,
                    const Narrowed& narrowed, Form form) {
  Walked walked;
  auto after = narrowed.after;
  for (std::size_t looked = 0; looked < kLookedAtMax;) {
    const auto page = ledger.DevicesIn(group, after, narrowed.before, kPageMax);
    if (!page) return page.error();
    for (const domain::DeviceBrief& device : *page) {
      after = domain::PositionIn(group.kind, device);
      ++looked;
      Json row = form(device);
      if (row.is_null()) continue;
      walked.rows.push_back(std::move(row));
      if (walked.rows.size() == kPageMax) break;
    }
    if (page->size() < kPageMax) return walked;
    if (walked.rows.size() == kPageMax) break;
  }
  walked.next = TextOf(*after);
  return walked;
}

std::vector<domain::Order> NewestFirst(std::vector<domain::Order> orders) {
  std::sort(orders.begin(), orders.end(), [](const domain::Order& one, const domain::Order& other) {
    return std::tie(other.created, other.id) < std::tie(one.created, one.id);
  });
  return orders;
}

Json WaitsAsJson(const std::vector<wire::DeviceWait>& waits) {
  Json rows = Json::array();
  for (const wire::DeviceWait& wait : waits) {
    rows.push_back({{"what", wait.what},
                    {"who", wait.who.text()},
                    {"attempt", wait.attempt},
                    {"attempts", wait.attempts},
                    {"due", Time(wait.due)},
                    {"givenUp", wait.given_up ? Time(*wait.given_up) : Json()}});
  }
  return rows;
}

}  // namespace

Answer Reads::Get(std::string_view what, const Query& query) const {
  if (what == "devices") return Devices(query);
  if (what == "device") return Device(query);
  if (what == "orders") return Orders();
  if (what == "order") return Order(query);
  if (what == "transfers") return Transfers(query);
  return Refused(404, "nothing is there");
}

Answer Reads::Devices(const Query& query) const {
  const Narrowed narrowed = NarrowedBy(query);
  if (!narrowed.fault.empty()) return Refused(400, narrowed.fault);
  const auto walked = Walk(ledger_, GroupOf(narrowed), narrowed, [&](const domain::DeviceBrief& device) {
    return narrowed.state && device.state != *narrowed.state ? Json() : OfBrief(device);
  });
  if (!walked) return Failed(walked.error());
  return Said({{"devices", walked->rows}, {"next", walked->next}});
}

Answer Reads::Device(const Query& query) const {
  // A bare id, or the device's name, of which it is the first label.
  const std::string text = query("id");
  const auto id = DeviceId::Parse(text.substr(0, text.find('.')));
  if (!id) return Refused(400, "id: '" + text + "' is neither a device id nor a device name");
  const auto device = ledger_.LoadDevice(*id);
  if (!device) return Failed(device.error());
  if (!*device) return Refused(404, "there is no device " + id->text());
  const auto jobs = ledger_.JobsOf(*id);
  if (!jobs) return Failed(jobs.error());
  const auto history = ledger_.HistoryOf(*id);
  if (!history) return Failed(history.error());
  const domain::Policy policy = options_.policy();
  const auto waits = lifecycle::WaitsOf(*jobs, policy);
  Json out = OfDevice(**device, options_.reveal);
  out["says"] = lifecycle::Explain(**device, waits, clock_.Now());
  out["waits"] = WaitsAsJson(waits);
  const auto renews = lifecycle::RenewsAt(**device, policy.certificate, policy.renewal);
  out["renewsAt"] = renews ? Time(*renews) : Json();
  out["historyLeftOut"] = history->size() > kHistoryMax ? history->size() - kHistoryMax : 0;
  out["history"] = Json::array();
  for (std::size_t i = out["historyLeftOut"]; i < history->size(); ++i) {
    const domain::HistoryEntry& entry = (*history)[i].entry;
    out["history"].push_back({{"seq", (*history)[i].seq},
                              {"at", Time(entry.at)},
                              {"actor", entry.actor.text()},
                              {"what", entry.what}});
  }
  return Said(out);
}

Answer Reads::Orders() const {
  auto orders = ledger_.OrdersOf(std::nullopt);
  if (!orders) return Failed(orders.error());
  Json rows = Json::array();
  const std::size_t all = orders->size();
  for (const domain::Order& order : NewestFirst(std::move(*orders))) {
    if (rows.size() == kPageMax) break;
    rows.push_back(OfOrder(order));
  }
  return Said({{"orders", rows}, {"all", all}});
}

Answer Reads::Order(const Query& query) const {
  const std::string text = query("id"), wanted = query("outcome"), behind = query("after");
  const auto id = OrderId::Parse(text);
  const auto outcome = domain::ItemOutcomeOf(wanted);
  std::uint64_t after = 0;
  const auto read = std::from_chars(behind.data(), behind.data() + behind.size(), after);
  if (!id) return Refused(400, "id: '" + text + "' is not the id of an order");
  if (!wanted.empty() && !outcome) return Refused(400, "outcome: '" + wanted + "' is none");
  if (!behind.empty() && read.ec != std::errc()) return Refused(400, "after: '" + behind + "' is no number");
  const auto order = ledger_.LoadOrder(*id);
  if (!order) return Failed(order.error());
  if (!*order) return Refused(404, "there is no order " + id->text());
  const auto items = ledger_.OrderItemsAfter(*id, after, outcome ? kLookedAtMax : kPageMax);
  if (!items) return Failed(items.error());
  Json rows = Json::array();
  for (const domain::OrderItem& item : *items) {
    if (rows.size() == kPageMax) break;
    after = item.number;
    if (outcome && item.outcome != *outcome) continue;
    rows.push_back({{"number", item.number},
                    {"device", item.device.text()},
                    {"outcome", domain::ItemOutcomeName(item.outcome)},
                    {"symbol", item.symbol},
                    {"at", Time(item.at)}});
  }
  Json out = OfOrder(**order);
  out["items"] = std::move(rows);
  out["next"] = after < (*order)->counts.all() && !items->empty() ? Json(std::to_string(after)) : Json();
  return Said(out);
}

Answer Reads::Transfers(const Query& query) const {
  const Narrowed narrowed = NarrowedBy(query);
  if (!narrowed.fault.empty()) return Refused(400, narrowed.fault);
  const std::string open = query("open");
  if (!open.empty() && open != "true" && open != "false") return Refused(400, "open is true or false");
  const bool open_only = open == "true";
  const auto group = domain::DeviceGroup::Transferred(narrowed.party);
  Narrowed here;
  here.after = narrowed.after;
  std::optional<Error> failed;
  const auto walked = Walk(ledger_, group, here, [&](const domain::DeviceBrief& brief) {
    const auto device = ledger_.LoadDevice(brief.id);
    if (!device) failed = device.error();
    if (!device || !*device || !(*device)->transfer) return Json();
    return open_only && !(*device)->transfer->open() ? Json() : OfTransfer(*(*device)->transfer);
  });
  if (!walked || failed) return Failed(failed ? *failed : walked.error());
  return Said({{"transfers", walked->rows}, {"next", walked->next}});
}

}  // namespace registry::console
