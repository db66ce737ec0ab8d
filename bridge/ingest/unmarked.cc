#include "bridge/ingest/unmarked.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kOwnOctets = 256;  // of an entry itself, roughly

std::size_t OctetsOf(const Unmarked::Answer& answer) {
  if (const auto* reply = std::get_if<domain::OutgoingMessage>(&answer.what)) {
    return kOwnOctets + reply->topic.size() + reply->payload.size() + reply->correlation_data.size();
  }
  const auto& letter = std::get<domain::DeadLetter>(answer.what);
  return kOwnOctets + letter.topic.size() + letter.payload.size();
}

}  // namespace

void Unmarked::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Unmarked::Add(Answer answer) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return octets_ < kOctetsMax || stopping_; });
    if (stopping_) return;  // its record stays in the intake
    octets_ += OctetsOf(answer);
    waiting_.push_back(std::move(answer));
  }
  changed_.notify_all();
}

void Unmarked::Run() {
  std::vector<Answer> answers;
  std::unique_lock lock(mutex_);
  while (true) {
    if (answers.empty()) {
      changed_.wait(lock, [this] { return !waiting_.empty() || stopping_; });
      if (waiting_.empty()) return;
      answers.swap(waiting_);
      octets_ = 0;
    }
    lock.unlock();
    changed_.notify_all();
    if (Keep(answers)) answers.clear();
    lock.lock();
    if (answers.empty()) continue;
    changed_.wait_for(lock, retry_after_, [this] { return stopping_; });
    if (stopping_) return;
  }
}

bool Unmarked::Keep(const std::vector<Answer>& answers) {
  domain::Changeset changes;
  for (const Answer& answer : answers) {
    if (const auto* reply = std::get_if<domain::OutgoingMessage>(&answer.what)) {
      changes.messages.push_back(*reply);
    } else {
      changes.dead_letters.push_back(std::get<domain::DeadLetter>(answer.what));
    }
  }
  const Status committed = ledger_.Commit(std::move(changes));
  if (!committed) {
    observer_.Log(3, std::to_string(answers.size()) + " rejections not kept, tried again: " +
                         committed.error().symbol + ": " + committed.error().message);
  }
  for (const Answer& answer : answers) {
    if (committed) intake_.MarkDone(answer.ticket);
    observer_.CommandDone(answer.command, committed ? answer.outcome : "failed",
                          committed ? answer.symbol : committed.error().symbol, std::chrono::microseconds(0));
  }
  return committed.ok();
}

void Unmarked::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace registry::ingest
