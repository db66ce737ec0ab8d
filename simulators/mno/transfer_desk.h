// simulators/mno/transfer_desk.h: where codes for devices of other MNOs are brought to this one: each is shown to the
// registry once, with the spare eSIM that the device's eUICC has room for.
// Owns: the listener. Threads: the listener's; `expect` is called on the client's, before the first action of the transfer
// can be heard or soon after. Transfers, report and config outlive it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "schemas/base/mutex.h"
#include "simulators/mno/config.h"

namespace registry::sim {

class TransferDesk {
 public:
  using Expect = std::function<void(const DeviceId& device, const std::string& iccid)>;
  TransferDesk(const MnoConfig& config, Transfers& transfers, Report& report, Expect expect)
      : config_(config), transfers_(transfers), report_(report), expect_(std::move(expect)) {}
  Status Open();                       // nothing without a desk_socket
  void Close() { listener_.reset(); }  // before the client goes

 private:
  void Hear(const std::shared_ptr<Connection>& from, const nlohmann::json& frame);

  const MnoConfig& config_;
  Transfers& transfers_;
  Report& report_;
  const Expect expect_;
  Mutex mutex_;
  std::set<std::string> shown_ GUARDED_BY(mutex_);  // codes
  std::unique_ptr<Listener> listener_;
};

}  // namespace registry::sim
