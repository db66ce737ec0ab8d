// simulators/link/frames.h: the stand-ins for what cannot be had: the radio network between an MNO and its devices, and
// the sales desk over which an MNO hands authorisation codes to an ASP. Length-prefixed JSON frames over a Unix-domain
// stream socket: 4 octets big-endian length, then one JSON object with member "t" (type).
//
// Radio (socket of the MNO simulator, devices connect; one connection carries many devices, each frame names its device
// by its ICCID, the only name the MNO's network knows):
//   device -> mno  power_on {iccid, eid}              the SIM attaches to the network
//   mno -> device  bootstrap {iccid, bootstrap}       the pre-provisioned part of the payload (schema bootstrap)
//   mno -> device  key_generate {iccid, job}          do/key.generate, over the air
//   device -> mno  csr {iccid, job, csr}              PEM
//   mno -> device  certificate {iccid, certificate}   base64 DER, from csr.submit/accepted
//   mno -> device  payload {iccid, job, version, cms, containers}
//   device -> mno  payload_result {iccid, job, outcome, stage, reason, retriable}
//   mno -> device  card_read {iccid}                   over the air, as the profile's issuer
//   device -> mno  card_files {iccid, files}           [{id, content}], the pilot's files that are there
//   mno -> device  wipe {iccid, job}
//   device -> mno  wiped {iccid, job, outcome}
//   mno -> device  profile_delete {iccid, job}         by the eUICC, whether the profile is enabled or not
//   device -> mno  profile_done {iccid, job, outcome, reason}
// Instead of payload and wipe, where an MNO has a platform for its cards (simulators/ota):
//   mno -> device  sms {iccid, id, ud}                 a short message for the card; ud: its user data, hex
//   device -> mno  sms_report {iccid, id, cause, ud}   the delivery report; cause: TP-FCS, 0 when it was taken
//   device -> mno  sms_submit {iccid, ud}              a short message of the card's own
//   mno -> device  report_ask {iccid, job}             what has become of it: payload_result or wiped, if it is on the card
// Desk (socket of an ASP's or MNO's simulator, others connect):
//   mno -> asp     authorisation {device, code}
//   asp -> asp, mno -> mno  transfer {device, code, eid}, from whoever gives the device away; an ASP says no eid
//   back           noted {device}
// Fault model: Faults below, applied by the sender from a seed: a frame may be lost, repeated or late; it is never
// altered in silence. Whoever needs an answer repeats with a deadline, as over SMS.
// Threads: one reader thread per Connection, owned by it; Send from any thread. Limits: frame_max octets, write queue
// send_queue_max frames (Send then blocks up to its deadline and answers false).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "schemas/base/result.h"

namespace registry::sim {

struct Faults {
  double lose = 0, repeat = 0;  // probability per frame
  std::chrono::milliseconds delay_max{0};
  std::uint64_t seed = 1;
};

inline constexpr std::size_t kFrameMax = 1 << 20;
inline constexpr std::size_t kSendQueueMax = 65536;

class Connection {
 public:
  virtual ~Connection() = default;
  virtual bool Send(const nlohmann::json& frame, std::chrono::milliseconds deadline) = 0;
  virtual bool open() const = 0;
  virtual void Close() = 0;
  // Closes, and waits until no handler runs any more, so that what the handlers use may go. On the read thread itself,
  // in a handler, it only closes. Letting go of the last owner's pointer is not enough: a handler holds one too.
  virtual void Finish() = 0;
};

// The frame is the handler's to keep.
using FrameHandler = std::function<void(const std::shared_ptr<Connection>&, nlohmann::json)>;
using CloseHandler = std::function<void(const std::shared_ptr<Connection>&)>;

// Connects, retrying until the deadline.
Result<std::shared_ptr<Connection>> Dial(const std::string& socket_path, std::chrono::milliseconds deadline,
                                         FrameHandler on_frame, CloseHandler on_close, Faults faults = {});

class Listener {
 public:
  virtual ~Listener() = default;  // closes every connection and joins every thread
  static Result<std::unique_ptr<Listener>> Open(const std::string& socket_path, FrameHandler on_frame,
                                                CloseHandler on_close, Faults faults = {});
};

}  // namespace registry::sim
