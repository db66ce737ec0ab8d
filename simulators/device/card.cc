#include "simulators/device/card.h"

namespace registry::sim {
namespace {

constexpr std::size_t kPointSize = 65;
constexpr std::size_t kAnswerMax = 4096;  // of all parts
constexpr std::uint16_t kNotThere = 0x6a82;

Error Refused(std::uint16_t status) {
  if (status == 0) return Error::Make(Code::kFailed, "applet_refused", "the card gives no answer");
  const Bytes word = {static_cast<std::uint8_t>(status >> 8), static_cast<std::uint8_t>(status)};
  return Error::Make(Code::kFailed, "applet_refused", "the applet answered " + ToHex(word));
}

Error Malformed() { return Error::Make(Code::kFailed, "applet_refused", "the card's answer is malformed"); }

std::uint16_t StatusOf(const Bytes& answer) {
  if (answer.size() < 2) return 0;
  return static_cast<std::uint16_t>(answer[answer.size() - 2] << 8 | answer.back());
}

Bytes Id(std::uint8_t tag, std::uint8_t id) { return {tag, 0x01, id}; }

// 34 45 49 43 86 41 point, at the end of every answer that holds a public key.
Result<Bytes> PointAtEnd(const Result<Bytes>& answer) {
  if (!answer) return answer.error();
  if (answer->size() < kPointSize) return Malformed();
  return Bytes(answer->end() - kPointSize, answer->end());
}

}  // namespace

Card::~Card() {
  if (channel_ != 0) transmit_({0x00, 0x70, 0x80, channel_});
}

Status Card::Open() {
  if (channel_ != 0) return Done{};
  const Bytes channel = transmit_({0x00, 0x70, 0x00, 0x00, 0x01});
  if (StatusOf(channel) != 0x9000) return Refused(StatusOf(channel));
  if (channel.size() != 3) return Malformed();
  Bytes select = {channel.front(), 0xa4, 0x04, 0x00, static_cast<std::uint8_t>(kGsmaAid.size())};
  select.insert(select.end(), kGsmaAid.begin(), kGsmaAid.end());
  const Bytes selected = transmit_(select);
  if (StatusOf(selected) != 0x9000) return Refused(StatusOf(selected));
  channel_ = channel.front();
  return Done{};
}

Result<Bytes> Card::Exchange(std::uint8_t ins, std::uint8_t p1, std::uint8_t p2, const Bytes& data) {
  if (auto open = Open(); !open) return open.error();
  Bytes apdu = {channel_, ins, p1, p2, static_cast<std::uint8_t>(data.size())};
  apdu.insert(apdu.end(), data.begin(), data.end());
  apdu.push_back(0x00);
  const Bytes answer = Whole(transmit_(apdu));
  status_ = StatusOf(answer);
  if (status_ == 0x6881) channel_ = 0;  // the card was reset meanwhile
  // 63CF: done, and an OTA session has ended meanwhile (GSMA IoT.05).
  if (status_ != 0x9000 && status_ != 0x63cf) return Refused(status_);
  return Bytes(answer.begin(), answer.end() - 2);
}

// 61xx: what is there waits for GET RESPONSE (ISO/IEC 7816-4 §7.6.1), a part at a time.
Bytes Card::Whole(Bytes answer) const {
  for (std::uint16_t status = StatusOf(answer); status >> 8 == 0x61; status = StatusOf(answer)) {
    answer.resize(answer.size() - 2);
    if (answer.size() > kAnswerMax) return {};
    const Bytes more = transmit_({channel_, 0xc0, 0x00, 0x00, static_cast<std::uint8_t>(status)});
    answer.insert(answer.end(), more.begin(), more.end());
  }
  return answer;
}

Result<Bytes> Card::Send(std::uint8_t ins, std::uint8_t p1, std::uint8_t p2, const Bytes& data) {
  auto answer = Exchange(ins, p1, p2, data);
  return !answer && channel_ == 0 ? Exchange(ins, p1, p2, data) : answer;
}

Result<Bytes> Card::GenerateKeyPair(std::uint8_t key) { return PointAtEnd(Send(0xb9, 0, 0, Id(0x84, key))); }

Result<Bytes> Card::PublicPoint(std::uint8_t key) { return PointAtEnd(Send(0xcd, 0, 0, Id(0x85, key))); }

Result<Bytes> Card::Sign(std::uint8_t key, const Bytes& digest) {
  Bytes init = Id(0x84, key);
  // Mode 03 pad and sign, SHA-256, ECDSA.
  init.insert(init.end(), {0xa1, 0x01, 0x03, 0x91, 0x02, 0x00, 0x01, 0x92, 0x01, 0x04});
  if (auto begun = Send(0x2a, 0x00, 0x00, init); !begun) return begun;
  Bytes update = {0x9e, static_cast<std::uint8_t>(digest.size())};
  update.insert(update.end(), digest.begin(), digest.end());
  auto answer = Send(0x2b, 0x80, 0x00, update);
  if (!answer) return answer;
  if (answer->size() != 66 || answer->at(0) != 0x33 || answer->at(1) != 0x40) return Malformed();
  return Bytes(answer->begin() + 2, answer->end());
}

Result<Bytes> Card::Agree(std::uint8_t key, const Bytes& peer_point) {
  if (auto begun = Send(0x24, 0x00, 0x00, Id(0x85, kPeerKey)); !begun) return begun;
  Bytes put = {0x34, 0x45, 0x49, 0x43, 0x86, 0x41};
  put.insert(put.end(), peer_point.begin(), peer_point.end());
  if (auto stored = Send(0xd8, 0x80, 0x00, put); !stored) return stored;
  Bytes pair = Id(0x84, key);
  const Bytes peer = Id(0x85, kPeerKey);
  pair.insert(pair.end(), peer.begin(), peer.end());
  return Send(0x46, 0x00, 0x00, pair);
}

Result<Bytes> Card::ReadFile(std::uint8_t file) {
  Bytes content;
  while (true) {
    auto part = Send(0xb0, static_cast<std::uint8_t>(content.size() >> 8),
                     static_cast<std::uint8_t>(content.size()), Id(0x83, file));
    if (!part) return content.empty() ? part : Result<Bytes>(content);
    content.insert(content.end(), part->begin(), part->end());
    if (part->size() < 255) return content;
  }
}

Result<std::optional<Bytes>> Card::FindFile(std::uint8_t file) {
  auto content = ReadFile(file);
  if (content) return std::optional(std::move(*content));
  if (status_ == kNotThere) return std::optional<Bytes>();
  return content.error();
}

}  // namespace registry::sim
