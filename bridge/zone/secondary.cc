#include "bridge/zone/secondary.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

// What its operator or ours has to look at.
const char* Advice(TsigError error) {
  switch (error) {
    case TsigError::kBadKey:
      return ": it has no key of the name that this side has for it (tsig_name)";
    case TsigError::kBadSig:
      return ": its secret of the key is not what this side has for it (tsig_secret)";
    case TsigError::kBadTime:
      return ": its clock and ours are more than 300 s apart";
    default:
      return "";
  }
}

std::string Reason(const Message& message, TsigError error) {
  return RcodeName(message.rcode()) + (error == TsigError::kNone ? "" : ", " + TsigErrorName(error)) +
         Advice(error);
}

// An error may come without the question; what came at all came over the connected socket and has our random id.
bool Fits(const Message& message, const Name& zone) {
  if (message.question.empty()) return message.rcode() != 0;
  return message.question == zone && message.type == kTypeSoa && message.qclass == kClassIn;
}

}  // namespace

Secondary::Secondary(SecondaryAddress address, Name zone, SecondaryKeys keys, const Clock& clock,
                     std::string source, LogLine log)
    : address_(std::move(address)),
      zone_(std::move(zone)),
      keys_(keys),
      clock_(clock),
      source_(std::move(source)),
      log_(std::move(log)) {}

void Secondary::Announce(std::uint32_t serial, BlockPtr soa, Steady::time_point now) {
  const bool had = current();
  if (had || wanted_ == 0) announced_ = now;
  sampling_ = had && reachable();
  wanted_ = serial;
  owed_.Told(serial, now);
  soa_ = std::move(soa);
  notify_due_ = now;
  notify_pause_ = kNotifyFirst;
  probes_ = 0;
  if (!reachable()) return;
  probe_due_ = std::max(now + usual_delay_ / 4, probed_ + kProbeStep);
  probe_.reset();
}

Steady::time_point Secondary::next() const {
  if (current() || !reachable()) return probe_due_;
  return std::min(probe_due_, notify_due_);
}

// While a version is on its way: first at a quarter of the time it usually takes, then in small steps of it, then
// slower.
Steady::duration Secondary::ProbePause() const {
  if (current() || !reachable()) return kProbeRest;
  const Steady::duration step = std::max<Steady::duration>(kProbeStep, usual_delay_ / 8);
  return std::min<Steady::duration>(step * (1 + probes_ / 8), milliseconds(250));
}

void Secondary::Turn(Steady::time_point now) {
  if (socket_) Receive(now);
  if (probe_ && now - probe_->sent > kAnswerLimit) Fail(now);
  if (!current() && reachable() && now >= notify_due_) SendNotify(now);
  if (now >= probe_due_) SendProbe(now);
}

bool Secondary::Open() {
  if (socket_) return true;
  auto socket = ConnectUdp(address_.address, address_.port, source_);
  if (!socket) {
    Note(probe_trouble_, "cannot be asked: " + socket.error().message, Steady::now());
    return false;
  }
  socket_ = std::move(*socket);
  return true;
}

bool Secondary::Send(const Bytes& message) {
  return Open() && send(socket_.fd(), message.data(), message.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(message.size());
}

void Secondary::SendProbe(Steady::time_point now) {
  ++probes_;
  probe_due_ = now + ProbePause();
  if (probe_) return;  // one at a time: an answer still owed says nothing new
  probed_ = now;
  probe_ = Question{FreshId(), {}, now, &key()};
  Bytes message = StartMessage(probe_->id, 0, zone_, kTypeSoa);
  probe_->mac = SignRequest(message, key(), clock_.Now());
  if (!Send(message)) Fail(now);
}

// RFC 1996 §3.7: with the new SOA in the answer section.
void Secondary::SendNotify(Steady::time_point now) {
  notify_due_ = now + notify_pause_;
  notify_pause_ = std::min<Steady::duration>(notify_pause_ * 2, kNotifyRest);
  notify_ = Question{FreshId(), {}, now, &key()};
  Bytes message =
      StartMessage(notify_->id, static_cast<std::uint16_t>(4u << 11 | kFlagAuthoritative), zone_, kTypeSoa);
  Put(message, soa_->data());
  SetU16(message, 6, 1);
  notify_->mac = SignRequest(message, key(), clock_.Now());
  // A lost NOTIFY is sent again at notify_due_; the probe finds out whether anybody is there.
  Send(message);
}

void Secondary::Receive(Steady::time_point now) {
  for (int i = 0; i < 16; ++i) {
    std::uint8_t buffer[4096];
    const ssize_t size = recv(socket_.fd(), buffer, sizeof buffer, 0);
    if (size >= 0) {
      Take(View(buffer, static_cast<std::size_t>(size)), now);
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EINTR) continue;
    return Fail(now);  // ECONNREFUSED: nobody listens there
  }
}

void Secondary::Take(View octets, Steady::time_point now) {
  const auto message = ParseMessage(octets);
  if (!message || !message->response() || !Fits(*message, zone_)) return;
  const bool notify = message->opcode() == static_cast<std::uint8_t>(Opcode::kNotify);
  if (!notify && message->opcode() != static_cast<std::uint8_t>(Opcode::kQuery)) return;
  auto& question = notify ? notify_ : probe_;
  if (!question || message->id != question->id) return;
  const TsigVerdict verdict = VerifyTsig(octets, *message, *question->key, clock_.Now(), question->mac);
  if (verdict.error != TsigError::kNone) {
    // RFC 8945 §5.3: left aside, and the true answer waited for. What it says of the reason is worth a line.
    question->refused = true;
    refusal_ = Reason(*message, verdict.told != 0 ? TsigError{verdict.told} : verdict.error);
    return Note(
        notify ? notify_trouble_ : probe_trouble_,
        std::string(notify ? "NOTIFY" : "SOA") + " answered, and not signed as asked, with " + refusal_, now);
  }
  return notify ? TakeNotifyAnswer(*message, verdict, now) : TakeProbeAnswer(octets, *message, verdict, now);
}

void Secondary::TakeNotifyAnswer(const Message& message, const TsigVerdict& verdict, Steady::time_point now) {
  if (message.rcode() != 0) {  // sent again at notify_due_
    return Note(notify_trouble_, "NOTIFY answered with " + Reason(message, TsigError{verdict.told}), now);
  }
  notify_.reset();
  // RFC 1996 §4.7: heard. It is told again only if it has not come for the version a while later.
  notify_due_ = std::max(notify_due_, now + 4 * kNotifyFirst);
}

void Secondary::TakeProbeAnswer(View octets, const Message& message, const TsigVerdict& verdict,
                                Steady::time_point now) {
  probe_.reset();
  refusal_.clear();
  const bool was_away = !reachable();
  failures_ = 0;
  std::optional<std::uint32_t> serial;
  for (const Record& record : message.answer) {
    if (record.owner == zone_ && !serial) serial = SoaSerial(octets, record);
  }
  const bool authoritative = (message.flags & kFlagAuthoritative) != 0;
  if ((message.flags & kFlagTruncated) != 0) {
    // A server that limits its rate cuts answers short: alive, and no word about what it serves.
    Note(probe_trouble_, "SOA answered truncated: does it limit the rate of our questions?", now);
  } else if (message.rcode() == 0 && authoritative && serial) {
    TakeSerial(*serial, now);
    if (former_) {
      Note(
          probe_trouble_,
          "knows its former key " + NameToText(key().name) + " alone; give it " + NameToText(keys_.now->name),
          now);
    }
  } else {
    if (current()) Lose(now);
    known_ = false;  // alive, but without the zone (yet)
    const char* lack = message.rcode() != 0 ? ""
                       : authoritative      ? ", without the SOA"
                                            : ", without authority";
    Note(probe_trouble_, "SOA answered with " + Reason(message, TsigError{verdict.told}) + lack, now);
  }
  if (was_away && !current()) Announce(wanted_, soa_, now);
}

void Secondary::TakeSerial(std::uint32_t serial, Steady::time_point now) {
  const bool had = current();
  serial_ = serial;
  known_ = true;
  if (had && !current()) return Lose(now);
  if (!ahead()) owed_.Serves(serial);
  if (had || !current()) return;
  if (sampling_) usual_delay_ = (usual_delay_ * 3 + (now - announced_)) / 4;
  sampling_ = false;
  probe_due_ = now + ProbePause();
}

// It served the newest version and does not any more: behind from this moment on, not since it was announced.
void Secondary::Lose(Steady::time_point now) {
  announced_ = notify_due_ = now;
  owed_.Lost(wanted_, now);
  sampling_ = false;
}

void Secondary::Note(Trouble& trouble, const std::string& reason, Steady::time_point now) {
  if (reason == trouble.said && now - trouble.at < kSayAgain) return;
  trouble = {reason, now};
  log_.Warning("zone: secondary " + address_.name + ": " + reason);
}

void Secondary::Fail(Steady::time_point now) {
  if (!probe_ || !probe_->refused) refusal_.clear();
  if (probe_ && probe_->refused && keys_.former != nullptr) former_ = probe_->key == keys_.now;
  probe_.reset();
  sampling_ = false;
  socket_ = Socket();
  failures_ = std::min(failures_ + 1, 16);
  if (failures_ == kFailuresMax) silent_since_ = now;
  probe_due_ = now + std::min<Steady::duration>(milliseconds(50) * (1 << std::min(failures_, 6)), kProbeRest);
}

Snapshot::Lag Secondary::lag(Steady::time_point now) const {
  using std::chrono::duration_cast;
  const auto behind = current() ? milliseconds(0) : duration_cast<milliseconds>(owed_.behind(now));
  return {address_.name, known_ ? serial_ : 0, reachable(), behind, refusal_};
}

Steady::duration Secondary::missing(Steady::time_point now) const {
  const Steady::duration behind = current() ? Steady::duration::zero() : owed_.behind(now);
  return reachable() ? behind : std::max(behind, now - silent_since_);
}

}  // namespace registry::zone
