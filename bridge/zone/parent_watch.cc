#include "bridge/zone/parent_watch.h"

#include <algorithm>

namespace registry::zone {
namespace {

constexpr std::chrono::milliseconds kParentDeadline{5000};

}  // namespace

void ParentWatch::Start() {
  if (!servers_.empty()) thread_.Start("zone-parent", [this] { Run(); });
}

void ParentWatch::Await(std::vector<Bytes> any_of) {
  {
    const MutexLock lock(mutex_);
    if (any_of == any_of_) return;
    any_of_ = std::move(any_of);
    seen_.reset();
  }
  changed_.NotifyAll();
}

std::optional<std::uint32_t> ParentWatch::Seen() const {
  const MutexLock lock(mutex_);
  return seen_;
}

void ParentWatch::Run() {
  while (!thread_.stopping()) {
    std::vector<Bytes> any_of;
    {
      MutexLock lock(mutex_);
      thread_.Wait(lock, [this]() NOT_PROVED { return !any_of_.empty() && !seen_; });
      any_of = any_of_;
    }
    if (thread_.stopping()) return;
    Round(any_of);
    MutexLock lock(mutex_);
    if (!seen_ && !thread_.Rest(lock, every_)) return;
  }
}

void ParentWatch::Round(const std::vector<Bytes>& any_of) {
  std::uint32_t ttl = 0;
  bool all = true;
  for (const ParentAddress& server : servers_) {
    const auto answer = AskDs(server, zone_, kParentDeadline, [this] { return thread_.stopping(); });
    if (thread_.stopping()) return;
    if (!answer) {
      Say(server, "cannot be asked for the DS: " + answer.error().message);
      all = false;
      continue;
    }
    const bool has = std::ranges::any_of(
        answer->rdatas, [&](const Bytes& rdata) { return std::ranges::find(any_of, rdata) != any_of.end(); });
    Say(server, has ? "has the DS that is awaited" : "does not have the DS that is awaited");
    all = all && has;
    ttl = std::max(ttl, answer->ttl);
  }
  const MutexLock lock(mutex_);
  if (all && any_of == any_of_) seen_ = ttl;
}

void ParentWatch::Say(const ParentAddress& server, const std::string& line) {
  const std::string name = server.address + " port " + std::to_string(server.port);
  if (said_[name] == line) return;
  said_[name] = line;
  log_.Info("zone: the parent's server " + name + " " + line);
}

}  // namespace registry::zone
