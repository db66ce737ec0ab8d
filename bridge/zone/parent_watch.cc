#include "bridge/zone/parent_watch.h"

#include <algorithm>

namespace registry::zone {
namespace {

constexpr std::chrono::milliseconds kParentDeadline{5000};

// RFC 4034 §5.1: key tag, algorithm, digest type, digest.
std::optional<std::uint8_t> AlgorithmOf(const Bytes& ds) {
  return ds.size() > 3 ? std::optional<std::uint8_t>(ds[2]) : std::nullopt;
}

}  // namespace

void ParentWatch::Start() {
  if (!servers_.empty()) thread_.Start("zone-parent", [this] { Run(); });
}

void ParentWatch::Await(std::vector<Bytes> any_of, std::optional<std::uint8_t> gone) {
  Awaited awaited{std::move(any_of), gone};
  {
    const MutexLock lock(mutex_);
    if (awaited == awaited_) return;
    awaited_ = std::move(awaited);
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
    Awaited awaited;
    {
      MutexLock lock(mutex_);
      thread_.Wait(lock, [this]() NOT_PROVED { return !awaited_.any_of.empty() && !seen_; });
      awaited = awaited_;
    }
    if (thread_.stopping()) return;
    Round(awaited);
    MutexLock lock(mutex_);
    if (!seen_ && !thread_.Rest(lock, every_)) return;
  }
}

void ParentWatch::Round(const Awaited& awaited) {
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
    const bool has = std::ranges::any_of(answer->rdatas, [&](const Bytes& rdata) {
      return std::ranges::find(awaited.any_of, rdata) != awaited.any_of.end();
    });
    const bool gone = !std::ranges::any_of(answer->rdatas, [&](const Bytes& rdata) {
      return awaited.gone && AlgorithmOf(rdata) == awaited.gone;
    });
    Say(server, !has   ? "does not have the DS that is awaited"
                : gone ? "has the DS that is awaited"
                       : "has the DS that is awaited, and one of the former algorithm still");
    all = all && has && gone;
    ttl = std::max(ttl, answer->ttl);
  }
  const MutexLock lock(mutex_);
  if (all && awaited == awaited_) seen_ = ttl;
}

void ParentWatch::Say(const ParentAddress& server, const std::string& line) {
  const std::string name = server.address + " port " + std::to_string(server.port);
  if (said_[name] == line) return;
  said_[name] = line;
  log_.Info("zone: the parent's server " + name + " " + line);
}

}  // namespace registry::zone
