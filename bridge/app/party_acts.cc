#include "bridge/app/party_acts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bridge/ledger/sound.h"
#include "workers/domain/compose.h"

namespace registry::app {
namespace {

constexpr std::chrono::seconds kLookForActs{1};

std::string Word(const nlohmann::json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

// Not in the middle of a character (RFC 3629 §3).
std::string Cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

std::string InWords(const std::string& text) {
  const auto line = nlohmann::json::parse(text, nullptr, false);
  if (!line.is_object()) return "a line that cannot be read";
  std::string words = Word(line, "event") + " " + Word(line, "party");
  if (const auto serials = line.find("serials"); serials != line.end() && serials->is_array()) {
    std::string list;
    for (const auto& serial : *serials) {
      if (serial.is_string()) list += (list.empty() ? "" : " ") + serial.get<std::string>();
    }
    if (!list.empty()) words += ", serials " + list;
  }
  if (const std::string detail = Word(line, "detail"); !detail.empty()) words += ", " + detail;
  return words + ", at " + Word(line, "time") + " by " + Word(line, "user");
}

Error ActsFailed(const std::string& file, const std::string& why) {
  return Error::Make(Code::kFailed, "file_failed", file + ": " + why);
}

}  // namespace

void PartyActs::Start() {
  std::error_code failed;
  const bool there = std::filesystem::exists(file_, failed);
  log_.Info("acts on parties are taken from " + file_ +
            (there ? "" : ", which is not there: none until registryctl writes it"));
  thread_.Start("parties", [this] { Run(); });
}

void PartyActs::Run() {
  MutexLock lock(mutex_);
  do {
    lock.Unlock();
    LookAndSay();
    lock.Lock();
  } while (thread_.Rest(lock, kLookForActs));
  lock.Unlock();
  if (const auto last = CommitTook(); !last) SayLost(last.error().message);
}

// They are nowhere else: what a configuration was before is not kept.
void PartyActs::SayLost(const std::string& why) {
  std::deque<std::string> lost;
  {
    const MutexLock lock(mutex_);
    lost.swap(took_);
  }
  log_.Error("stopped, and what was taken is not in the history (" + std::to_string(lost.size()) +
             " changes, which follow): " + why);
  for (const std::string& sentence : lost) log_.Error("not in the history: " + sentence);
}

void PartyActs::LookAndSay() {
  const auto say = [this](const Status& done, SayOnce& said, const char* what) {
    if (done) return said.Forget();
    if (said.Due(done.error().message, SayOnce::Steady::now())) log_.Error(what + done.error().message);
  };
  say(Look(), said_, "acts on parties do not get into the history: ");
  say(CommitTook(), said_of_took_, "what was taken is not in the history yet: ");
}

Status PartyActs::Look() {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file_, failed);
  if (failed == std::errc::no_such_file_or_directory) return NoFile();
  if (failed) return ActsFailed(file_, failed.message());
  if (auto known = KnowWhatWasTaken(); !known) return known;
  if (size < octets_) return ActsFailed(file_, "is shorter than what is in the history");
  return size == octets_ ? Status(Done{}) : Take();
}

Status PartyActs::NoFile() {
  if (auto known = KnowWhatWasTaken(); !known) return known;
  if (taken_ == 0) return Done{};  // nobody has done anything yet
  return ActsFailed(file_, "is not there, and the history has " + std::to_string(taken_) + " of its lines");
}

Status PartyActs::KnowWhatWasTaken() {
  if (known_) return Done{};
  const auto before = in_history_.Lines();
  if (!before) return before.error();
  taken_ = *before;
  known_ = true;
  return Done{};
}

Status PartyActs::Take() {
  std::ifstream input(file_, std::ios::binary);
  if (!input) return ActsFailed(file_, std::strerror(errno));
  input.seekg(static_cast<std::streamoff>(octets_));
  std::uint64_t skip = placed_ ? 0 : taken_;
  std::vector<std::string> acts;
  std::uint64_t number = taken_, end = octets_;
  const auto commit = [&]() -> Status {
    if (acts.empty()) return Done{};
    if (auto committed = CommitLines(acts, number); !committed) return committed;
    taken_ = number;
    octets_ = end;
    placed_ = true;
    acts.clear();
    return Done{};
  };
  // A line without its end is still being written.
  for (std::string line; std::getline(input, line) && !input.eof();) {
    end += line.size() + 1;
    if (skip > 0) {
      --skip;
      continue;
    }
    ++number;
    acts.push_back(ActName(number) + ": " + InWords(line));
    if (acts.size() < kLinesAtOnce) continue;
    if (auto committed = commit(); !committed) return committed;
  }
  if (skip > 0)
    return ActsFailed(file_, std::to_string(taken_ - skip) + " lines are there, and the history has " +
                                 std::to_string(taken_) + ": lines were taken away");
  if (auto committed = commit(); !committed) return committed;
  placed_ = true;
  octets_ = end;
  return Done{};
}

Status PartyActs::CommitLines(const std::vector<std::string>& acts, std::uint64_t last) {
  if (auto begun = in_history_.Begin(); !begun) return begun;
  if (auto committed = Commit(acts); !committed) return committed;
  // They are taken now. What is not kept of that costs the next start a look through the history.
  if (const auto kept = in_history_.End(last); !kept)
    log_.Warning("how far acts on parties have got is not kept: " + kept.error().message);
  return Done{};
}

Status PartyActs::Commit(const std::vector<std::string>& acts) {
  domain::Changeset changes;
  for (const std::string& act : acts)
    changes.history.push_back(domain::History(domain::RegistryParty(), Cut(act, kActMax), clock_.Now()));
  return ledger::CommitSound(ledger_, std::move(changes));
}

void PartyActs::Took(const std::vector<std::string>& changes) {
  std::size_t left_out = 0;
  {
    const MutexLock lock(mutex_);
    for (const std::string& change : changes) {
      if (took_.size() < kTookMax)
        took_.push_back("taken from the configuration: " + change);
      else
        ++left_out;
    }
  }
  if (left_out > 0)
    log_.Error("what was taken does not get into the history (" + std::to_string(left_out) +
               " changes): " + std::to_string(kTookMax) + " wait for the ledger already");
}

// Only the thread takes from the front.
Status PartyActs::CommitTook() {
  for (;;) {
    std::vector<std::string> sentences;
    {
      const MutexLock lock(mutex_);
      const auto end = took_.begin() + static_cast<std::ptrdiff_t>(std::min(took_.size(), kLinesAtOnce));
      sentences.assign(took_.begin(), end);
    }
    if (sentences.empty()) return Done{};
    if (auto committed = Commit(sentences); !committed) return committed;
    const MutexLock lock(mutex_);
    took_.erase(took_.begin(), took_.begin() + static_cast<std::ptrdiff_t>(sentences.size()));
  }
}

}  // namespace registry::app
