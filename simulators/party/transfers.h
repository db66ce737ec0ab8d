// simulators/party/transfers.h: a party's part in transfers, MNO or ASP alike. It gives a device away: asks the registry for
// a code and hands that to the other party's desk. It takes one: requests the transfer with the code that came over its own
// desk. It answers for the devices it is to lose, as it was told to, and by its console for the one transfer that it heard
// of last of a device.
// Threads: any. Client, desks and report outlive it. Errors: reported, {"event":"transfer",...,"ok":false,"reason"}.
// Privacy: codes are said to nobody but the desk.
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "schemas/base/mutex.h"
#include "schemas/wire/life_messages.h"
#include "simulators/console/report.h"
#include "simulators/mqtt/client.h"
#include "simulators/party/desks.h"

namespace registry::sim {

enum class TransferAnswer { kApprove, kReject, kNone };
// "approve", "reject" or "none".
std::optional<TransferAnswer> TransferAnswerOf(const std::string& text);

class Transfers {
 public:
  Transfers(PartyClient& client, Desks& desks, Report& report, TransferAnswer answer)
      : client_(client), desks_(desks), report_(report), answer_(answer) {}

  // `desk` is the frame's other members, e.g. by what the other party finds the device.
  void Give(const DeviceId& device, const std::string& to, nlohmann::json desk);
  // `device` for the report, since a request may name only its EID. `accepted` hears of the transfer before it is reported.
  using Accepted = std::function<void(const wire::TransferState&)>;
  void Request(wire::TransferRequest request, const std::string& device, Accepted accepted);
  // A notification: of a transfer by which this party is to lose a device, the answer follows.
  void Heard(const std::string& type, const nlohmann::json& data, const std::string& self);
  // {"cmd":"answer","answer":"approve"|"reject"|"none"} from now on; {"cmd":"approve"|"reject"|"cancel","device":UUID}.
  // False: it is another command.
  bool Control(const nlohmann::json& command);

 private:
  template <class Command>
  void Decide(const TransferId& transfer, const std::string& device, const char* what);
  void Note(const std::string& device, const TransferId& transfer);
  void Say(const char* what, const std::string& device, const Reply& reply);

  PartyClient& client_;
  Desks& desks_;
  Report& report_;
  std::atomic<TransferAnswer> answer_;
  Mutex mutex_;
  std::map<std::string, TransferId> last_ GUARDED_BY(mutex_);  // by device
};

}  // namespace registry::sim
