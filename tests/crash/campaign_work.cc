#include "tests/crash/campaign_work.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace registry::test {
namespace {

using nlohmann::json;

constexpr std::size_t kUnderWayMost = 24;  // devices: the work is what goes on beside the faults, not a load
constexpr int kTasksEachRound = 3;

bool IsMno(const std::string& party) { return party.starts_with("mno"); }

std::string TheOther(const std::string& party) {
  const auto& all = IsMno(party) ? lab::kMnos : lab::kAsps;
  return party == all[0] ? all[1] : all[0];
}

}  // namespace

void CampaignWork::Hear(const std::string& program, const json& event) {
  heard.Hear(program, event);
  const MutexLock lock(mutex_);
  ++events_;
  HearLocked(program, event);
  changed_.NotifyAll();
}

void CampaignWork::HearLocked(const std::string& program, const json& event) {
  const std::string what = event.value("event", ""), device = event.value("device", "");
  if (what == "registered") devices_[device].mno = program;
  if (what == "step" && event.value("step", "") == "activated") {
    activated_.insert(device);
    devices_[device].asp = program;
  }
  if (what == "done" && event.value("ok", false)) devices_[device].has_session = true;
  if (what == "notification") HearNotification(program, event.value("type", ""), device);
  if (what == "notification" && event.value("type", "").ends_with("failed")) {
    const json error = event.value("error", json::object());
    ++refusals_[event.value("type", "") + " " + (error.is_object() ? error.value("symbol", "") : "")];
  }
  if (what == "rekeyed" || what == "transfer") HearReply(what, event);
}

void CampaignWork::HearNotification(const std::string& program, const std::string& type,
                                    const std::string& device) {
  const auto task = tasks_.find(device);
  if (task == tasks_.end()) return;
  const bool moved =
      task->second.kind == Kind::kMove && type == "transfer.completed" && program == task->second.to;
  const bool renewed =
      task->second.kind == Kind::kRekey && type == "device.renewed" && program == task->second.by;
  const bool failed =
      task->second.kind == Kind::kMove && type == "transfer.failed" && program == task->second.to;
  if (!moved && !renewed && !failed) return;
  DeviceWork& work = devices_[device];
  if (moved) (IsMno(program) ? work.mno : work.asp) = program;
  work.moved += moved ? 1 : 0;
  work.moved_to_mno += moved && IsMno(program) ? 1 : 0;
  work.rekeyed += renewed ? 1 : 0;
  moves_ += moved ? 1 : 0;
  rekeys_ += renewed ? 1 : 0;
  tasks_.erase(task);
}

// What is refused at its beginning ends the task: the device stays as it is.
void CampaignWork::HearReply(const std::string& what, const json& event) {
  if (event.value("ok", false)) return;
  const std::string step = event.value("what", "");
  ++refusals_[what + " " + step + " " + event.value("reason", "")];
  if (what == "rekeyed" || step == "given" || step == "requested") tasks_.erase(event.value("device", ""));
}

bool CampaignWork::Through(const std::string& device) const {
  const auto found = devices_.find(device);
  return activated_.contains(device) && found != devices_.end() && found->second.has_session;
}

std::size_t CampaignWork::UnderWay() const {
  const auto through =
      std::ranges::count_if(devices_, [this](const auto& one) NOT_PROVED { return Through(one.first); });
  return tasks_.size() + static_cast<std::size_t>(asked_for_) - static_cast<std::size_t>(through);
}

bool CampaignWork::Finished() const { return asked_for_ >= planned_ && UnderWay() == 0; }

void CampaignWork::SetPlan(int devices, int registered, int rounds) {
  const MutexLock lock(mutex_);
  planned_ = devices;
  asked_for_ = registered;
  each_round_ = std::max((devices - registered + rounds - 1) / std::max(rounds, 1), 1);
}

int CampaignWork::ToRegister(int most) {
  const int more = std::min({most, each_round_, planned_ - asked_for_});
  asked_for_ += more;
  return more;
}

std::pair<std::string, json> CampaignWork::Begin(const std::string& device, std::mt19937_64& random) {
  DeviceWork& work = devices_[device];
  // An eUICC has room for one more profile, so it changes its MNO once.
  const bool may_change_mno = work.moved == 0;
  const auto choice = random() % 3;
  if (choice == 0) {
    tasks_[device] = {Kind::kRekey, work.asp, ""};
    return {work.asp, {{"cmd", "rekey"}, {"device", device}}};
  }
  const std::string from = choice == 1 && may_change_mno ? work.mno : work.asp;
  tasks_[device] = {Kind::kMove, from, TheOther(from)};
  return {from, {{"cmd", "give"}, {"device", device}, {"to", TheOther(from)}}};
}

void CampaignWork::GoOn(lab::Lab& lab, std::mt19937_64& random) {
  std::vector<std::pair<std::string, json>> said;
  {
    const MutexLock lock(mutex_);
    const std::size_t room = kUnderWayMost - std::min(kUnderWayMost, UnderWay());
    for (int i = ToRegister(static_cast<int>(room)); i > 0; --i)
      said.push_back({lab::kMnos[(asked_for_ - i) % 2], {{"cmd", "register"}, {"count", 1}}});
    std::vector<std::string> idle;
    for (const auto& [device, work] : devices_) {
      if (Through(device) && !tasks_.contains(device)) idle.push_back(device);
    }
    std::shuffle(idle.begin(), idle.end(), random);
    for (std::size_t i = 0; i < idle.size() && i < kTasksEachRound && said.size() < room; ++i)
      said.push_back(Begin(idle[i], random));
  }
  for (const auto& [program, command] : said) lab.SendTo(program, command);
}

void CampaignWork::WaitEvents(std::uint64_t count, std::chrono::milliseconds within) {
  MutexLock lock(mutex_);
  const std::uint64_t target = events_ + count;
  (void)changed_.WaitFor(lock, within, [&]() NOT_PROVED { return events_ >= target; });
}

bool CampaignWork::WaitFinished(lab::Lab& lab, std::chrono::seconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  for (;;) {
    int more = 0, first = 0;
    {
      MutexLock lock(mutex_);
      (void)changed_.WaitFor(lock, std::chrono::milliseconds(500),
                             [this]() NOT_PROVED { return Finished(); });
      if (Finished()) return true;
      first = asked_for_;
      more = UnderWay() < kUnderWayMost ? ToRegister(planned_) : 0;
    }
    for (int i = 0; i < more; ++i)
      lab.SendTo(lab::kMnos[(first + i) % 2], {{"cmd", "register"}, {"count", 1}});
    if (std::chrono::steady_clock::now() >= until) return false;
  }
}

std::string CampaignWork::Unfinished() {
  const MutexLock lock(mutex_);
  std::string text = std::to_string(planned_ - asked_for_) + " devices not asked for";
  for (const auto& [device, work] : devices_) {
    if (!Through(device))
      text += "\n" + device + (activated_.contains(device) ? " has no session" : " is not active");
  }
  for (const auto& [device, task] : tasks_)
    text += "\n" + device +
            (task.kind == Kind::kMove ? " from " + task.by + " to " + task.to : " gets another key");
  return text;
}

std::map<std::string, DeviceWork> CampaignWork::devices() {
  const MutexLock lock(mutex_);
  return devices_;
}

std::map<std::string, int> CampaignWork::refusals() {
  const MutexLock lock(mutex_);
  return refusals_;
}

std::string CampaignWork::Summary() {
  const MutexLock lock(mutex_);
  return std::to_string(activated_.size()) + " devices activated, " + std::to_string(moves_) + " moved, " +
         std::to_string(rekeys_) + " re-keyed, " + std::to_string(UnderWay()) + " under way";
}

}  // namespace registry::test
