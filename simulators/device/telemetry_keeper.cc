#include "simulators/device/telemetry_keeper.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/eventfd.h>

namespace registry::sim {
namespace {

constexpr int kKeepAliveRoundMs = 1000;

}  // namespace

TelemetryKeeper::TelemetryKeeper(OnEnd on_end)
    : on_end_(std::move(on_end)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_.Start("telemetry", [this] { Run(); });
}

void TelemetryKeeper::Stop() {
  thread_.Stop([this] { eventfd_write(wake_.fd(), 1); });
  const MutexLock lock(mutex_);
  sessions_.clear();
  replaced_.clear();
}

void TelemetryKeeper::LetGo(const std::string& device) {
  const MutexLock lock(mutex_);
  const auto found = sessions_.find(device);
  if (found == sessions_.end()) return;
  replaced_.push_back(std::move(found->second));
  sessions_.erase(found);
  eventfd_write(wake_.fd(), 1);
}

bool TelemetryKeeper::Keep(const std::string& device, std::unique_ptr<Telemetry> session) {
  {
    const MutexLock lock(mutex_);
    if (sessions_.size() >= kSessionsMost && !sessions_.contains(device)) return false;
    auto& kept = sessions_[device];
    if (kept) replaced_.push_back(std::move(kept));
    kept = std::move(session);
  }
  eventfd_write(wake_.fd(), 1);
  return true;
}

TelemetryKeeper::Sessions TelemetryKeeper::Now() {
  std::vector<std::shared_ptr<Telemetry>> replaced;
  const MutexLock lock(mutex_);
  replaced.swap(replaced_);  // they say goodbye here
  return sessions_;
}

void TelemetryKeeper::Drop(const std::string& device, const std::shared_ptr<Telemetry>& session) {
  {
    const MutexLock lock(mutex_);
    const auto found = sessions_.find(device);
    if (found == sessions_.end() || found->second != session) return;  // a newer one has taken its place
    sessions_.erase(found);
  }
  on_end_(device, session->link().ended());
}

void TelemetryKeeper::Wait(const Sessions& sessions) const {
  std::vector<pollfd> polled = {{wake_.fd(), POLLIN, 0}};
  for (const auto& [device, session] : sessions) polled.push_back({session->link().descriptor(), POLLIN, 0});
  poll(polled.data(), polled.size(), kKeepAliveRoundMs);
  eventfd_t count = 0;
  eventfd_read(wake_.fd(), &count);
}

void TelemetryKeeper::Run() {
  while (!thread_.stopping()) {
    const Sessions sessions = Now();
    Wait(sessions);
    for (const auto& [device, session] : sessions) {
      session->link().Turn();
      ERR_clear_error();
      if (!session->link().ended().empty()) Drop(device, session);
    }
  }
}

}  // namespace registry::sim
