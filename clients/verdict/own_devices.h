// clients/verdict/own_devices.h: which devices are this ASP's, and for which of them it still is. An authentic certificate
// with its TLSA record proves only that a device is some device of the registry; whose it is, an ASP knows from its own
// claims and its feed.
// A device is served from the moment its claim is accepted, since it may knock before `device.activated` has come here,
// until `device.deactivated`, `device.deleted`, `device.released` or `device.suspended`; then again from `device.certified`,
// `device.activated`, `device.reactivated` or `device.resumed` on. A device that goes to another ASP is this one's until
// `transfer.completed` says so.
// Owns: what it was told, which ends with the process. Threads: any. Limits: one entry per device ever heard of.
// Errors (verdict.h): device_not_claimed, device_not_active.
// Notifications may come out of order, since a gap is filled later: of two about one device the higher `seq` counts, and one
// that comes again says nothing.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "schemas/base/mutex.h"
#include "schemas/base/result.h"

namespace registry::clients {

// Which devices are served: those of this ASP alone, or any of the registry. None that is known to be over.
enum class Whose { kOwn, kAny };

class OwnDevices {
 public:
  // The device.claim was accepted just now, so it counts more than what was heard before.
  void Claimed(const std::string& device);
  void Heard(const std::string& type, const std::string& device, std::uint64_t seq);
  // It went to another ASP, which a notification of this number says. As one that was never claimed.
  void Lost(const std::string& device, std::uint64_t seq);
  // A list kept elsewhere: what is on it counts as claimed, what was on the list before and is no more counts as lost.
  void Listed(const std::set<std::string>& devices);
  Status MayTalk(const std::string& device, Whose whose = Whose::kOwn) const;

 private:
  struct Known {
    std::uint64_t seq = 0;  // of the last notification about it; 0: there was none
    bool over = false;
    bool lost = false;
    bool elsewhere = false;  // lost by a transfer
  };
  static bool IsNew(std::uint64_t seq, const Known& known);
  mutable Mutex mutex_;
  std::map<std::string, Known> known_ GUARDED_BY(mutex_);  // by device
  std::set<std::string> listed_ GUARDED_BY(mutex_);
};

}  // namespace registry::clients
