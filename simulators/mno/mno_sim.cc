#include "simulators/mno/mno_sim.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/link/text.h"
#include "simulators/mno/by_hand.h"
#include "simulators/mno/deadline.h"
#include "simulators/mno/errands.h"
#include "simulators/mno/esim.h"
#include "simulators/mno/failing.h"
#include "simulators/mno/later.h"
#include "simulators/mno/registrations.h"
#include "simulators/mno/subscriptions.h"
#include "simulators/mno/transfer_desk.h"
#include "simulators/mqtt/again.h"
#include "simulators/party/feed_keeper.h"
#include "simulators/party/transfers.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSendPatience{100};
constexpr std::chrono::milliseconds kFeedTick{500};
constexpr int kTriesMost = 10;  // of a registration or an attachment that is rejected for the moment

class NetworkOperator : public MnoSim {
 public:
  NetworkOperator(MnoConfig config, Report& report)
      : config_(std::move(config)),
        report_(report),
        registrations_(config_),
        errands_(config_.repeat_after),
        profiles_(config_.profiles),
        failing_(config_.fail),
        desks_(config_.desks, config_.repeat_after),
        feed_(report, config_.gap_patience, std::min(kFeedTick, config_.gap_patience), config_.mqtt.faults) {
    for (const auto& item : config_.inventory) esims_[item.iccid.text()].item = item;
    for (const auto& item : config_.spares) {
      esims_[item.iccid.text()].item = item;
      profiles_.Install(item.iccid.text());
    }
  }

  ~NetworkOperator() override {
    repeater_.Stop();
    if (desk_) desk_->Close();  // no more codes
    listener_.reset();          // no more frames
    if (ota_) ota_->Stop();
    client_.reset();  // no more actions and replies
  }

  Status Begin() {
    auto client = PartyClient::Open(
        config_.mqtt, [this](const std::string& action, const wire::Envelope& said) { Action(action, said); },
        [this](const std::string& type, const wire::Envelope& said) { Notification(type, said); });
    if (!client) return client.error();
    client_ = std::move(*client);
    transfers_.emplace(*client_, desks_, report_, config_.answer);
    desk_.emplace(config_, *transfers_, report_, [this](const auto& device, const auto& iccid) {
      const MutexLock lock(mutex_);
      esims_[iccid].device = device;
      subscriptions_.Expect(device.text(), iccid);
    });
    if (auto open = desk_->Open(); !open) return open;
    auto ota = OverTheAir::Start(
        config_.ota, report_,
        [this](const std::string& iccid, const json& frame) { SayToCard(iccid, frame); },
        [this](const JobId& job, const json& result) { Finished(job, result); });
    if (!ota) return ota.error();
    ota_ = std::move(*ota);
    auto listener = Listener::Open(
        config_.radio_socket, [this](const auto& from, const json& frame) { Frame(from, frame); },
        [this](const auto& gone) { SwitchedOff(gone); }, config_.faults);
    if (!listener) return listener.error();
    listener_ = std::move(*listener);
    repeater_.Start("repeat", [this] { RepeatLoop(); });
    client_->WaitConnected(std::chrono::milliseconds(0));  // starts connecting; commands wait for it
    RegisterMore();
    return Done{};
  }

  void Control(const json& command) override {
    const std::string verb = Text(command, "cmd");
    if (verb == "give") return Give(command);
    if (ByHand::Knows(verb)) return SayByHand(verb, Text(command, "device"));
    if (transfers_->Control(command)) return;
    if (verb == "fail") return failing_.Set(Text(command, "action"), command.value("on", json(true)) == true);
    if (verb != "register") return report_.Say({{"event", "control_refused"}, {"reason", "command_unknown"}});
    {
      const MutexLock lock(mutex_);
      registrations_.Release(command);
    }
    RegisterMore();
  }

 private:
  // ---- registration ----
  void RegisterMore() {
    for (;;) {
      std::optional<Registrations::Next> next;
      {
        const MutexLock lock(mutex_);
        next = registrations_.TakeNext();
        if (!next) return;
        esims_[next->item->iccid.text()].due = next->due;
      }
      Register(*next->item);
    }
  }

  void Register(const InventoryItem& item) {
    {
      const MutexLock lock(mutex_);
      Esim& esim = esims_[item.iccid.text()];
      if (esim.register_tries++ == 0) esim.begun = esim.due.value_or(Clock::now());
    }
    const auto replied = [this, &item](const Reply& reply) { Registered(item, reply); };
    if (!client_->Send(wire::EsimRegister{item.eid, item.iccid, {}}, replied)) replied(NotSent());
  }

  // True when it will be tried again: `task` runs then, on the repeating thread.
  bool TryLater(std::string_view command, const std::string& device, const Reply& reply, int tries,
                std::function<void()> task) {
    if (!Temporary(reply) || tries >= kTriesMost) return false;
    {
      const MutexLock lock(mutex_);
      const auto at = Clock::now() + PauseBeforeAgain(reply, tries, config_.again_after);
      later_.Add(at, std::move(task));
      WakeFor(at);
    }
    report_.Say({{"event", "again"}, {"command", command}, {"device", device}, {"reason", ReasonOf(reply)}});
    return true;
  }

  void Registered(const InventoryItem& item, const Reply& reply) {
    Clock::time_point begun;
    int tries = 0;
    {
      const MutexLock lock(mutex_);
      const Esim& esim = esims_[item.iccid.text()];
      begun = esim.begun;
      tries = esim.register_tries;
    }
    // It keeps its place in the window: a registry that is busy does not get more at a time.
    if (TryLater(wire::EsimRegister::kName, "", reply, tries, [this, &item] { Register(item); })) return;
    const auto registered = reply.accepted ? wire::Decode<wire::EsimRegistered>(reply.data)
                                           : Result<wire::EsimRegistered>(*reply.error);
    const std::string device = registered ? registered->device.text() : std::string();
    report_.Step(device, "register", begun, registered ? "" : registered.error().symbol);
    if (registered) {
      report_.Say({{"event", "registered"}, {"device", device}});
      desks_.HandOver(item.asp,
                      {{"t", "authorisation"}, {"device", device}, {"code", registered->authorisation_code}});
      const MutexLock lock(mutex_);
      Esim& esim = esims_[item.iccid.text()];
      esim.device = registered->device;
      esim.bootstrap = reply.data.value("bootstrap", json::object());
      subscriptions_.Add(device, std::max(registered->profile, 1u), item.iccid.text());
      if (esim.radio) Welcome(esim);
    }
    {
      const MutexLock lock(mutex_);
      registrations_.Ended();
    }
    RegisterMore();
  }

  // ---- radio ----
  // The SIM is on and the registry knows it: its bootstrap part, and the registry hears of the attachment once.
  void Welcome(Esim& esim) REQUIRES(mutex_) {
    if (esim.bootstrap.is_null()) return;  // its device has one from the MNO before
    const std::string iccid = esim.item.iccid.text();
    esim.radio->Send(BootstrapFrame(esim), kSendPatience);
    if (std::exchange(esim.attach_said, true)) return;
    // Not from here, with the lock held: the answer may come at once.
    const auto now = Clock::now();
    later_.Add(now, [this, iccid] { Attach(iccid); });
    WakeFor(now);
  }

  // Of a profile that the registry has named: it may be another one that serves.
  void Attach(const std::string& iccid) {
    wire::DeviceAttach command;
    Clock::time_point begun;
    int tries = 0;
    {
      const MutexLock lock(mutex_);
      Esim& esim = esims_[iccid];
      if (esim.attach_tries++ == 0) esim.begun = Clock::now();
      command.device = *esim.device;
      command.profile = esim.profile;
      begun = esim.begun;
      tries = esim.attach_tries;
    }
    const auto replied = [this, name = command.device.text(), begun, tries, iccid](const Reply& reply) {
      if (TryLater(wire::DeviceAttach::kName, name, reply, tries, [this, iccid] { Attach(iccid); })) return;
      report_.Step(name, "attach", begun, ReasonOf(reply));
    };
    if (!client_->Send(command, replied)) replied(NotSent());
  }

  void Frame(const std::shared_ptr<Connection>& from, const json& frame) {
    const std::string type = Text(frame, "t");
    const std::string iccid = Text(frame, "iccid");
    if (type == "power_on") return PoweredOn(from, iccid);
    if (ota_->Hear(type, iccid, frame)) return;
    if (type == "card_files") {
      const MutexLock lock(mutex_);
      return report_.Say(by_hand_.CardEvent(frame));
    }
    const auto job = JobId::Parse(Text(frame, "job"));
    if (!job) return;
    if (type == "csr") return CsrArrived(*job, frame);
    if (type == "payload_result" || type == "wiped" || type == "profile_done")
      return Finished(*job, AnswerIn(frame));
  }

  void PoweredOn(const std::shared_ptr<Connection>& from, const std::string& iccid) {
    const MutexLock lock(mutex_);
    page_ = from;
    const auto found = esims_.find(iccid);
    if (found == esims_.end() || repeater_.stopping()) return;  // no subscriber, or no network any more
    found->second.radio = from;
    if (found->second.device) Welcome(found->second);
  }

  void SwitchedOff(const std::shared_ptr<Connection>& gone) {
    const MutexLock lock(mutex_);
    for (auto& [iccid, esim] : esims_) {
      if (esim.radio == gone) esim.radio.reset();
    }
  }

  // One that is disabled is off the radio; one that has never been on is called where the others are.
  Esim* OnRadio(const std::string& iccid, bool also_disabled) REQUIRES(mutex_) {
    const auto found = esims_.find(iccid);
    if (found == esims_.end() || !(also_disabled || profiles_.Enabled(iccid))) return nullptr;
    if (!found->second.radio) found->second.radio = page_;
    return found->second.radio ? &found->second : nullptr;
  }

  void SayToCard(const std::string& iccid, const json& frame) {
    const MutexLock lock(mutex_);
    if (const Esim* esim = OnRadio(iccid, false)) esim->radio->Send(frame, kSendPatience);
  }

  void SayOverRadio(const Errand& errand, bool again) REQUIRES(mutex_) {
    // A profile is deleted by the eUICC, also when it is disabled.
    const Esim* const esim = OnRadio(errand.iccid, errand.kind == ErrandKind::kProfile);
    if (esim == nullptr) return;
    // What came before may have been lost, and neither of the two is acknowledged by itself.
    if (again && errand.kind == ErrandKind::kKeyGenerate && !esim->bootstrap.is_null())
      esim->radio->Send(BootstrapFrame(*esim), kSendPatience);
    if (again && errand.kind == ErrandKind::kPayload && !esim->certificate_frame.is_null())
      esim->radio->Send(esim->certificate_frame, kSendPatience);
    esim->radio->Send(errand.frame, kSendPatience);
  }

  // ---- actions of the registry ----
  void Action(const std::string& action, const wire::Envelope& said) {
    const json& data = said.data;
    if (config_.work_after.count() > 0) report_.Say(AskedEvent(action, data));
    if (failing_.Has(action)) return Refuse(data, "radio", "made_to_fail");
    if (action == wire::KeyGenerate::kName) return Run(ErrandKind::kKeyGenerate, "key_generate", data);
    if (action == wire::PayloadPush::kName) return Run(ErrandKind::kPayload, "payload", data);
    if (action == wire::AppletWipe::kName) return Run(ErrandKind::kWipe, "wipe", data);
    if (action == wire::ProfileEnable::kName) return SetProfile(true, data);
    if (action == wire::ProfileDisable::kName) return SetProfile(false, data);
    if (action == wire::ProfileDelete::kName) return Run(ErrandKind::kProfile, "profile_delete", data);
    if (!Has(ProtocolFault::kUnknownActionIgnored)) Refuse(data, "action", "action_unknown");
  }

  bool Has(ProtocolFault fault) const { return config_.mqtt.faults.contains(fault); }

  // A subscription is the network's: the device is not asked. One that is enabled is seen on the network again.
  void SetProfile(bool enabled, const json& data) {
    const auto asked = AskedForIn(data);
    if (!asked) return;
    std::optional<json> result;
    {
      const MutexLock lock(mutex_);
      const auto owner = subscriptions_.Find(asked->device.text(), ProfileOf(data));
      if (!owner) return;
      esims_[*owner].profile = ProfileOf(data);
      const bool was = profiles_.Enabled(*owner);
      result = profiles_.Set(*owner, enabled);
      if (!was && profiles_.Enabled(*owner)) {
        const auto at = Clock::now() + config_.repeat_after;
        later_.Add(at, [this, iccid = *owner] { Attach(iccid); });
        WakeFor(at);
      }
    }
    if (result)
      client_->Call(std::string(wire::DoResult::kName), ResultOf(*asked, *result), [](const Reply&) {});
    report_.Say(ProfileEvent(asked->device, enabled, result));
  }

  // Left unsaid, the registry would ask again until its attempts are used up.
  void Refuse(const json& data, const char* stage, const char* reason, bool retriable = false) {
    if (const auto refusal = RefusalOf(data, stage, reason, retriable)) client_->Send(*refusal, nullptr);
  }

  void SayByHand(const std::string& verb, const std::string& device) {
    const MutexLock lock(mutex_);
    const std::string iccid = subscriptions_.Find(device, 0).value_or("");
    const auto frame = by_hand_.FrameOf(verb, device, iccid);
    const auto job = frame ? JobId::Parse(Text(*frame, "job")) : std::nullopt;
    if (verb == "deliver" && job && ota_->Carry(ErrandKind::kPayload, *job, iccid, *frame)) return;
    if (frame && page_) page_->Send(*frame, kSendPatience);
  }

  // ---- transfers ----
  // Away, to the MNO that is named. It finds the device by its EID.
  void Give(const json& command) {
    const auto device = DeviceId::Parse(Text(command, "device"));
    std::string eid;
    if (device) {
      const MutexLock lock(mutex_);
      const auto iccid = subscriptions_.Find(device->text(), 0);
      if (iccid) eid = esims_[*iccid].item.eid.text();
    }
    if (eid.empty()) return report_.Say({{"event", "control_refused"}, {"reason", "device_unknown"}});
    transfers_->Give(*device, Text(command, "to"), {{"eid", eid}});
  }

  void Run(ErrandKind kind, const char* frame_type, const json& data) {
    const auto asked = AskedForIn(data);
    if (!asked) return;
    const auto& [job, device] = *asked;
    // schemas/README.md, "A late wipe": by then the eSIM may be another device's.
    const bool dated = kind == ErrandKind::kWipe && !Has(ProtocolFault::kLateWipeDone);
    const auto left = dated ? LeftOf(data, config_.radio_patience) : config_.radio_patience;
    MutexLock lock(mutex_);
    const auto owner = subscriptions_.Find(device.text(), ProfileOf(data));
    if (!owner || errands_.Running(job)) return;
    const json* answer = Has(ProtocolFault::kJobDoneTwice) ? nullptr : errands_.FindAnswer(job);
    if (answer == nullptr && left.count() <= 0) {
      lock.Unlock();
      return Refuse(data, "radio", "deadline_passed", true);
    }
    if (answer != nullptr) {
      if (Has(ProtocolFault::kJobForgotten)) return;
      const json copy = *answer;
      lock.Unlock();
      return Answer({kind, job, device, *owner, {}, Clock::now(), {}, {}}, copy, false);
    }
    Errand errand{kind, job, device, *owner, FrameFor(frame_type, *owner, job, data), {}, {}, {}};
    errand.Time({Clock::now(), config_.work_after, config_.repeat_after, left});
    if (kind == ErrandKind::kPayload) by_hand_.Keep(device.text(), errand.frame);
    if (kind == ErrandKind::kKeyGenerate) {
      for (const JobId& wipe : errands_.EndWipes(device)) ota_->Cancel(wipe);
    }
    if (ota_->Carry(kind, job, *owner, data)) errand.frame = FrameFor("report_ask", *owner, job, {});
    const Errand& begun = errands_.Begin(std::move(errand));
    if (config_.work_after.count() == 0) SayOverRadio(begun, false);
    if (config_.report_every.count() > 0) ReportLater(job, device, 0);
    WakeFor(std::min(begun.next, begun.end));
  }

  // The first report is as good as an acknowledgement, and its number is 0.
  void ReportLater(const JobId& job, const DeviceId& device, std::uint64_t progress) REQUIRES(mutex_) {
    const auto at = Clock::now() + (progress == 0 ? std::chrono::milliseconds(0) : config_.report_every);
    WakeFor(at);
    later_.Add(at, [this, job, device, progress] {
      {
        const MutexLock lock(mutex_);
        if (!errands_.Running(job)) return;
        ReportLater(job, device, progress + 1);
      }
      client_->Send(wire::DoProgress{job, device, progress, "queued", {}}, nullptr);
    });
  }

  void RepeatLoop() {
    MutexLock lock(mutex_);
    while (!repeater_.stopping()) {
      const auto due = errands_.TakeDue(Clock::now());
      for (const Errand& errand : due.again) SayOverRadio(errand, true);
      const auto tasks = later_.TakeDue(Clock::now());
      lock.Unlock();
      for (const auto& task : tasks) task();
      feed_.Keep(*client_);
      for (const Errand& errand : due.ended) Finished(errand.job, Unreachable());
      lock.Lock();
      const auto now = Clock::now();
      const auto next = later_.NextBefore(std::min(errands_.NextTurn(now), now + kFeedTick));
      sleeps_until_ = next;
      if (!repeater_.stopping()) wake_.WaitUntil(lock, next);
      sleeps_until_ = Clock::time_point::min();
    }
  }

  // The repeating thread looks again by then; most of what begins is due long after it wakes by itself.
  void WakeFor(Clock::time_point due) REQUIRES(mutex_) {
    if (due < std::exchange(sleeps_until_, std::min(sleeps_until_, due))) wake_.NotifyAll();
  }

  // ---- answers of the device ----
  void CsrArrived(const JobId& job, const json& frame) {
    MutexLock lock(mutex_);
    std::string csr = Text(frame, "csr");
    if (first_csr_.empty()) first_csr_ = csr;
    if (Has(ProtocolFault::kOldCsr)) csr = first_csr_;
    lock.Unlock();
    Finished(job, {{"csr", csr}});
  }

  void Finished(const JobId& job, const json& answer) {
    std::optional<Errand> errand;
    {
      const MutexLock lock(mutex_);
      errand = errands_.Finish(job, answer);
    }
    if (!errand) return;
    Text(answer, "outcome") == "success" ? ota_->Settle(job) : ota_->Cancel(job);
    Answer(*errand, answer, true);
  }

  void Answer(const Errand& errand, const json& answer, bool first) {
    if (answer.contains("csr")) return SubmitCsr(errand, answer["csr"].get<std::string>(), first);
    json result = ResultOf({errand.job, errand.device}, answer);
    if (Has(ProtocolFault::kOtherJob) && errand.kind == ErrandKind::kPayload)
      result["job"] = errand.device.text();
    const std::string reason = Text(answer, "outcome") == "success" ? "" : Text(answer, "reason");
    const bool counts = first && errand.kind == ErrandKind::kPayload;
    client_->Call(std::string(wire::DoResult::kName), result,
                  [this, device = errand.device, begun = errand.begun, reason, counts](const Reply& reply) {
                    if (!counts) return;
                    report_.Step(device.text(), "payload", begun, reason.empty() ? ReasonOf(reply) : reason);
                  });
  }

  void SubmitCsr(const Errand& errand, const std::string& csr, bool first) {
    const wire::CsrSubmit command{errand.device, AsBytes(csr), errand.job};
    client_->Send(command, [this, job = errand.job, device = errand.device, iccid = errand.iccid, first,
                            begun = Clock::now()](const Reply& reply) {
      if (first) report_.Step(device.text(), "csr", begun, ReasonOf(reply));
      if (reply.accepted) return Install(iccid, reply.data);
      // PARTY.md, "Asking": the next CSR of the same job is another one.
      const MutexLock lock(mutex_);
      if (!Temporary(reply) && !Has(ProtocolFault::kRefusedCsrKept)) errands_.Forget(job);
    });
  }

  void Install(const std::string& iccid, const json& data) {
    const auto issued = wire::Decode<wire::CertificateIssued>(data);
    if (!issued) return;
    const MutexLock lock(mutex_);
    Esim& esim = esims_[iccid];
    esim.certificate_frame = CertificateFrame(iccid, issued->certificate);
    if (esim.radio) esim.radio->Send(esim.certificate_frame, kSendPatience);
  }

  void Notification(const std::string& type, const wire::Envelope& said) {
    report_.Say(NotificationEvent(type, said.data));
    if (said.seq) feed_.Saw(*said.seq);
    transfers_->Heard(type, said.data, config_.mqtt.party);
  }

  const MnoConfig config_;
  Report& report_;
  Mutex mutex_;
  CondVar wake_;
  Registrations registrations_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Esim> esims_ GUARDED_BY(mutex_);  // by ICCID
  Subscriptions subscriptions_ GUARDED_BY(mutex_);
  std::shared_ptr<Connection> page_ GUARDED_BY(mutex_);  // over which somebody was heard last
  Later later_ GUARDED_BY(mutex_);
  Clock::time_point sleeps_until_ GUARDED_BY(mutex_) = Clock::time_point::min();  // awake: min
  Errands errands_;
  ByHand by_hand_ GUARDED_BY(mutex_);
  std::string first_csr_ GUARDED_BY(mutex_);  // for kOldCsr
  Profiles profiles_ GUARDED_BY(mutex_);
  Failing failing_;
  Desks desks_;
  FeedKeeper feed_;
  std::optional<Transfers> transfers_;
  std::optional<TransferDesk> desk_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<OverTheAir> ota_;
  std::unique_ptr<PartyClient> client_;
  OwnThread repeater_{mutex_, wake_};
};

}  // namespace

Result<std::unique_ptr<MnoSim>> MnoSim::Start(MnoConfig config, Report& report) {
  auto mno = std::make_unique<NetworkOperator>(std::move(config), report);
  if (Status status = mno->Begin(); !status) return status.error();
  return std::unique_ptr<MnoSim>(std::move(mno));
}

}  // namespace registry::sim
