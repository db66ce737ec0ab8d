#include "bridge/app/members_watch.h"

#include <algorithm>

#include "bridge/app/sessions_left.h"

namespace registry::app {
namespace {

// A registry that heard alone may have left one for each of its parties; commands are sent to those of nodes now.
std::vector<std::string> OfNodesFirst(const std::set<std::string>& sessions) {
  std::vector<std::string> all(sessions.begin(), sessions.end());
  std::stable_partition(all.begin(), all.end(),
                        [](const std::string& id) { return id.find('@') != std::string::npos; });
  return all;
}

}  // namespace

MembersWatch::MembersWatch(Options options, Ways ways, ledger::KeptState& kept)
    : options_(std::move(options)),
      ways_(std::move(ways)),
      kept_(kept),
      judge_(options_.patience, options_.every) {}

void MembersWatch::Start() {
  thread_.Start("members", [this] { Run(); });
}

void MembersWatch::Told(const std::string& client_id) {
  const MutexLock lock(mutex_);
  told_.insert(client_id);
}

void MembersWatch::Run() {
  MutexLock lock(mutex_);
  do {
    lock.Unlock();
    if (admitted_ || Begin()) Step(std::chrono::steady_clock::now());
    lock.Lock();
  } while (thread_.Rest(lock, options_.every));
}

bool MembersWatch::Said(const Status& status, const std::string& what) {
  if (status) return true;
  const std::string line = "members: " + what + ": " + status.error().message;
  if (complaints_.Due(line, SayOnce::Steady::now())) options_.log.Warning(line);
  return false;
}

bool MembersWatch::KeepLeft() {
  return Said(KeepSessionsLeft(left_, kept_), "which sessions the broker has cannot be kept");
}

// Its own session first: should this process end now, the next one inherits from it.
bool MembersWatch::Begin() {
  const auto left = SessionsLeft(kept_);
  if (!left) return Said(left.error(), "which sessions the broker has cannot be read");
  left_ = !left->empty() ? *left : std::set<std::string>(options_.before.begin(), options_.before.end());
  left_.insert(IdOf(options_.self));
  admitted_ = KeepLeft() && Said(ways_.admit(), "none are taken");
  return admitted_;
}

void MembersWatch::Step(Time now) {
  const auto seen = ways_.look();
  if (!seen) {
    judge_.Missed();
    Said(seen.error(), "they cannot be looked at");
    return;
  }
  const auto judged = judge_.Look(*seen, now);
  NoteLiving(judged.living);
  for (const ledger::MemberSeen& gone : judged.gone) {
    // A member from before this node was active is one again soon, if it lives. The former active one is known already.
    if (first_look_ && gone.ended && !left_.contains(IdOf(gone.name)))
      not_before_.try_emplace(IdOf(gone.name), now + options_.patience);
    if (Note(IdOf(gone.name)) && TakeOver(gone)) taken_over_.erase(gone.number);
  }
  first_look_ = false;
  TakeTold();
  Inherit(now);
}

// Their rows say that they have a session.
void MembersWatch::NoteLiving(const std::set<std::string>& names) {
  alive_.clear();
  bool changed = false;
  for (const std::string& name : names) {
    const std::string id = IdOf(name);
    alive_.insert(id);
    ways_.spare(id);
    if (name != options_.self) changed = left_.erase(id) > 0 || changed;
  }
  if (changed) KeepLeft();
}

bool MembersWatch::Note(const std::string& client_id) {
  if (!left_.insert(client_id).second) return true;
  if (KeepLeft()) return true;
  left_.erase(client_id);
  return false;
}

bool MembersWatch::TakeOver(const ledger::MemberSeen& gone) {
  if (!Said(ways_.end(gone.number), gone.name + " cannot be ended")) return false;
  if (!taken_over_.contains(gone.number)) {
    const auto messages = ways_.take_over(gone.number);
    if (!messages) return Said(messages.error(), "what " + gone.name + " kept cannot be read");
    taken_over_.insert(gone.number);
    options_.log.Info("members: " + gone.name + " is a member no longer, " + std::to_string(*messages) +
                      " messages that it had not decided are decided here");
  }
  return Said(ways_.forget(gone.number), gone.name + " cannot be forgotten");
}

void MembersWatch::TakeTold() {
  std::set<std::string> told;
  {
    const MutexLock lock(mutex_);
    told.swap(told_);
  }
  for (const std::string& id : told) {
    // One that lives has a new one by now.
    if (id == IdOf(options_.self) || alive_.contains(id) || left_.erase(id) == 0) continue;
    not_before_.erase(id);
    KeepLeft();
  }
}

void MembersWatch::Inherit(Time now) {
  std::set<std::string> told;  // since TakeTold
  {
    const MutexLock lock(mutex_);
    told = told_;
  }
  for (const std::string& id : OfNodesFirst(left_)) {
    if (told.contains(id)) continue;
    const auto rest = not_before_.find(id);
    const bool may_come = rest != not_before_.end() && now < rest->second;
    if (id != IdOf(options_.self) && !alive_.contains(id) && !may_come) ways_.inherit(id);
  }
}

}  // namespace registry::app
