#include "simulators/link/channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace registry::sim {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kWriteSize = 256 * 1024;

std::string WithLength(const std::string& body) {
  const auto size = static_cast<std::uint32_t>(body.size());
  std::string frame;
  frame.reserve(body.size() + 4);
  for (int shift = 24; shift >= 0; shift -= 8) frame.push_back(static_cast<char>(size >> shift & 0xff));
  return frame + body;
}

std::uint32_t LengthOf(const char* octets) {
  std::uint32_t size = 0;
  for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<std::uint8_t>(octets[i]);
  return size;
}

bool WriteAll(int socket, const std::string& data) {
  for (std::size_t sent = 0; sent < data.size();) {
    const ssize_t n = ::send(socket, data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

Channel::Channel(int socket, Faults faults) : socket_(socket), faults_(faults), random_(faults.seed) {}

Channel::~Channel() { ::close(socket_); }

bool Channel::open() const {
  const MutexLock lock(mutex_);
  return open_;
}

void Channel::Close() {
  {
    const MutexLock lock(mutex_);
    if (!open_) return;
    open_ = false;
    queue_.clear();
  }
  ::shutdown(socket_, SHUT_RDWR);  // wakes a blocked recv or send
  work_.NotifyAll();
  room_.NotifyAll();
}

Channel::Clock::time_point Channel::DueOfOne() {
  const auto now = Clock::now();
  if (faults_.delay_max.count() == 0) return now;
  std::uniform_int_distribution<std::int64_t> delay(0, faults_.delay_max.count());
  return now + std::chrono::milliseconds(delay(random_));
}

bool Channel::Send(const nlohmann::json& frame, std::chrono::milliseconds deadline) {
  const std::string body = frame.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (body.size() > kFrameMax) return false;
  MutexLock lock(mutex_);
  if (!room_.WaitFor(lock, deadline,
                     [this]() REQUIRES(mutex_) { return !open_ || queue_.size() < kSendQueueMax; }))
    return false;
  if (!open_) return false;
  std::uniform_real_distribution<double> chance(0, 1);
  if (faults_.lose > 0 && chance(random_) < faults_.lose) return true;
  const bool idle = queue_.empty();
  std::string bytes = WithLength(body);
  if (faults_.repeat > 0 && chance(random_) < faults_.repeat) queue_.emplace(DueOfOne(), bytes);
  const auto place = queue_.emplace(DueOfOne(), std::move(bytes));
  const bool first = place == queue_.begin();
  lock.Unlock();
  if (idle || first) work_.NotifyOne();
  return true;
}

bool Channel::TakeDue(std::string& out) {
  MutexLock lock(mutex_);
  for (;;) {
    if (!open_) return false;
    if (queue_.empty()) {
      work_.Wait(lock);
      continue;
    }
    const auto due = queue_.begin()->first;
    if (due <= Clock::now()) break;
    work_.WaitUntil(lock, due);
  }
  const auto now = Clock::now();
  while (!queue_.empty() && queue_.begin()->first <= now && out.size() < kWriteSize) {
    out += queue_.begin()->second;
    queue_.erase(queue_.begin());
  }
  lock.Unlock();
  room_.NotifyAll();
  return true;
}

void Channel::WriteLoop() {
  for (std::string batch; TakeDue(batch); batch.clear()) {
    if (!WriteAll(socket_, batch)) return Close();
  }
}

bool Channel::Refill() {
  buffer_.erase(0, consumed_);
  consumed_ = 0;
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + kReadSize);
  ssize_t n = 0;
  do {
    n = ::recv(socket_, buffer_.data() + kept, kReadSize, 0);
  } while (n < 0 && errno == EINTR);
  buffer_.resize(kept + static_cast<std::size_t>(n > 0 ? n : 0));
  return n > 0;
}

bool Channel::ReadExact(char* out, std::size_t size) {
  while (buffer_.size() - consumed_ < size) {
    if (!Refill()) return false;
  }
  std::memcpy(out, buffer_.data() + consumed_, size);
  consumed_ += size;
  return true;
}

void Channel::ReadLoop(const OnFrame& on_frame) {
  char length[4];
  std::string body;
  while (ReadExact(length, sizeof length)) {
    const std::uint32_t size = LengthOf(length);
    if (size > kFrameMax) break;
    body.resize(size);
    if (!ReadExact(body.data(), size)) break;
    const auto frame = nlohmann::json::parse(body, nullptr, false);
    if (!frame.is_object() || !frame.contains("t") || !frame["t"].is_string()) break;
    on_frame(frame);
    if (!open()) break;
  }
  Close();
}

}  // namespace registry::sim
