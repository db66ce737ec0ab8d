// simulators/mno/over_the_air.h: how an MNO's payloads and wipes reach its cards: a platform (simulators/ota) with a short
// message centre, or HTTP sessions that the platform asks for by short message; or, direct, not at all: then the device is
// told over the radio and writes its card itself (link/frames.h), which costs least.
// Owns: platform, centre, the sessions' server, and the thread `ota`. Threads: calls from any; `send` and `failed` are
//   called without a lock of this room's, on that thread or a session's. Both, and the report, outlive it.
// Fault model: of the short messages, OtaConfig::sms (ota/sms_centre.h), besides that of the radio.
// Errors: a parcel that does not get through is told by `failed`; one that does is the device's to report.
// It says {"event":"ota","job","ok","reason","packets","repeated","resyncs","sessions"} of each parcel; figures are of all
//   so far.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "schemas/ids/ids.h"
#include "simulators/console/report.h"
#include "simulators/mno/errands.h"
#include "simulators/ota/admin_server.h"
#include "simulators/ota/platform.h"
#include "simulators/ota/sms_centre.h"

namespace registry::sim {

struct OtaConfig {
  std::optional<ota::Bearer> bearer;        // none: direct
  std::map<std::string, ota::KeySet> keys;  // by ICCID
  ota::SmsOptions sms;
  ota::PlatformOptions platform;
  std::string admin_socket;  // of the HTTP sessions
  ota::AdminServer::Options http;
};

Result<OtaConfig> ReadOtaConfig(const nlohmann::json& config);

class OverTheAir {
 public:
  using Send = std::function<void(const std::string& iccid, nlohmann::json frame)>;
  using Failed = std::function<void(const JobId& job, const nlohmann::json& result)>;
  virtual ~OverTheAir() = default;
  virtual void Stop() = 0;  // no call comes from here any more; the others do nothing then
  static Result<std::unique_ptr<OverTheAir>> Start(const OtaConfig& config, Report& report, Send send,
                                                   Failed failed);

  // Whether the job goes this way; `data` is the registry's action.
  virtual bool Carry(ErrandKind kind, const JobId& job, const std::string& iccid,
                     const nlohmann::json& data) = 0;
  virtual void Cancel(const JobId& job) = 0;
  virtual void Settle(const JobId& job) = 0;  // its device has answered
  // Of the frames that devices send; false: it is none of these.
  virtual bool Hear(const std::string& type, const std::string& iccid, const nlohmann::json& frame) = 0;
};

}  // namespace registry::sim
