#include "simulators/link/channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace registry::sim {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kWriteSize = 256 * 1024;

void AppendFrame(std::string& out, const std::string& body) {
  const auto size = static_cast<std::uint32_t>(body.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift & 0xff));
  out += body;
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
  std::string body = frame.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (body.size() > kFrameMax) return false;
  MutexLock lock(mutex_);
  if (!room_.WaitFor(lock, deadline,
                     [this]() REQUIRES(mutex_) { return !open_ || queue_.size() < kSendQueueMax; }))
    return false;
  if (!open_) return false;
  std::uniform_real_distribution<double> chance(0, 1);
  if (faults_.lose > 0 && chance(random_) < faults_.lose) return true;
  const bool idle = queue_.empty();
  if (faults_.repeat > 0 && chance(random_) < faults_.repeat) queue_.emplace(DueOfOne(), body);
  const auto place = queue_.emplace(DueOfOne(), std::move(body));
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
    AppendFrame(out, queue_.begin()->second);
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

// Into what is left of the buffer, which is cleared no more than once: clearing it costs more than most frames.
bool Channel::Refill() {
  if (consumed_ == filled_) consumed_ = filled_ = 0;
  if (buffer_.size() < filled_ + kReadSize && consumed_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + consumed_, filled_ - consumed_);
    filled_ -= std::exchange(consumed_, 0);
  }
  if (buffer_.size() < filled_ + kReadSize) buffer_.resize(filled_ + kReadSize);
  ssize_t n = 0;
  do {
    n = ::recv(socket_, buffer_.data() + filled_, kReadSize, 0);
  } while (n < 0 && errno == EINTR);
  filled_ += static_cast<std::size_t>(n > 0 ? n : 0);
  return n > 0;
}

const char* Channel::Take(std::size_t size) {
  while (filled_ - consumed_ < size) {
    if (!Refill()) return nullptr;
  }
  return buffer_.data() + std::exchange(consumed_, consumed_ + size);
}

void Channel::ReadLoop(const OnFrame& on_frame) {
  while (const char* length = Take(4)) {
    const std::uint32_t size = LengthOf(length);
    if (size > kFrameMax) break;
    const char* body = Take(size);
    if (body == nullptr) break;
    auto frame = nlohmann::json::parse(body, body + size, nullptr, false);
    if (!frame.is_object() || !frame.contains("t") || !frame["t"].is_string()) break;
    on_frame(std::move(frame));
    if (!open()) break;
  }
  Close();
}

}  // namespace registry::sim
