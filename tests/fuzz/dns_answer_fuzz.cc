// Attacked: the registry's picture of what a secondary serves, by answers to its questions. The first octet says whether
// the answer is to the NOTIFY or to the SOA question, has the question's id, and is signed; the rest is the message. And, by
// the same octet, what registryctl makes of the answers to an AXFR, and a registry that stands by of those to an IXFR or
// AXFR: messages, each behind two octets of its length.
// A fault: a crash; a version that counts as served though the answer was not signed, had another id, named no SOA with
// authority, or reported an error; a whole zone from such answers, one without its SOA, or with names of another zone; a
// copied version that is not read back from its record, or is believed without a signature of the zone's keys.
#include <sys/socket.h>

#include "bridge/zone/copied_zone.h"
#include "bridge/zone/secondary.h"
#include "bridge/zone/transfer_reader.h"
#include "bridge/zone/zone_records.h"
#include "tests/fuzz/dns_world.h"
#include "tests/fuzz/input.h"

namespace registry::zone::testing {
namespace {

struct Datagram {
  Bytes octets;
  sockaddr_storage from{};
  socklen_t from_size = sizeof(sockaddr_storage);
};

std::optional<Datagram> Next(const Socket& peer) {
  Datagram datagram;
  datagram.octets.resize(4096);
  const ssize_t size = recvfrom(peer.fd(), datagram.octets.data(), datagram.octets.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&datagram.from), &datagram.from_size);
  if (size < 0) return std::nullopt;
  datagram.octets.resize(static_cast<std::size_t>(size));
  return datagram;
}

// The NOTIFY and the SOA question of a secondary that has just been told of a version.
std::optional<Datagram> Question(const Socket& peer, Opcode opcode) {
  std::optional<Datagram> found;
  while (auto datagram = Next(peer)) {
    const auto message = ParseMessage(datagram->octets);
    REG_CHECK(message.has_value());
    if (message->opcode() == static_cast<std::uint8_t>(opcode)) found = std::move(datagram);
  }
  return found;
}

void Judge(const Secondary& secondary, View answer, bool right_id, bool is_signed) {
  if (!secondary.current() && secondary.serial() == 0) return;
  REG_CHECK(right_id && is_signed);
  const auto message = ParseMessage(answer);
  REG_CHECK(message && message->response() && message->opcode() == 0 && message->rcode() == 0);
  REG_CHECK((message->flags & kFlagAuthoritative) != 0 && (message->flags & kFlagTruncated) == 0);
  REG_CHECK(SoaSerial(answer, message->answer.at(0)) == secondary.serial() || message->answer.size() > 1);
}

constexpr std::uint16_t kTransferId = 0x4711;

// The next message of the input, with the question's id in front of it, or another one.
Bytes NextMessage(fuzz::Input& input, bool right_id) {
  const std::size_t high = input.Octet(), size = high << 8 | input.Octet();
  Bytes message = input.Take(size);
  if (message.size() < kHeaderSize) message.resize(kHeaderSize);
  message[0] = static_cast<std::uint8_t>(kTransferId >> 8) ^ (right_id ? 0 : 0x80);
  message[1] = static_cast<std::uint8_t>(kTransferId);
  return message;
}

void JudgeZone(const ZoneContent& content, std::uint32_t serial, const Name& zone) {
  REG_CHECK(content.SerialOf(zone) == serial);
  for (std::size_t place = 0; place < content.size(); ++place) {
    const View owner = content.At(place).owner;
    REG_CHECK(PrefixIn(Name(owner.begin(), owner.end()), zone).has_value());
  }
}

void PlayTransfer(fuzz::Input& input, const DnsWorld& world, const Name& zone, bool right_id,
                  bool is_signed) {
  Bytes question = StartMessage(kTransferId, 0, zone, kTypeAxfr);
  Bytes mac = SignRequest(question, world.key, world.clock.Now());
  TsigStream stream(world.key, VerifyTsig(question, *ParseMessage(question), world.key, world.clock.Now()));
  TransferReader reader(zone, world.key, world.clock, kTransferId, std::move(mac));
  while (reader.wants_more() && !input.AtEnd()) {
    Bytes message = NextMessage(input, right_id);
    if (is_signed) stream.Sign(message, world.clock.Now());
    if (!reader.Take(message)) break;
  }
  const FetchedZone fetched = reader.Result();
  REG_CHECK(fetched.content.has_value() == fetched.why.empty());
  if (!fetched.content) return;
  REG_CHECK(right_id && is_signed);
  JudgeZone(*fetched.content, fetched.serial, zone);
}

StoredZone ZoneOf(const ZoneStore& store) {
  StoredZone stored(1u << 20, 100);
  const Transfer whole = store.Full();
  for (std::size_t i = 1; i + 1 < whole.pieces.size(); ++i) stored.blocks.Add(whole.pieces[i].block);
  stored.soa = store.soa();
  stored.serial = store.serial();
  return stored;
}

// The zone's keys are not the input's to sign with, so nothing that it adds is believed.
void JudgeStep(const DnsWorld& world, const Name& zone, StoredZone& copy, const Delta& step) {
  std::string why;
  CopyJudge judge(zone, {ProfileOf(world.files.options())->signing.ksks[0].dnskey});
  const auto now = world.clock.Now();
  REG_CHECK(!judge.Good(
                step, now, [] { return false; }, why) &&
            !why.empty());
  StoredZone again = ZoneOf(world.store);
  REG_CHECK(ReadCopied(VersionPayload(step, false), again));
  MakeStep(copy, std::make_shared<const Delta>(step), true);
  REG_CHECK(again.serial == copy.serial && again.blocks.size() == copy.blocks.size());
}

void PlayCopy(fuzz::Input& input, const DnsWorld& world, const Name& zone, bool right_id, bool is_signed,
              bool difference) {
  Bytes question = StartMessage(kTransferId, 0, zone, difference ? kTypeIxfr : kTypeAxfr);
  Bytes mac = SignRequest(question, world.key, world.clock.Now());
  TsigStream stream(world.key, VerifyTsig(question, *ParseMessage(question), world.key, world.clock.Now()));
  StoredZone copy = ZoneOf(world.store);
  const auto have = difference ? std::optional(copy.serial) : std::nullopt;
  CopyReader reader(zone, world.key, world.clock, kTransferId, std::move(mac), have);
  while (reader.wants_more() && !input.AtEnd()) {
    Bytes message = NextMessage(input, right_id);
    if (is_signed) stream.Sign(message, world.clock.Now());
    if (reader.Take(message)) continue;
    REG_CHECK(!reader.why().empty());
    return;
  }
  if (reader.wants_more() || !reader.Finish()) return;
  REG_CHECK(right_id && is_signed);
  const CopiedAnswer& answer = reader.answer();
  if (answer.kind == CopiedAnswer::Kind::kWhole)
    JudgeStep(world, zone, copy, *DifferenceTo(copy, answer, [] { return false; }));
  if (answer.kind != CopiedAnswer::Kind::kDifferences) return;
  std::string why;
  Frames frames;
  const auto step = DifferenceIn(copy, frames, answer.steps.front(), why);
  REG_CHECK(step.has_value() == why.empty());
  if (step) JudgeStep(world, zone, copy, *step);
}

void Play(fuzz::Input input) {
  static DnsWorld world;
  static const Socket peer = *BindUdp("127.0.0.1", 0);
  static const Name zone = *NameFromText(kZone);
  const auto begun = Steady::time_point(std::chrono::hours(1)), asked = begun + std::chrono::seconds(1);
  const std::uint8_t how = input.Octet();
  const bool notify = (how & 1) != 0, right_id = (how & 2) == 0, is_signed = (how & 4) == 0;
  if ((how & 16) != 0) return PlayCopy(input, world, zone, right_id, is_signed, (how & 8) == 0);
  if ((how & 8) != 0) return PlayTransfer(input, world, zone, right_id, is_signed);

  Secondary secondary({"peer", "127.0.0.1", LocalPort(peer)}, zone, world.key, world.clock, "127.0.0.1");
  secondary.Announce(world.store.serial(), world.store.soa(), begun);
  secondary.Turn(asked);
  const auto question = Question(peer, notify ? Opcode::kNotify : Opcode::kQuery);
  REG_CHECK(question.has_value());

  Bytes answer = input.Rest();
  if (answer.size() < kHeaderSize) answer.resize(kHeaderSize);
  std::copy_n(question->octets.begin(), 2, answer.begin());
  if (!right_id) answer[0] ^= 0x80;
  if (is_signed) {
    TsigStream(world.key,
               VerifyTsig(question->octets, *ParseMessage(question->octets), world.key, world.clock.Now()))
        .Sign(answer, world.clock.Now());
  }
  REG_CHECK(sendto(peer.fd(), answer.data(), answer.size(), 0,
                   reinterpret_cast<const sockaddr*>(&question->from),
                   question->from_size) == static_cast<ssize_t>(answer.size()));
  secondary.Turn(asked);
  Judge(secondary, answer, right_id, is_signed);
  (void)secondary.lag(asked);
  (void)Question(peer, Opcode::kQuery);  // what it asks next is not the next input's
}

}  // namespace
}  // namespace registry::zone::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  registry::zone::testing::Play({data, size});
  return 0;
}
