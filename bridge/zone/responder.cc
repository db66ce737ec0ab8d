#include "bridge/zone/responder.h"

namespace registry::zone {
namespace {

std::uint16_t AnswerFlags(std::uint16_t request_flags, Rcode rcode) {
  // The opcode and RD are echoed (RFC 1035 §4.1.1).
  const std::uint16_t echoed = request_flags & (0x7800 | kFlagRecursionDesired);
  return static_cast<std::uint16_t>(kFlagResponse | echoed | static_cast<std::uint16_t>(rcode));
}

// RFC 1995 §3: the client's version is the SOA in the authority section, that of the zone it asks for.
std::optional<std::uint32_t> ClientSerial(View octets, const Message& message) {
  if (message.authority.size() != 1 || message.authority.front().owner != message.question)
    return std::nullopt;
  return SoaSerial(octets, message.authority.front());
}

}  // namespace

bool Reply::Next(Bytes& message) {
  if (sent_ && at_ == pieces_.size()) return false;
  sent_ = true;
  message = head_;
  std::uint16_t records = 0;
  for (; at_ < pieces_.size(); ++at_) {
    if (message.size() + pieces_[at_].size() > kTransferMessageMax && records != 0) break;
    pieces_[at_].AppendTo(message);
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
    reply.head_ = StartMessage(id, AnswerFlags(message->flags, rcode), message->asked_as, message->type);
    SetU16(reply.head_, reply.head_.size() - 2, message->qclass);
    return reply;
  }
  PutU16(reply.head_, id);
  PutU16(reply.head_, AnswerFlags(0, rcode));
  for (int i = 0; i < 4; ++i) PutU16(reply.head_, 0);
  return reply;
}

// RFC 8945 §5.2.1: the one of the name that the request says. Under a name that nobody has, any is the wrong one.
const TsigKey& Responder::KeyFor(const Message& message) const {
  const TsigKey* const named = message.tsig() == nullptr ? nullptr : keys_.Find(message.tsig()->owner);
  return named != nullptr ? *named : keys_.first();
}

Reply Responder::RefuseTsig(const Message& message, const TsigKey& key, const TsigVerdict& verdict,
                            const std::string& peer) {
  said_.Say(TsigErrorName(verdict.error), Detail(verdict), peer, clock_.Now());
  Reply reply = Refuse(message.id, &message, Rcode::kNotAuth);
  reply.clock_ = &clock_;
  if (verdict.error == TsigError::kBadTime || verdict.error == TsigError::kBadTrunc) {
    reply.tsig_.emplace(key, verdict);  // RFC 8945 §5.2.3: the MAC was right, so the answer is signed
  } else {
    PutUnsignedTsig(reply.head_, verdict);
  }
  return reply;
}

std::string Responder::Detail(const TsigVerdict& verdict) const {
  const std::string key = ", key " + NameToText(verdict.key_name);
  if (verdict.error != TsigError::kBadTime) return key;
  return key + ", its clock says " + std::to_string(verdict.time_signed) + ", ours " +
         std::to_string(clock_.Now().seconds());
}

// One that others could read on its way, where that must not be.
bool Responder::IsOpenTransfer(const Message& message, Transport transport) const {
  const bool transfer = message.type == kTypeAxfr || message.type == kTypeIxfr;
  return transfer && only_over_tls_ && transport == Transport::kTcp;
}

std::optional<Rcode> Responder::Check(const Message& message, Transport transport) const {
  if (message.opcode() != static_cast<std::uint8_t>(Opcode::kQuery)) return Rcode::kNotImp;
  // RFC 1035 §4.1.1: a query's answer section is empty. RFC 1996 §3.7 lets only a NOTIFY fill it.
  if (!message.answer.empty()) return Rcode::kFormErr;
  const bool transfer = message.type == kTypeAxfr || message.type == kTypeIxfr;
  const bool ours = message.question == store_.zone() && message.qclass == kClassIn;
  // RFC 5936 §2.2.1: NOTAUTH where the server is not authoritative for the zone that is to be transferred.
  if (!ours) return transfer ? Rcode::kNotAuth : Rcode::kRefused;
  if (!transfer && message.type != kTypeSoa) return Rcode::kRefused;
  // RFC 5936 §4.2: AXFR over UDP is not defined.
  if (message.type == kTypeAxfr && transport == Transport::kUdp) return Rcode::kFormErr;
  if (IsOpenTransfer(message, transport)) return Rcode::kRefused;
  return std::nullopt;
}

Transfer Responder::Find(View octets, const Message& message, Transport transport) {
  const auto soa_only = [this] {
    return Transfer{Transfer::Kind::kCurrent, Pieces::List{{Piece::Part::kData, store_.soa()}}};
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

std::optional<Reply> Responder::Answer(View request, Transport transport, const std::string& peer) {
  if (request.size() < kHeaderSize || (request[2] & 0x80) != 0) return std::nullopt;
  const std::uint16_t id = static_cast<std::uint16_t>(request[0] << 8 | request[1]);
  const auto message = ParseMessage(request);
  const auto refuse = [&](const Message* whole, Rcode rcode, const std::string& kind) {
    said_.Say(kind, "", peer, clock_.Now());
    return Refuse(id, whole, rcode);
  };
  if (!message) return refuse(nullptr, Rcode::kFormErr, "no DNS message");
  const TsigKey& key = KeyFor(*message);
  const TsigVerdict verdict = VerifyTsig(request, *message, key, clock_.Now());
  if (verdict.error == TsigError::kMalformed) return refuse(&*message, Rcode::kFormErr, "malformed TSIG");
  if (verdict.error == TsigError::kAbsent) return refuse(&*message, Rcode::kRefused, "not signed (no TSIG)");
  if (verdict.error != TsigError::kNone) return RefuseTsig(*message, key, verdict, peer);
  auto rcode = Check(*message, transport);
  if (!rcode && message->type == kTypeIxfr && !ClientSerial(request, *message)) rcode = Rcode::kFormErr;
  Reply reply;
  if (rcode) {
    reply = refuse(&*message, *rcode,
                   IsOpenTransfer(*message, transport)
                       ? "a transfer without TLS"
                       : RcodeName(static_cast<std::uint8_t>(*rcode)) + " to a signed question");
  } else {
    reply.head_ = StartMessage(id, AnswerFlags(message->flags, Rcode::kNoError) | kFlagAuthoritative,
                               message->asked_as, message->type);
    reply.pieces_ = Find(request, *message, transport).pieces;
  }
  reply.authentic_ = true;
  reply.clock_ = &clock_;
  reply.tsig_.emplace(key, verdict);
  return reply;
}

}  // namespace registry::zone
