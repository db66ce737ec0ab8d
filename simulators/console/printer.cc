#include "simulators/console/printer.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace registry::sim {

Printer::Printer(int descriptor) : descriptor_(descriptor) {
  thread_.Start("print", [this] { Loop(); });
}

Printer::~Printer() { thread_.Stop(); }

void Printer::Print(const nlohmann::json& event) {
  const std::string line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  MutexLock lock(mutex_);
  room_.Wait(lock, [this]() REQUIRES(mutex_) { return lines_.size() < kUnreadMax || thread_.stopping(); });
  lines_ += line;
  if (!waiting_) return;  // it looks by itself
  lock.Unlock();
  said_.NotifyOne();
}

void Printer::Loop() {
  MutexLock lock(mutex_);
  while (true) {
    waiting_ = true;
    thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !lines_.empty(); });
    waiting_ = false;
    if (lines_.empty()) return;
    const std::string lines = std::exchange(lines_, {});
    lock.Unlock();
    room_.NotifyAll();
    Write(lines);
    lock.Lock();
    thread_.Rest(lock, kMoment);
  }
}

// Nobody reads any more: what is left has no one to go to.
void Printer::Write(const std::string& lines) const {
  for (std::size_t written = 0; written < lines.size();) {
    const ssize_t size = ::write(descriptor_, lines.data() + written, lines.size() - written);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    written += static_cast<std::size_t>(size);
  }
}

}  // namespace registry::sim
