#include "simulators/ota/platform.h"

#include <algorithm>

namespace registry::sim::ota {
namespace {

const Failure kUnreachable{"radio", "device_unreachable", true};
const Failure kBlocked{"radio", "card_counter_blocked", false};
const Failure kRefused{"radio", "card_keys_refused", false};

// Of a packet whose counter the card could not read, or would not: its proof says 0 for it.
bool IsUnread(const ResponsePacket& response) {
  switch (response.status) {
    case PacketStatus::kChecksumFailed:
    case PacketStatus::kCipheringError:
    case PacketStatus::kSecurityError:
    case PacketStatus::kTarUnknown:
    case PacketStatus::kSecurityTooLow:
      return response.counter == 0;
    default:
      return false;
  }
}

}  // namespace

const KeySet* Platform::KeysOf(const std::string& name) const {
  const auto found = cards_.find(name);
  return found == cards_.end() ? nullptr : &found->second.keys;
}

bool Platform::Deliver(const std::string& name, const std::string& job, Parcel parcel,
                       Clock::time_point now) {
  const auto found = cards_.find(name);
  if (found == cards_.end()) return false;
  Card& card = found->second;
  if (jobs_.contains(job)) return true;
  if (card.waiting.size() >= kWaitingMost) return false;
  jobs_[job] = name;
  card.waiting.push_back({job, Delivery(std::move(parcel), options_.limits)});
  if (card.waiting.size() == 1) SendNext(name, card, now);
  return true;
}

// False: it is neither under way nor waiting.
bool Platform::Drop(const std::string& job) {
  const auto of_card = jobs_.find(job);
  if (of_card == jobs_.end()) return false;
  const std::string name = of_card->second;
  jobs_.erase(of_card);
  Card& card = cards_.at(name);
  const bool under_way = card.waiting.front().job == job;
  card.waiting.remove_if([&](const Parcels& waits) { return waits.job == job; });
  if (!under_way) return true;
  card.parts.clear();
  SetTurn(name, card, card.waiting.empty() ? Clock::time_point::max() : Clock::time_point::min());
  return true;
}

std::optional<std::string> Platform::Cancel(const std::string& job) {
  const auto of_card = jobs_.find(job);
  if (of_card == jobs_.end()) return std::nullopt;
  const std::string name = of_card->second;
  const bool under_way = cards_.at(name).waiting.front().job == job;
  Drop(job);
  return under_way ? std::optional(name) : std::nullopt;
}

void Platform::Settle(const std::string& job, Clock::time_point now) {
  const auto of_card = jobs_.find(job);
  if (of_card == jobs_.end()) return;
  ended_.push_back({of_card->second, job, std::nullopt});
  Drop(job);
  Turn(now);
}

void Platform::SetTurn(const std::string& name, Card& card, Clock::time_point turn) {
  turns_.erase({card.turn, name});
  card.turn = turn;
  if (turn != Clock::time_point::max()) turns_.emplace(turn, name);
}

Platform::Clock::time_point Platform::NextTurn() const {
  return turns_.empty() ? Clock::time_point::max() : turns_.begin()->first;
}

std::vector<Platform::Ended> Platform::TakeEnded() { return std::exchange(ended_, {}); }

// What the card is to do next, or that it is over.
void Platform::SendNext(const std::string& name, Card& card, Clock::time_point now) {
  card.resyncs = 0;
  card.parts.clear();
  if (card.waiting.empty()) return SetTurn(name, card, Clock::time_point::max());
  Delivery& delivery = card.waiting.front().delivery;
  if (delivery.over()) return End(name, card, delivery.failure(), now);
  card.spi = options_.spi;
  if (options_.bearer == Bearer::kSms) card.commands = delivery.Next(options_.packet_octets_most);
  SendNew(name, card, now);
}

// The same commands under a new counter.
void Platform::SendNew(const std::string& name, Card& card, Clock::time_point now) {
  CommandPacket packet;
  packet.spi = card.spi;
  packet.counter = std::min(card.counter + 1, kCounterMax);
  packet.data = options_.bearer == Bearer::kSms ? WriteScript({ScriptForm::kDefinite, card.commands})
                                                : Bytes{0x81, 0x00};  // Amendment B: nothing but the wish
  const auto sealed = Seal(packet, card.keys);
  auto parts = sealed ? Parts(*sealed, PacketKind::kCommand, ++card.reference) : std::nullopt;
  if (!parts) return End(name, card, kRefused, now);
  card.counter = packet.counter;
  card.parts = std::move(*parts);
  card.sent = 0;
  card.low = false;
  ++figures_.packets;
  SendParts(name, card, now);
}

void Platform::SendParts(const std::string& name, Card& card, Clock::time_point now) {
  figures_.repeated += card.sent > 0;
  ++card.sent;
  for (const Bytes& part : card.parts) send_(name, part);
  // A card that is away needs time, and more copies of the same help nobody.
  SetTurn(name, card, now + options_.proof_within * (1 << std::min(card.sent - 1, 3)));
}

void Platform::Heard(const std::string& name, const Bytes& user_data, Clock::time_point now) {
  const auto found = cards_.find(name);
  if (found == cards_.end()) return;
  Card& card = found->second;
  Bytes octets;
  if (card.proof.Take(user_data, now, octets) != Reassembly::Verdict::kWhole) return;
  const auto response = OpenResponse(octets, card.spi, card.keys);
  // One for a packet of before has nothing to say any more.
  if (!response || card.parts.empty()) return;
  if (response->counter != card.counter && !IsUnread(*response)) return;
  Proved(name, card, *response, now);
}

void Platform::Proved(const std::string& name, Card& card, const ResponsePacket& response,
                      Clock::time_point now) {
  switch (response.status) {
    case PacketStatus::kOk:
      card.lows = 0;
      break;
    case PacketStatus::kCounterLow:
      if (!card.low) SetTurn(name, card, now + options_.low_grace);
      card.low = true;
      return;
    case PacketStatus::kCounterHigh:
      if (card.spi.counter == CounterRule::kHigher) return End(name, card, kRefused, now);
      card.spi.counter = CounterRule::kHigher;
      return SendNew(name, card, now);
    case PacketStatus::kMoreTime:
      return SetTurn(name, card, now + options_.proof_within);
    case PacketStatus::kNoMemory:
      if (options_.bearer == Bearer::kHttp) return End(name, card, kRefused, now);
      card.waiting.front().delivery.Answered({1, {{0x6a, 0x84}}, false});
      return SendNext(name, card, now);
    case PacketStatus::kCounterBlocked:
      return End(name, card, kBlocked, now);
    default:
      return End(name, card, kRefused, now);
  }
  if (options_.bearer == Bearer::kHttp) return SetTurn(name, card, now + options_.proof_within);
  const auto answer = ReadAnswer(response.data, ScriptForm::kDefinite);
  card.waiting.front().delivery.Answered(answer.value_or(ScriptAnswer{0, {}, true}));
  SendNext(name, card, now);
}

void Platform::Low(const std::string& name, Card& card, Clock::time_point now) {
  Delivery& delivery = card.waiting.front().delivery;
  if (options_.bearer == Bearer::kSms && ++card.lows == 1 && !delivery.begins()) {
    delivery.Doubtful();
    return SendNext(name, card, now);
  }
  if (++card.resyncs > options_.resyncs_most) return End(name, card, kRefused, now);
  ++figures_.resyncs;
  card.counter = std::min(card.counter + (std::uint64_t{1} << card.resyncs), kCounterMax - 1);
  SendNew(name, card, now);
}

// No proof in time.
void Platform::Late(const std::string& name, Card& card, Clock::time_point now) {
  if (card.waiting.empty()) return SetTurn(name, card, Clock::time_point::max());
  if (card.parts.empty()) return SendNext(name, card, now);
  if (card.low) return Low(name, card, now);
  const int most = options_.bearer == Bearer::kHttp ? options_.triggers_most : options_.repeats_most;
  if (card.sent > most) return End(name, card, kUnreachable, now);
  if (options_.bearer == Bearer::kHttp) {
    // A card that has proved the trigger and did not come is asked anew: the same packet would be a replay.
    const int sent = card.sent;
    SendNew(name, card, now);
    card.sent = sent + 1;
    return;
  }
  SendParts(name, card, now);
}

void Platform::Turn(Clock::time_point now) {
  while (!turns_.empty() && turns_.begin()->first <= now) {
    const std::string name = turns_.begin()->second;
    Card& card = cards_.at(name);
    SetTurn(name, card, Clock::time_point::max());
    Late(name, card, now);
  }
}

void Platform::End(const std::string& name, Card& card, std::optional<Failure> failure,
                   Clock::time_point now) {
  ended_.push_back({name, card.waiting.front().job, std::move(failure)});
  jobs_.erase(card.waiting.front().job);
  card.waiting.pop_front();
  SendNext(name, card, now);
}

std::optional<Script> Platform::Poll(const std::string& name, const std::optional<ScriptAnswer>& answer,
                                     Clock::time_point now) {
  const auto found = cards_.find(name);
  if (found == cards_.end() || found->second.waiting.empty()) return std::nullopt;
  Card& card = found->second;
  Delivery& delivery = card.waiting.front().delivery;
  figures_.sessions += !answer;
  if (answer) {
    delivery.Answered(*answer);
  } else {
    delivery.Doubtful();  // of a session that was broken off, if there was one
  }
  card.sent = 0;
  if (delivery.over()) {
    End(name, card, delivery.failure(), now);
    if (card.waiting.empty()) return std::nullopt;
  }
  SetTurn(name, card, now + options_.proof_within);
  return Script{ScriptForm::kIndefinite, card.waiting.front().delivery.Next(options_.http_octets_most)};
}

}  // namespace registry::sim::ota
