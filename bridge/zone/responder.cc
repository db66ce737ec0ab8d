#include "bridge/zone/responder.h"

namespace registry::zone {
namespace {

std::uint16_t AnswerFlags(std::uint16_t request_flags, Rcode rcode) {
  // The opcode and RD are echoed (RFC 1035 §4.1.1).
  const std::uint16_t echoed = request_flags & (0x7800 | kFlagRecursionDesired);
  return static_cast<std::uint16_t>(kFlagResponse | echoed | static_cast<std::uint16_t>(rcode));
}

// RFC 1995 §3: the client's version is the SOA in the authority section.
std::optional<std::uint32_t> ClientSerial(View octets, const Message& message) {
  if (message.authority.size() != 1) return std::nullopt;
  return SoaSerial(octets, message.authority.front());
}

}  // namespace

bool Reply::Next(Bytes& message) {
  if (sent_ && at_ == pieces_.size()) return false;
  sent_ = true;
  message = head_;
  std::uint16_t records = 0;
  for (; at_ < pieces_.size(); ++at_) {
    const View octets = pieces_[at_].octets();
    if (message.size() + octets.size() > kTransferMessageMax && records != 0) break;
    Put(message, octets);
    records = static_cast<std::uint16_t>(records + pieces_[at_].records());
  }
  SetU16(message, 6, records);
  if (tsig_) tsig_->Sign(message, clock_->Now());
  return true;
}

Reply Responder::Refuse(std::uint16_t id, const Message* message, Rcode rcode) {
  ++counters_.refused;
  Reply reply;
  if (message != nullptr) {
    reply.head_ = StartMessage(id, AnswerFlags(message->flags, rcode), message->question, message->type);
    SetU16(reply.head_, reply.head_.size() - 2, message->qclass);
    return reply;
  }
  PutU16(reply.head_, id);
  PutU16(reply.head_, AnswerFlags(0, rcode));
  for (int i = 0; i < 4; ++i) PutU16(reply.head_, 0);
  return reply;
}

Reply Responder::RefuseTsig(const Message& message, const TsigVerdict& verdict) {
  SayRefused(verdict);
  Reply reply = Refuse(message.id, &message, Rcode::kNotAuth);
  reply.clock_ = &clock_;
  if (verdict.error == TsigError::kBadTime || verdict.error == TsigError::kBadTrunc) {
    reply.tsig_.emplace(key_, verdict);  // RFC 8945 §5.2.3: the MAC was right, so the answer is signed
  } else {
    PutUnsignedTsig(reply.head_, verdict);
  }
  return reply;
}

// Somebody's key or clock is wrong, or it is not meant to be here. Whoever sends requests must not fill the log.
void Responder::SayRefused(const TsigVerdict& verdict) {
  const UtcTime now = clock_.Now();
  if (said_ && now - *said_ < kRefusalSayEvery && now >= *said_) {
    ++unsaid_;
    return;
  }
  std::string line =
      "zone: request refused: " + TsigErrorName(verdict.error) + ", key " + NameToText(verdict.key_name);
  if (verdict.error == TsigError::kBadTime) {
    line +=
        ", its clock says " + std::to_string(verdict.time_signed) + ", ours " + std::to_string(now.seconds());
  }
  if (unsaid_ > 0) line += " (and " + std::to_string(unsaid_) + " more since the last such line)";
  said_ = now;
  unsaid_ = 0;
  if (log_) log_(2, line);
}

std::optional<Rcode> Responder::Check(const Message& message, Transport transport) const {
  if (message.opcode() != static_cast<std::uint8_t>(Opcode::kQuery)) return Rcode::kNotImp;
  const bool known = message.type == kTypeSoa || message.type == kTypeAxfr || message.type == kTypeIxfr;
  if (message.question != store_.zone() || message.qclass != kClassIn || !known) return Rcode::kRefused;
  // RFC 5936 §4.2: AXFR over UDP is not defined.
  if (message.type == kTypeAxfr && transport == Transport::kUdp) return Rcode::kFormErr;
  return std::nullopt;
}

Transfer Responder::Find(View octets, const Message& message, Transport transport) {
  const auto soa_only = [this] {
    return Transfer{Transfer::Kind::kCurrent, {{Piece::Part::kData, store_.soa()}}};
  };
  if (message.type == kTypeSoa) {
    ++counters_.soa;
    return soa_only();  // RFC 4035 §3.1: no RRSIG for who has not set DO; Knot takes one for a malformed answer
  }
  if (message.type == kTypeAxfr) {
    ++counters_.axfr;
    return store_.Full();
  }
  // RFC 1995 §2: over UDP the SOA alone says "come by TCP".
  if (transport == Transport::kUdp) return soa_only();
  Transfer transfer = store_.Since(*ClientSerial(octets, message));
  ++(transfer.kind == Transfer::Kind::kFull          ? counters_.axfr
     : transfer.kind == Transfer::Kind::kIncremental ? counters_.ixfr
                                                     : counters_.current);
  return transfer;
}

std::optional<Reply> Responder::Answer(View request, Transport transport) {
  if (request.size() < kHeaderSize || (request[2] & 0x80) != 0) return std::nullopt;
  const std::uint16_t id = static_cast<std::uint16_t>(request[0] << 8 | request[1]);
  const auto message = ParseMessage(request);
  if (!message) return Refuse(id, nullptr, Rcode::kFormErr);
  const TsigVerdict verdict = VerifyTsig(request, *message, key_, clock_.Now());
  if (verdict.error == TsigError::kMalformed) return Refuse(id, &*message, Rcode::kFormErr);
  if (verdict.error == TsigError::kAbsent) return Refuse(id, &*message, Rcode::kRefused);
  if (verdict.error != TsigError::kNone) return RefuseTsig(*message, verdict);
  auto rcode = Check(*message, transport);
  if (!rcode && message->type == kTypeIxfr && !ClientSerial(request, *message)) rcode = Rcode::kFormErr;
  Reply reply;
  if (rcode) {
    reply = Refuse(id, &*message, *rcode);
  } else {
    reply.head_ = StartMessage(id, AnswerFlags(message->flags, Rcode::kNoError) | kFlagAuthoritative,
                               message->question, message->type);
    reply.pieces_ = Find(request, *message, transport).pieces;
  }
  reply.authentic_ = true;
  reply.clock_ = &clock_;
  reply.tsig_.emplace(key_, verdict);
  return reply;
}

}  // namespace registry::zone
