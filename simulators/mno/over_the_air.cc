#include "simulators/mno/over_the_air.h"

#include <algorithm>
#include <deque>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/link/text.h"
#include "simulators/ota/parcel.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using Clock = ota::Platform::Clock;
using std::chrono::milliseconds;

constexpr milliseconds kIdleTurn{1000};

Error OtaError(const std::string& what) { return Error::Make(Code::kSyntax, "config", "ota: " + what); }

// An MNO without a platform: nothing goes this way.
class Direct : public OverTheAir {
 public:
  void Stop() override {}
  bool Carry(ErrandKind, const JobId&, const std::string&, const json&) override { return false; }
  void Cancel(const JobId&) override {}
  void Settle(const JobId&) override {}
  bool Hear(const std::string&, const std::string&, const json&) override { return false; }
};

class ByPlatform : public OverTheAir, public ota::AdminPlatform {
 public:
  ByPlatform(const OtaConfig& config, Report& report, Send send, Failed failed)
      : config_(config),
        report_(report),
        send_(std::move(send)),
        failed_(std::move(failed)),
        centre_(config.sms),
        platform_(config.platform, [this](const std::string& card, const Bytes& user_data)
                                       NOT_PROVED { centre_.Submit(card, user_data, Clock::now()); }) {
    for (const auto& [iccid, keys] : config_.keys) platform_.AddCard(iccid, keys);
  }
  ~ByPlatform() override { ByPlatform::Stop(); }
  void Stop() override {
    sessions_.reset();
    turns_.Stop();
  }

  Status Begin() {
    if (config_.bearer == ota::Bearer::kHttp) {
      auto sessions = ota::AdminServer::Open(config_.admin_socket, *this, config_.http);
      if (!sessions) return sessions.error();
      sessions_ = std::move(*sessions);
    }
    turns_.Start("ota", [this] { TurnLoop(); });
    return Done{};
  }

  bool Carry(ErrandKind kind, const JobId& job, const std::string& iccid, const json& data) override {
    const bool ours = kind == ErrandKind::kPayload || kind == ErrandKind::kWipe;
    auto parcel = !ours                          ? std::nullopt
                  : kind == ErrandKind::kPayload ? ota::PayloadParcel(job.text(), data)
                                                 : std::optional(ota::WipeParcel(job.text()));
    if (!parcel) return false;
    const MutexLock lock(mutex_);
    if (!platform_.Deliver(iccid, job.text(), std::move(*parcel), Clock::now())) return false;
    wake_.NotifyAll();
    return true;
  }

  void Cancel(const JobId& job) override {
    const MutexLock lock(mutex_);
    if (const auto card = platform_.Cancel(job.text())) centre_.Withdraw(*card);
  }

  void Settle(const JobId& job) override {
    const MutexLock lock(mutex_);
    platform_.Settle(job.text(), Clock::now());
    wake_.NotifyAll();
  }

  bool Hear(const std::string& type, const std::string& iccid, const json& frame) override {
    if (type != "sms_report" && type != "sms_submit") return false;
    const auto user_data = FromHex(Text(frame, "ud"));
    const MutexLock lock(mutex_);
    if (type == "sms_submit") {
      if (user_data) centre_.Sent(iccid, *user_data, Clock::now());
    } else if (Taken(frame) && user_data && !user_data->empty()) {
      platform_.Heard(iccid, *user_data, Clock::now());
    }
    wake_.NotifyAll();
    return true;
  }

  // ---- of HTTP sessions (ota/admin_server.h)
  std::optional<Bytes> PskOf(const std::string& identity) override {
    const MutexLock lock(mutex_);
    const ota::KeySet* keys = platform_.KeysOf(identity);
    return keys != nullptr ? std::optional(keys->psk) : std::nullopt;
  }
  std::optional<ota::Script> Poll(const std::string& identity,
                                  const std::optional<ota::ScriptAnswer>& answer) override {
    const MutexLock lock(mutex_);
    auto script = platform_.Poll(identity, answer, Clock::now());
    wake_.NotifyAll();
    return script;
  }

 private:
  bool Taken(const json& report) REQUIRES(mutex_) {
    const auto id = report.find("id"), cause = report.find("cause");
    if (id == report.end() || cause == report.end() || !id->is_number_unsigned() ||
        !cause->is_number_unsigned())
      return false;
    return centre_.Reported(id->get<std::uint64_t>(), cause->get<std::uint8_t>());
  }

  void TurnLoop() {
    MutexLock lock(mutex_);
    while (!turns_.stopping()) {
      const auto now = Clock::now();
      for (const auto& message : centre_.TakeArrived(now))
        platform_.Heard(message.card, message.user_data, now);
      platform_.Turn(now);
      const auto due = centre_.TakeDue(now);
      const auto ended = platform_.TakeEnded();
      const auto figures = platform_.figures();
      lock.Unlock();
      for (const auto& message : due) {
        send_(message.card,
              {{"t", "sms"}, {"iccid", message.card}, {"id", message.id}, {"ud", ToHex(message.user_data)}});
      }
      for (const auto& end : ended) Tell(end, figures);
      lock.Lock();
      const auto next = std::min({platform_.NextTurn(), centre_.NextTurn(), Clock::now() + kIdleTurn});
      if (!turns_.stopping() && next > Clock::now()) wake_.WaitUntil(lock, next);
    }
  }

  void Tell(const ota::Platform::Ended& end, const ota::Platform::Figures& figures) {
    report_.Say({{"event", "ota"},
                 {"job", end.job},
                 {"ok", !end.failure},
                 {"reason", end.failure ? end.failure->reason : ""},
                 {"packets", figures.packets},
                 {"repeated", figures.repeated},
                 {"resyncs", figures.resyncs},
                 {"sessions", figures.sessions}});
    const auto job = JobId::Parse(end.job);
    if (!end.failure || !job) return;
    failed_(*job, {{"outcome", "failed"},
                   {"stage", end.failure->stage},
                   {"reason", end.failure->reason},
                   {"retriable", end.failure->retriable}});
  }

  const OtaConfig config_;
  Report& report_;
  const Send send_;
  const Failed failed_;
  Mutex mutex_;
  CondVar wake_;
  ota::SmsCentre centre_ GUARDED_BY(mutex_);
  ota::Platform platform_ GUARDED_BY(mutex_);
  std::unique_ptr<ota::AdminServer> sessions_;
  OwnThread turns_{mutex_, wake_};
};

void ReadSms(const json& part, ota::SmsOptions& sms) {
  const auto ms = [&](const char* name, milliseconds& out) {
    out = milliseconds(part.value(name, out.count()));
  };
  sms.faults.lose = part.value("lose", 0.0);
  sms.faults.repeat = part.value("repeat", 0.0);
  sms.faults.absent = part.value("absent", 0.0);
  ms("delay_max_ms", sms.faults.delay_max);
  ms("absent_for_ms", sms.faults.absent_for);
  ms("retry_after_ms", sms.retry_after);
  sms.faults.seed = part.value("seed", sms.faults.seed);
}

}  // namespace

Result<OtaConfig> ReadOtaConfig(const json& config) {
  OtaConfig ota;
  const std::string bearer = config.value("bearer", "direct");
  if (bearer == "sms") ota.bearer = ota::Bearer::kSms;
  if (bearer == "http") ota.bearer = ota::Bearer::kHttp;
  if (!ota.bearer && bearer != "direct") return OtaError("bearer is not direct, sms or http");
  if (!ota.bearer) return ota;
  ota.platform.bearer = *ota.bearer;
  const auto within = ota.platform.proof_within.count();
  ota.platform.proof_within = milliseconds(config.value("proof_within_ms", within));
  const std::string proof = config.value("proof", "submit");
  if (proof != "submit" && proof != "report") return OtaError("proof is not submit or report");
  ota.platform.spi.proof_by_submit = proof == "submit";
  ReadSms(config.value("sms", json::object()), ota.sms);
  const json http = config.value("http", json::object());
  ota.http.break_off = http.value("break_off", 0.0);
  ota.http.seed = http.value("seed", ota.http.seed);
  ota.admin_socket = config.value("admin_socket", "");
  if (ota.bearer == ota::Bearer::kHttp && ota.admin_socket.empty())
    return OtaError("http needs an admin_socket");
  const json cards = config.value("keys", json::object());
  for (const auto& [iccid, keys] : cards.items()) {
    auto read = ota::ReadKeys(keys);
    if (!read) return read.error();
    ota.keys.emplace(iccid, std::move(*read));
  }
  return ota;
}

Result<std::unique_ptr<OverTheAir>> OverTheAir::Start(const OtaConfig& config, Report& report, Send send,
                                                      Failed failed) {
  if (!config.bearer) return std::unique_ptr<OverTheAir>(std::make_unique<Direct>());
  auto made = std::make_unique<ByPlatform>(config, report, std::move(send), std::move(failed));
  if (auto begun = made->Begin(); !begun) return begun.error();
  return std::unique_ptr<OverTheAir>(std::move(made));
}

}  // namespace registry::sim
