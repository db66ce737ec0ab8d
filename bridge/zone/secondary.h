// bridge/zone/secondary.h: what one secondary serves, learnt by asking it, and NOTIFY until it has the newest
// version. Both go over one connected UDP socket with random ids, from the address the server listens on, and both are
// signed: an answer counts only if id, QR, opcode and question fit and its TSIG verifies against the question's, for
// what it says moves the serial and tells the world that a revocation is served. A truncated answer (a rate limit)
// says nothing. The socket is made anew after failures, so its port changes. A secondary that answers nothing
// kFailuresMax times in a row is unreachable; it is then asked ever more rarely, up to kProbeRest, and told at once
// when it is back.
// Errors: why it does not serve is a warning, once per reason and kSayAgain, with its RCODE and TSIG error. An answer that
// does not verify is believed for that line only, and may lack the question.
// Keys: a secondary that does not take the key is asked with its former one, if there is one, and the other way round,
//   until it answers. That it still has the former one is said.
// Threads: the publishing thread only.        Spec: RFC 1996 §3, §4; RFC 1982; RFC 8945 §5.3.
#pragma once

#include <functional>

#include "bridge/clock.h"
#include "bridge/zone/owed_versions.h"
#include "bridge/zone/publisher.h"
#include "bridge/zone/socket.h"
#include "bridge/zone/store.h"
#include "bridge/zone/tsig_keys.h"

namespace registry::zone {

using Steady = std::chrono::steady_clock;
inline constexpr int kFailuresMax = 3;
inline constexpr std::chrono::milliseconds kAnswerLimit{700}, kProbeRest{2000}, kNotifyFirst{500},
    kNotifyRest{30'000};
// Under the 200 questions a second from which NSD's default rate limit drops and truncates answers.
inline constexpr std::chrono::milliseconds kProbeStep{6};
inline constexpr std::chrono::minutes kSayAgain{10};

class Secondary {
 public:
  Secondary(SecondaryAddress address, Name zone, SecondaryKeys keys, const Clock& clock,
            std::string source = {}, LogLine log = {});

  // The newest version; starts NOTIFY and close probing.
  void Announce(std::uint32_t serial, BlockPtr soa, Steady::time_point now);
  // Sends what is due, reads what has come.
  void Turn(Steady::time_point now);
  Steady::time_point next() const;  // when Turn has something to send
  int fd() const { return socket_.fd(); }

  // A version not newer than the announced one. RFC 1982 §3.2: what it serves lies between the two; ahead of the
  // newest it is not ours, whatever its number.
  bool Serves(std::uint32_t serial) const { return known_ && serial_ - serial <= wanted_ - serial; }
  bool known() const { return known_; }  // it has told a serial, and has the zone as far as is known
  // It serves what was never announced to it, and ignores whatever is not ahead of that (RFC 1982 §3.2).
  bool ahead() const { return known_ && SerialAhead(serial_, wanted_); }
  std::uint32_t serial() const { return serial_; }  // the last one heard
  const std::string& name() const { return address_.name; }
  bool current() const { return Serves(wanted_); }
  bool reachable() const { return failures_ < kFailuresMax; }
  Steady::duration usual_delay() const { return usual_delay_; }
  Snapshot::Lag lag(Steady::time_point now) const;
  // For how long it has lacked a version that it was told of, or has not answered.
  Steady::duration missing(Steady::time_point now) const;

 private:
  struct Question {
    std::uint16_t id = 0;
    Bytes mac;
    Steady::time_point sent;
    const TsigKey* key = nullptr;
    bool refused = false;  // something came, and does not count
  };
  struct Trouble {
    std::string said;
    Steady::time_point at;
  };
  bool Open();
  void SendProbe(Steady::time_point now);
  void SendNotify(Steady::time_point now);
  bool Send(const Bytes& message);
  void Receive(Steady::time_point now);
  void Take(View octets, Steady::time_point now);
  void TakeNotifyAnswer(const Message& message, const TsigVerdict& verdict, Steady::time_point now);
  void TakeProbeAnswer(View octets, const Message& message, const TsigVerdict& verdict,
                       Steady::time_point now);
  void TakeSerial(std::uint32_t serial, Steady::time_point now);
  void Lose(Steady::time_point now);
  void Fail(Steady::time_point now);
  void Note(Trouble& trouble, const std::string& reason, Steady::time_point now);
  Steady::duration ProbePause() const;
  const TsigKey& key() const { return former_ ? *keys_.former : *keys_.now; }

  SecondaryAddress address_;
  Name zone_;
  const SecondaryKeys keys_;
  bool former_ = false;  // is what it is spoken to with
  const Clock& clock_;
  const std::string source_;
  const LogLine log_;
  Socket socket_;
  std::uint32_t wanted_ = 0, serial_ = 0;
  OwedVersions owed_;
  BlockPtr soa_;
  bool known_ = false;
  int failures_ = 0;
  Steady::time_point silent_since_;  // while it is unreachable
  Steady::time_point announced_, probe_due_, notify_due_, probed_;
  Steady::duration usual_delay_ = std::chrono::milliseconds(10);  // from announcement to service, smoothed
  Steady::duration notify_pause_ = kNotifyFirst;
  bool sampling_ = false;  // whether the version on its way, and nothing else, is what takes time
  int probes_ = 0;         // since the announcement
  Trouble probe_trouble_, notify_trouble_;
  std::string refusal_;  // what the last answers that do not count said; empty: silence, or one that counts
  std::optional<Question> probe_, notify_;
};

}  // namespace registry::zone
