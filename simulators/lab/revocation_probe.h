// simulators/lab/revocation_probe.h: when a device that is revoked is no longer in the DNS: asked of the public name server
// and of the devices' resolver, again and again, from a moment before the command on.
// Owns: a thread that ends when both have said so, or with the object. Threads: all calls from any.
#pragma once

#include <optional>
#include <string>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/lab/layout.h"

namespace registry::lab {

class RevocationProbe {
 public:
  // `name`: the device's in the DNS. The resolver is asked at once, so that it holds the record. The clock starts then.
  RevocationProbe(const Layout& layout, std::string name);

  // Since the clock was started; none: it still says that the record is there.
  std::optional<double> unserved_ms() const;     // the name server
  std::optional<double> disbelieved_ms() const;  // the resolver, validated
  double elapsed_ms() const;

 private:
  void Run();

  const std::string name_;
  const std::uint16_t authority_, resolver_;
  std::chrono::steady_clock::time_point begun_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::optional<double> unserved_ GUARDED_BY(mutex_), disbelieved_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::lab
