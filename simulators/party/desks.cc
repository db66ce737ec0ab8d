#include "simulators/party/desks.h"

#include <vector>

#include "simulators/link/text.h"

namespace registry::sim {
namespace {

constexpr std::chrono::milliseconds kDialPatience{100}, kSendPatience{100};

}  // namespace

Desks::Desks(std::map<std::string, std::string> sockets, std::chrono::milliseconds repeat_after)
    : repeat_after_(repeat_after) {
  for (auto& [asp, socket] : sockets) desks_[asp].socket = socket;
  thread_.Start("desks", [this] { Loop(); });
}

Desks::~Desks() {
  thread_.Stop();
  for (auto& [asp, desk] : desks_) {
    if (desk.connection) desk.connection->Finish();  // its reader may be in Noted
  }
}

void Desks::HandOver(const std::string& party, nlohmann::json frame) {
  std::shared_ptr<Connection> connection;
  {
    const MutexLock lock(mutex_);
    const auto desk = desks_.find(party);
    if (desk == desks_.end()) return;
    desk->second.waiting[Text(frame, "device")] = frame;
    connection = desk->second.connection;
  }
  if (connection && connection->open() && connection->Send(frame, kSendPatience)) return;
  {
    const MutexLock lock(mutex_);
    handed_over_ = true;
  }
  wake_.NotifyAll();
}

void Desks::Loop() {
  MutexLock lock(mutex_);
  while (!thread_.stopping()) {
    handed_over_ = false;
    lock.Unlock();
    for (auto& [asp, desk] : desks_) Visit(desk);
    lock.Lock();
    thread_.WaitFor(lock, repeat_after_, [this]() REQUIRES(mutex_) { return handed_over_; });
  }
}

void Desks::Visit(Desk& desk) {
  std::shared_ptr<Connection> connection;
  {
    const MutexLock lock(mutex_);
    if (desk.waiting.empty()) return;
    connection = desk.connection;
  }
  if (!connection || !connection->open()) {
    auto dialled = Dial(
        desk.socket, kDialPatience,
        [this, &desk](const auto&, const nlohmann::json& frame) { Noted(desk, frame); }, nullptr);
    if (!dialled) return;
    connection = *dialled;
  }
  std::vector<nlohmann::json> frames;
  std::shared_ptr<Connection> earlier = connection;
  {
    const MutexLock lock(mutex_);
    std::swap(desk.connection, earlier);
    for (const auto& [device, frame] : desk.waiting) frames.push_back(frame);
  }
  if (earlier && earlier != connection) earlier->Finish();
  for (const auto& frame : frames) connection->Send(frame, kSendPatience);
}

void Desks::Noted(Desk& desk, const nlohmann::json& frame) {
  if (Text(frame, "t") != "noted") return;
  const MutexLock lock(mutex_);
  desk.waiting.erase(Text(frame, "device"));
}

}  // namespace registry::sim
