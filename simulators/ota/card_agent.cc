#include "simulators/ota/card_agent.h"

#include <utility>

namespace registry::sim::ota {
namespace {

constexpr std::uint8_t kInstall = 0xe6, kStoreData = 0xe2, kLastBlock = 0x80;
constexpr std::uint64_t kAheadMost = 40;  // how far somebody else gets the counter

// What the card asks of every packet: TS 102 226 calls it the minimum security level.
constexpr Spi kLeast{.checksum = true, .ciphered = true, .counter = CounterRule::kHigher};

bool Succeeded(const Bytes& answer) {
  const std::uint8_t first = answer.size() < 2 ? 0x6f : answer[answer.size() - 2];
  return first == 0x90 || first == 0x61 || first == 0x62 || first == 0x63;
}

}  // namespace

CardAgent::CardAgent(Euicc& card, KeySet keys, const CardFaults& faults, std::chrono::milliseconds patience)
    : card_(card),
      keys_(std::move(keys)),
      faults_(faults),
      reassembly_(PacketKind::kCommand, patience),
      dice_(faults.seed) {}

bool CardAgent::Happens(double probability) {
  return probability > 0 && std::uniform_real_distribution<double>(0, 1)(dice_) < probability;
}

CardAgent::Outcome CardAgent::Take(const Bytes& user_data, Clock::time_point now) {
  Outcome outcome;
  card_.PowerOn();
  if (Happens(faults_.no_room)) {
    outcome.failure_cause = kMemoryExceeded;
    return outcome;
  }
  Bytes octets;
  switch (reassembly_.Take(user_data, now, octets)) {
    case Reassembly::Verdict::kWaits:
      return outcome;
    case Reassembly::Verdict::kMalformed:
    case Reassembly::Verdict::kTooLong:
      outcome.failure_cause = kDownloadError;
      return outcome;
    case Reassembly::Verdict::kWhole:
      break;
  }
  const auto opened = Open(octets, keys_, kDomainTar, kLeast);
  if (!opened) {
    outcome.failure_cause = kDownloadError;
    return outcome;
  }
  const PacketStatus status = opened->status == PacketStatus::kOk ? Admit(opened->packet) : opened->status;
  Bytes answer;
  if (status == PacketStatus::kOk) answer = CarryOutPacket(opened->packet.data, outcome);
  if (!card_.powered()) {
    ExpireSession();
    return {};
  }
  Prove(opened->packet, status, std::move(answer), outcome);
  return outcome;
}

// TS 102 225 §5.1.4. A counter that has been used is gone, whatever becomes of the commands.
PacketStatus CardAgent::Admit(const CommandPacket& packet) {
  if (Happens(faults_.counter)) {
    counter_ += std::uniform_int_distribution<std::uint64_t>(1, kAheadMost)(dice_);
    counter_ = std::min(counter_, kCounterMax);
  }
  if (counter_ == kCounterMax) return PacketStatus::kCounterBlocked;
  if (packet.counter <= counter_) return PacketStatus::kCounterLow;
  if (packet.spi.counter == CounterRule::kNext && packet.counter != counter_ + 1)
    return PacketStatus::kCounterHigh;
  counter_ = packet.counter;
  return PacketStatus::kOk;
}

Bytes CardAgent::CarryOutPacket(const Bytes& data, Outcome& outcome) {
  if (!data.empty() && data.front() == kSessionTrigger) {
    outcome.opens_session = true;
    return {};
  }
  const ScriptForm form = FormOf(data);
  const auto script = ReadScript(data);
  if (!script) return WriteAnswer({0, {}, true}, form);
  const ScriptAnswer answer = CarryOut(*script);
  outcome.carried_out = !in_session_;
  return WriteAnswer(answer, form);
}

ScriptAnswer CardAgent::CarryOut(const Script& script) {
  ScriptAnswer answer;
  fills_ = Happens(faults_.no_memory);
  for (const Bytes& command : script.commands) {
    Bytes said = Transmit(command);
    ++answer.count;
    const bool goes_on = Succeeded(said);
    if (script.form == ScriptForm::kCompact) answer.answers.clear();
    answer.answers.push_back(std::move(said));
    if (goes_on) continue;
    ExpireSession();
    break;
  }
  return answer;
}

Bytes CardAgent::Transmit(const Bytes& command) {
  const std::uint8_t instruction = command.size() > 1 ? command[1] : 0;
  if (instruction == kInstall) {
    card_.applet().BeginRemote();
    in_session_ = true;
    full_ = fills_ = false;  // what was begun before is dropped, so there is room again
  }
  if (instruction == kStoreData) {
    full_ = full_ || std::exchange(fills_, false);
    if (full_) return ResponseApdu(StatusWord::kNoMemory).Encode();
  }
  Bytes said = card_.ota().Transmit(command);
  const bool last = instruction == kStoreData && command.size() > 2 && (command[2] & kLastBlock) != 0;
  if (last) ExpireSession();
  return said;
}

void CardAgent::ExpireSession() {
  if (std::exchange(in_session_, false)) card_.applet().EndRemote();
}

void CardAgent::Prove(const CommandPacket& packet, PacketStatus status, Bytes data, Outcome& outcome) {
  const bool wanted = packet.spi.proof == Proof::kAlways ||
                      (packet.spi.proof == Proof::kOnError && status != PacketStatus::kOk);
  if (!wanted) return;
  const auto sealed = SealResponse({packet.tar, packet.counter, status, std::move(data)}, packet.spi, keys_);
  if (!sealed) return;
  auto parts = Parts(*sealed, PacketKind::kResponse, ++reference_);
  if (!parts) return;
  // A delivery report has room for one message only.
  if (packet.spi.proof_by_submit || parts->size() > 1) {
    outcome.submits = std::move(*parts);
  } else {
    outcome.report = std::move(parts->front());
  }
}

}  // namespace registry::sim::ota
