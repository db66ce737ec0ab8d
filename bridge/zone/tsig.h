// bridge/zone/tsig.h: transaction signatures with one shared hmac-sha256 key, both sides.
// Own code, because ldns 1.8 never checks the time signed. Comparison of MACs takes the same time wherever
// they differ. The secret lies in a file that only its owner may touch. Errors of LoadTsigKey:
// "tsig_secret_unreadable", "tsig_secret_exposed", "tsig_secret_invalid", "tsig_name_invalid".
// Threads: TsigKey is a value; a TsigStream belongs to one exchange.
// Spec: RFC 8945 §4.2 (record), §4.3 (what is digested), §5.2 (checks), §5.3.1 (many messages).
#pragma once

#include "bridge/secret.h"
#include "bridge/zone/message.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::zone {

inline constexpr std::uint16_t kTsigFudge = 300;  // seconds; of ours, and the most that a peer's is believed

struct TsigKey {
  Name name;
  Secret secret;
};
Result<TsigKey> LoadTsigKey(const std::string& name, const std::string& secret_file);

// RFC 8945 §3 and IANA's extended RCODEs; kAbsent and kMalformed never go on the wire.
enum class TsigError : std::uint16_t {
  kNone = 0,
  kBadSig = 16,
  kBadKey = 17,
  kBadTime = 18,
  kBadTrunc = 22,
  kAbsent = 0xfffe,
  kMalformed = 0xffff
};

// What a message's TSIG said.
struct TsigVerdict {
  TsigError error = TsigError::kAbsent;
  Name key_name, algorithm;
  std::uint64_t time_signed = 0;
  std::uint16_t fudge = 0;
  std::uint16_t told =
      0;  // the error its sender put into it (RFC 8945 §4.2); says nothing before the MAC is right
  Bytes mac;
};
// "BADKEY" and the like.
std::string TsigErrorName(TsigError error);

// `prior` is the request's MAC when an answer is checked, empty for a request.
TsigVerdict VerifyTsig(View octets, const Message& message, const TsigKey& key, UtcTime now,
                       const Bytes& prior = {});

// Signs the request of an exchange and gives its MAC, with which the answer is checked.
Bytes SignRequest(Bytes& message, const TsigKey& key, UtcTime now);

// Signs the answers to one request, one message after the other.
class TsigStream {
 public:
  TsigStream(const TsigKey& key, const TsigVerdict& request);
  void Sign(Bytes& message, UtcTime now);

 private:
  const TsigKey* key_;
  TsigError error_;
  std::uint64_t client_time_;
  Bytes prior_;
  bool first_ = true;
};

// Checks the messages that answer one request, one after the other, as a client of a zone transfer does. Not each of them
// needs a TSIG, but the first and the last do, and one in kUnsignedMax (RFC 8945 §5.3.1).
class TsigChain {
 public:
  TsigChain(const TsigKey& key, Bytes request_mac);
  // kNone for a message without a TSIG of its own that may be so; what it holds is believed once a later one is right.
  TsigVerdict Take(View octets, const Message& message, UtcTime now);
  bool whole() const { return !first_ && unsigned_ == 0; }  // the last message taken was signed

 private:
  TsigError Check(View octets, const Message& message, TsigVerdict& verdict, UtcTime now);

  const TsigKey* key_;
  Bytes prior_, digested_;
  bool first_ = true;
  int unsigned_ = 0;
};
inline constexpr int kUnsignedMax = 99;

// RFC 8945 §5.2.1, §5.2.2: BADKEY and BADSIG are answered with a TSIG that has no MAC.
void PutUnsignedTsig(Bytes& message, const TsigVerdict& request);

}  // namespace registry::zone
