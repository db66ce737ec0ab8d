// bridge/update/dialogue.h: requests to one server over one TCP connection, signed, and their answers, verified.
// Owns: the connection. It is opened when it is needed and kept; one that has failed is opened anew by the next call.
// Requests may be answered in any order (RFC 7766 §6.2.1.1); at most kUnanswered are on their way.
// Keys: a server that does not take the key is asked with its former one, if there is one, and the other way round.
// Errors: zone_update_failed: unreachable, no answer in time, an answer that is none to the request or does not verify.
//   Whether the server has done what was asked is not known then.
// Threads: one.        Spec: RFC 8945 §5.3, RFC 7766.
#pragma once

#include <memory>
#include <optional>

#include "bridge/clock.h"
#include "bridge/zone/conversation.h"
#include "bridge/zone/publisher.h"
#include "bridge/zone/tsig_keys.h"

namespace registry::update {

inline constexpr std::size_t kUnanswered = 20;  // BIND reads no more than 23 ahead
inline constexpr const char* kUpdateFailed = "zone_update_failed";
inline Error UpdateFailed(const std::string& why) { return Error::Make(Code::kFailed, kUpdateFailed, why); }

struct Answer {
  Bytes octets;
  zone::Message message;
};

class Dialogue {
 public:
  Dialogue(std::string address, std::uint16_t port, zone::SecondaryKeys keys, const Clock& clock,
           std::function<bool()> stopping);

  // The answers in the order of the requests, which get their ids here. `within`: for each kUnanswered of them.
  Result<std::vector<Answer>> Ask(std::vector<Bytes> requests, std::chrono::milliseconds within);
  const Clock& clock() const { return clock_; }
  bool with_former_key() const { return former_; }  // it was answered with that last

 private:
  struct Asked {
    std::uint16_t id = 0;
    Bytes mac;
  };
  Status Open(zone::Conversation::Clock::time_point until);
  Status AskSome(std::span<Bytes> requests, std::vector<Answer>& answers,
                 zone::Conversation::Clock::time_point until);
  Result<Answer> Check(Bytes octets, std::span<const Asked> asked, std::size_t& place);
  const zone::TsigKey& key() const { return former_ ? *keys_.former : *keys_.now; }
  bool TakeOtherKey();

  const std::string address_;
  const std::uint16_t port_;
  const zone::SecondaryKeys keys_;
  bool former_ = false;   // is what it is asked with
  bool refused_ = false;  // the key, by the last answer
  const Clock& clock_;
  const std::function<bool()> stopping_;
  std::optional<zone::Conversation> open_;
};

}  // namespace registry::update
