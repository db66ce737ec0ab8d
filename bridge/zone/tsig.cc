#include "bridge/zone/tsig.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "bridge/secret_file.h"

namespace registry::zone {
namespace {

const Name kHmacSha256 = *NameFromText("hmac-sha256");
constexpr std::size_t kSecretFileMax = 1024;
constexpr std::size_t kMacSize = 32;
constexpr std::size_t kMacSizeLeast = 16;  // RFC 8945 §5.2.2.1: the larger of 10 and half the hash

Bytes Mac(const TsigKey& key, const Bytes& digested) {
  Bytes mac(kMacSize);
  unsigned size = 0;
  REG_CHECK(HMAC(EVP_sha256(), key.secret.data(), static_cast<int>(key.secret.size()), digested.data(),
                 digested.size(), mac.data(), &size) != nullptr &&
            size == kMacSize);
  return mac;
}

void PutPrior(Bytes& digested, const Bytes& prior) {
  if (prior.empty()) return;
  PutU16(digested, static_cast<std::uint16_t>(prior.size()));
  Put(digested, prior);
}

// RFC 8945 §4.3.3.
void PutVariables(Bytes& digested, const Name& key_name, std::uint64_t time, std::uint16_t fudge,
                  TsigError error, const Bytes& other) {
  Put(digested, key_name);
  PutU16(digested, kClassAny);
  PutU32(digested, 0);
  Put(digested, kHmacSha256);
  PutU48(digested, time);
  PutU16(digested, fudge);
  PutU16(digested, static_cast<std::uint16_t>(error));
  PutU16(digested, static_cast<std::uint16_t>(other.size()));
  Put(digested, other);
}

void PutRecord(Bytes& message, const Name& key_name, const Name& algorithm, std::uint64_t time,
               std::uint16_t fudge, const Bytes& mac, TsigError error, const Bytes& other) {
  const std::uint16_t id = static_cast<std::uint16_t>(message[0] << 8 | message[1]);
  Put(message, key_name);
  PutU16(message, kTypeTsig);
  PutU16(message, kClassAny);
  PutU32(message, 0);
  PutU16(message, static_cast<std::uint16_t>(algorithm.size() + 16 + mac.size() + other.size()));
  Put(message, algorithm);
  PutU48(message, time);
  PutU16(message, fudge);
  PutU16(message, static_cast<std::uint16_t>(mac.size()));
  Put(message, mac);
  PutU16(message, id);
  PutU16(message, static_cast<std::uint16_t>(error));
  PutU16(message, static_cast<std::uint16_t>(other.size()));
  Put(message, other);
  SetU16(message, 10, static_cast<std::uint16_t>((message[10] << 8 | message[11]) + 1));
}

struct Fields {
  std::uint16_t original_id = 0, error = 0;
  Bytes other;
};

bool ReadFields(View octets, const Record& record, TsigVerdict& verdict, Fields& fields) {
  Reader reader(octets.first(record.rdata_at + record.rdata_size), record.rdata_at);
  std::uint16_t mac_size = 0, other_size = 0;
  return record.rclass == kClassAny && record.ttl == 0 && reader.ReadName(verdict.algorithm) &&
         reader.U48(verdict.time_signed) && reader.U16(verdict.fudge) && reader.U16(mac_size) &&
         reader.Octets(mac_size, verdict.mac) && reader.U16(fields.original_id) && reader.U16(fields.error) &&
         reader.U16(other_size) && reader.Octets(other_size, fields.other) && reader.left() == 0;
}

// RFC 8945 §4.3.2: the message as it was before the TSIG was added.
Bytes WithoutTsig(View octets, const Record& record, std::uint16_t original_id) {
  Bytes message(octets.begin(), octets.begin() + static_cast<long>(record.start));
  SetU16(message, 0, original_id);
  SetU16(message, 10, static_cast<std::uint16_t>((message[10] << 8 | message[11]) - 1));
  return message;
}

TsigError CheckTime(const TsigVerdict& verdict, UtcTime now) {
  // RFC 8945 §10 recommends 300 s. A peer that allows more would let whoever caught a request say it again for hours.
  const std::int64_t fudge = std::min(verdict.fudge, kTsigFudge);
  const std::int64_t apart = now.seconds() - static_cast<std::int64_t>(verdict.time_signed);
  return apart > fudge || apart < -fudge ? TsigError::kBadTime : TsigError::kNone;
}

}  // namespace

Result<TsigKey> LoadTsigKey(const std::string& name, const std::string& secret_file) {
  auto parsed = NameFromText(name);
  if (!parsed) return Error::Make(Code::kFailed, "tsig_name_invalid", "not a key name: " + name);
  const SecretRead file = ReadSecret(secret_file, kSecretFileMax);
  if (!file.ok()) {
    const bool exposed = file.trouble == SecretTrouble::kExposed || file.trouble == SecretTrouble::kOwner;
    return Error::Make(Code::kFailed, exposed ? "tsig_secret_exposed" : "tsig_secret_unreadable",
                       "the TSIG secret " + file.why);
  }
  std::string_view base64 = file.secret.text();
  while (base64.ends_with('\n') || base64.ends_with('\r')) base64.remove_suffix(1);
  Secret secret = SecretFromBase64(base64);
  if (secret.size() < 16) {
    return Error::Make(Code::kFailed, "tsig_secret_invalid",
                       "at least 16 octets in base64 are needed: " + secret_file);
  }
  return TsigKey{*parsed, std::move(secret)};
}

std::string TsigErrorName(TsigError error) {
  switch (error) {
    case TsigError::kNone:
      return "no error";
    case TsigError::kBadSig:
      return "BADSIG";
    case TsigError::kBadKey:
      return "BADKEY";
    case TsigError::kBadTime:
      return "BADTIME";
    case TsigError::kBadTrunc:
      return "BADTRUNC";
    case TsigError::kAbsent:
      return "no TSIG";
    case TsigError::kMalformed:
      return "malformed TSIG";
  }
  return "TSIG error " + std::to_string(static_cast<int>(error));
}

TsigVerdict VerifyTsig(View octets, const Message& message, const TsigKey& key, UtcTime now,
                       const Bytes& prior) {
  TsigVerdict verdict;
  const Record* record = message.tsig();
  if (record == nullptr) return verdict;
  Fields fields;
  verdict.error = TsigError::kMalformed;
  verdict.key_name = record->owner;
  if (!ReadFields(octets, *record, verdict, fields)) return verdict;
  verdict.told = fields.error;
  // RFC 8945 §5.2: key, then MAC, then time.
  verdict.error = TsigError::kBadKey;
  if (verdict.key_name != key.name || verdict.algorithm != kHmacSha256) return verdict;
  // RFC 8945 §5.2.2.1: a MAC longer than the hash or shorter than the least allowed makes the message
  // malformed.
  verdict.error = TsigError::kMalformed;
  if (!verdict.mac.empty() && (verdict.mac.size() > kMacSize || verdict.mac.size() < kMacSizeLeast))
    return verdict;
  Bytes digested;
  PutPrior(digested, prior);
  Put(digested, WithoutTsig(octets, *record, fields.original_id));
  PutVariables(digested, key.name, verdict.time_signed, verdict.fudge, TsigError{fields.error}, fields.other);
  const Bytes mac = Mac(key, digested);
  verdict.error = TsigError::kBadSig;
  if (verdict.mac.empty() || CRYPTO_memcmp(mac.data(), verdict.mac.data(), verdict.mac.size()) != 0)
    return verdict;
  verdict.error = CheckTime(verdict, now);
  // RFC 8945 §5.2.4: truncation is checked last; policy here is the full MAC.
  if (verdict.error == TsigError::kNone && verdict.mac.size() < kMacSize)
    verdict.error = TsigError::kBadTrunc;
  return verdict;
}

Bytes SignRequest(Bytes& message, const TsigKey& key, UtcTime now) {
  const auto time = static_cast<std::uint64_t>(now.seconds());
  Bytes digested = message;
  PutVariables(digested, key.name, time, kTsigFudge, TsigError::kNone, {});
  Bytes mac = Mac(key, digested);
  PutRecord(message, key.name, kHmacSha256, time, kTsigFudge, mac, TsigError::kNone, {});
  return mac;
}

TsigStream::TsigStream(const TsigKey& key, const TsigVerdict& request)
    : key_(&key), error_(request.error), client_time_(request.time_signed), prior_(request.mac) {}

void TsigStream::Sign(Bytes& message, UtcTime now) {
  auto time = static_cast<std::uint64_t>(now.seconds());
  Bytes other;
  if (error_ == TsigError::kBadTime) {
    // RFC 8945 §5.2.3: the client's time is echoed and ours goes into the other data, so that it can see the
    // gap.
    PutU48(other, time);
    time = client_time_;
  }
  Bytes digested;
  PutPrior(digested, prior_);
  Put(digested, message);
  if (first_) {
    PutVariables(digested, key_->name, time, kTsigFudge, error_, other);
  } else {
    PutU48(digested, time);  // RFC 8945 §5.3.1: only the timers from the second message on
    PutU16(digested, kTsigFudge);
  }
  first_ = false;
  prior_ = Mac(*key_, digested);
  PutRecord(message, key_->name, kHmacSha256, time, kTsigFudge, prior_, error_, other);
}

TsigChain::TsigChain(const TsigKey& key, Bytes request_mac) : key_(&key), prior_(std::move(request_mac)) {}

TsigVerdict TsigChain::Take(View octets, const Message& message, UtcTime now) {
  TsigVerdict verdict;
  if (first_) {
    verdict = VerifyTsig(octets, message, *key_, now, prior_);
    if (verdict.error != TsigError::kNone) return verdict;
    first_ = false;
    prior_ = verdict.mac;
    return verdict;
  }
  if (message.tsig() == nullptr) {
    Put(digested_, octets);
    verdict.error = ++unsigned_ > kUnsignedMax ? TsigError::kAbsent : TsigError::kNone;
    return verdict;
  }
  verdict.error = Check(octets, message, verdict, now);
  return verdict;
}

// RFC 8945 §5.3.1: the MAC before, every message since, this one, and only the timers of its TSIG.
TsigError TsigChain::Check(View octets, const Message& message, TsigVerdict& verdict, UtcTime now) {
  const Record& record = *message.tsig();
  Fields fields;
  verdict.key_name = record.owner;
  if (!ReadFields(octets, record, verdict, fields)) return TsigError::kMalformed;
  verdict.told = fields.error;
  if (verdict.key_name != key_->name || verdict.algorithm != kHmacSha256) return TsigError::kBadKey;
  Bytes digested;
  PutPrior(digested, prior_);
  Put(digested, digested_);
  Put(digested, WithoutTsig(octets, record, fields.original_id));
  PutU48(digested, verdict.time_signed);
  PutU16(digested, verdict.fudge);
  const Bytes mac = Mac(*key_, digested);
  if (verdict.mac.size() != kMacSize || CRYPTO_memcmp(mac.data(), verdict.mac.data(), kMacSize) != 0)
    return TsigError::kBadSig;
  prior_ = verdict.mac;
  digested_.clear();
  unsigned_ = 0;
  return CheckTime(verdict, now);
}

void PutUnsignedTsig(Bytes& message, const TsigVerdict& request) {
  PutRecord(message, request.key_name, request.algorithm, request.time_signed, request.fudge, {},
            request.error, {});
}

}  // namespace registry::zone
