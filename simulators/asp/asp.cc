#include "simulators/asp/asp.h"

#include <map>
#include <set>

#include "clients/verdict/notifications.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/link/frames.h"
#include "simulators/link/text.h"
#include "simulators/mqtt/again.h"
#include "simulators/mqtt/connection.h"
#include "simulators/party/feed_keeper.h"
#include "simulators/party/say_trouble.h"
#include "simulators/party/transfers.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using Clock = Report::Clock;
using std::chrono::milliseconds;

constexpr milliseconds kConnectWithin{15000}, kNotedWithin{2000};
constexpr milliseconds kPublishAgain{2000}, kClaimAgain{2000}, kDeskAgain{2000};
constexpr std::string_view kDevicesLevel = "devices/";
constexpr const char* kTelemetryTopics = "devices/+/telemetry";
constexpr int kClaimsMost = 10;  // per device, each later than the one before

// The endpoint may be on its way yet.
bool ClaimAgain(const Reply& reply) { return Temporary(reply) || ReasonOf(reply) == "endpoint_unknown"; }

struct Claim {
  std::string code;
  bool asked = false;
  int tries = 0;
  Clock::time_point begun;  // authorisation received; then claim accepted
};

class AspOnMqtt : public Asp {
 public:
  AspOnMqtt(const AspConfig& config, clients::OwnDevices& own, Report& report)
      : config_(config),
        own_(own),
        report_(report),
        desks_(config.desks, kDeskAgain),
        feed_(report, config.gap_patience, milliseconds(0), config.mqtt.faults) {}
  ~AspOnMqtt() override;
  Status Begin();
  void Control(const json& command) override;

 private:
  void NotConnected(const std::string& trouble);
  void PublishEndpoint();
  void OnPublished(Clock::time_point begun, const Reply& reply);
  void OnDesk(const std::shared_ptr<Connection>& desk, const json& frame);
  void AskFor(const std::string& device);
  std::vector<std::string> TakeDueClaims(Clock::time_point now) REQUIRES(mutex_);
  void OnClaimed(const std::string& device, const Reply& reply);
  void OnEvent(const std::string& type, const wire::Envelope& envelope);
  void Hear(const std::string& type, const wire::Envelope& envelope);
  void FeedLoop();
  Status OpenBackEnd();
  void OnTelemetry(const std::string& topic, std::string_view payload);
  void OnTransferCode(const std::string& device, const std::string& code);

  const AspConfig config_;
  clients::OwnDevices& own_;
  Report& report_;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Claim> claims_ GUARDED_BY(mutex_);                         // by device
  std::multimap<Clock::time_point, std::string> claims_again_ GUARDED_BY(mutex_);  // devices
  std::set<std::string> shown_ GUARDED_BY(mutex_);  // codes for devices of other ASPs
  bool published_ GUARDED_BY(mutex_) = false;
  Clock::time_point publish_again_ GUARDED_BY(mutex_) = Clock::time_point::max();
  std::string trouble_ GUARDED_BY(mutex_) = "no answer in time";  // of the connection, the last
  std::uint64_t heard_ = 0;  // notifications, for kOrderIgnored; the client's thread
  std::unique_ptr<PartyClient> client_;
  Desks desks_;
  FeedKeeper feed_;
  std::optional<Transfers> transfers_;
  std::unique_ptr<MqttConnection> back_end_;  // at the devices' own broker
  std::unique_ptr<Listener> desk_;
  OwnThread feed_thread_{mutex_, changed_};
};

Status AspOnMqtt::Begin() {
  ClientOptions mqtt = config_.mqtt;
  mqtt.on_trouble = [this](const std::string& trouble) { NotConnected(trouble); };
  auto client = PartyClient::Open(
      mqtt, [](const std::string&, const wire::Envelope&) {},  // actions go to MNOs only
      [this](const std::string& type, const wire::Envelope& envelope) { OnEvent(type, envelope); });
  if (!client) return client.error();
  client_ = std::move(*client);
  transfers_.emplace(*client_, desks_, report_, config_.answer);
  if (!client_->WaitConnected(kConnectWithin)) {
    const MutexLock lock(mutex_);
    return Error::Make(Code::kFailed, "broker_unreachable", "no connection to the broker: " + trouble_);
  }
  if (auto open = OpenBackEnd(); !open) return open;
  auto desk = Listener::Open(
      config_.desk_socket,
      [this](const std::shared_ptr<Connection>& connection, const json& frame) { OnDesk(connection, frame); },
      [](const std::shared_ptr<Connection>&) {});
  if (!desk) return desk.error();
  desk_ = std::move(*desk);
  feed_thread_.Start("feed", [this] { FeedLoop(); });
  PublishEndpoint();
  return Done{};
}

void AspOnMqtt::NotConnected(const std::string& trouble) {
  {
    const MutexLock lock(mutex_);
    trouble_ = trouble;
  }
  SayTrouble(report_)(trouble);
}

AspOnMqtt::~AspOnMqtt() {
  feed_thread_.Stop();
  desk_.reset();
  back_end_.reset();
  client_.reset();
}

Status AspOnMqtt::OpenBackEnd() {
  if (!config_.back_end) return Done{};
  auto back_end = MqttConnection::Open(
      *config_.back_end, kTelemetryTopics,
      [this](const std::string& topic, std::string_view payload) { OnTelemetry(topic, payload); }, [] {},
      [] {});
  if (!back_end) return back_end.error();
  back_end_ = std::move(*back_end);
  back_end_->Start();
  if (back_end_->WaitConnected(kConnectWithin)) return Done{};
  return Error::Make(Code::kFailed, "broker_unreachable", "no connection to the devices' broker");
}

// The broker has seen to it that a device writes below its own id only (clients/mosquitto/README.md).
void AspOnMqtt::OnTelemetry(const std::string& topic, std::string_view payload) {
  const std::string_view levels = topic;
  const std::string device(levels.substr(kDevicesLevel.size(), levels.rfind('/') - kDevicesLevel.size()));
  const json message = json::parse(payload, nullptr, false);
  const bool own = DeviceId::Parse(device) && message.is_object() && Text(message, "device") == device;
  report_.Say({{"event", "telemetry"}, {"device", device}, {"octets", payload.size()}, {"ok", own}});
}

void AspOnMqtt::PublishEndpoint() {
  client_->Send(wire::EndpointPublish{config_.endpoint},
                [this, begun = Clock::now()](const Reply& reply) { OnPublished(begun, reply); });
}

void AspOnMqtt::OnPublished(Clock::time_point begun, const Reply& reply) {
  report_.Step("", "endpoint", begun, ReasonOf(reply));
  std::vector<std::string> waiting;
  {
    const MutexLock lock(mutex_);
    published_ = reply.accepted;
    if (!published_) publish_again_ = Clock::now() + kPublishAgain;
    for (const auto& [device, claim] : claims_) {
      if (published_ && !claim.asked) waiting.push_back(device);
    }
  }
  for (const std::string& device : waiting) AskFor(device);
}

void AspOnMqtt::OnDesk(const std::shared_ptr<Connection>& desk, const json& frame) {
  const std::string device = Text(frame, "device"), code = Text(frame, "code");
  const std::string type = Text(frame, "t");
  if ((type != "authorisation" && type != "transfer") || !DeviceId::Parse(device)) return;
  if (type == "transfer") {
    desk->Send({{"t", "noted"}, {"device", device}}, kNotedWithin);
    return OnTransferCode(device, code);
  }
  bool ask = false;
  {
    const MutexLock lock(mutex_);
    const bool fresh = claims_.emplace(device, Claim{code, false, 0, Clock::now()}).second;
    ask = fresh && published_;
  }
  // Noted before it is asked for: the MNO repeats until it hears this, and a repeated code changes nothing.
  desk->Send({{"t", "noted"}, {"device", device}}, kNotedWithin);
  if (ask) AskFor(device);
}

// For a device of another ASP, which comes to this one's endpoint.
void AspOnMqtt::OnTransferCode(const std::string& device, const std::string& code) {
  {
    const MutexLock lock(mutex_);
    if (!shown_.insert(code).second) return;  // brought again
  }
  wire::TransferRequest request;
  request.device = DeviceId::Parse(device);
  request.authorisation_code = code;
  request.endpoint = config_.endpoint.name;
  transfers_->Request(request, device, [](const wire::TransferState&) {});
}

void AspOnMqtt::AskFor(const std::string& device) {
  wire::DeviceClaim command;
  {
    const MutexLock lock(mutex_);
    Claim& claim = claims_.at(device);
    if (claim.asked) return;
    claim.asked = true;
    ++claim.tries;
    command = {*DeviceId::Parse(device), claim.code, config_.endpoint.name};
  }
  const bool sent = client_->Send(command, [this, device](const Reply& reply) { OnClaimed(device, reply); });
  if (!sent) OnClaimed(device, NotSent());
}

void AspOnMqtt::OnClaimed(const std::string& device, const Reply& reply) {
  Clock::time_point begun;
  const std::string reason = ReasonOf(reply);
  bool again = false;
  if (reply.accepted) own_.Claimed(device);
  {
    const MutexLock lock(mutex_);
    Claim& claim = claims_.at(device);
    again = ClaimAgain(reply) && claim.tries < kClaimsMost;
    if (again) {
      claim.asked = false;
      claims_again_.emplace(Clock::now() + PauseBeforeAgain(reply, claim.tries, kClaimAgain), device);
    } else {
      begun = std::exchange(claim.begun, Clock::now());
    }
  }
  if (again) return report_.Say({{"event", "claim_again"}, {"device", device}, {"reason", reason}});
  report_.Step(device, "claim", begun, reason);
}

std::vector<std::string> AspOnMqtt::TakeDueClaims(Clock::time_point now) {
  std::vector<std::string> due;
  const auto end = claims_again_.upper_bound(now);
  for (auto at = claims_again_.begin(); at != end; ++at) due.push_back(std::move(at->second));
  claims_again_.erase(claims_again_.begin(), end);
  return due;
}

void AspOnMqtt::OnEvent(const std::string& type, const wire::Envelope& envelope) {
  const std::string device = envelope.data.is_object() ? Text(envelope.data, "device") : "";
  Clock::time_point since = Clock::now();
  if (envelope.seq) feed_.Saw(*envelope.seq);
  Hear(type, envelope);
  transfers_->Heard(type, envelope.data, config_.mqtt.party);
  {
    const MutexLock lock(mutex_);
    if (const auto claim = claims_.find(device); claim != claims_.end()) since = claim->second.begun;
  }
  if (type == wire::DeviceActivated::kName) return report_.Step(device, "activated", since, "");
  json event = {{"event", "notification"}, {"type", type}, {"device", device}};
  if (type == wire::DeviceFailed::kName) event["error"] = envelope.data.value("error", json());
  report_.Say(event);
}

// Which devices are its own; with what protocol_faults.h lists.
void AspOnMqtt::Hear(const std::string& type, const wire::Envelope& envelope) {
  const ProtocolFaults& faults = config_.mqtt.faults;
  if (type == wire::DeviceSuspended::kName && faults.contains(ProtocolFault::kSuspendedServed)) return;
  if (type == wire::TransferCompleted::kName && faults.contains(ProtocolFault::kTransferIgnored)) return;
  wire::Envelope heard = envelope;
  if (faults.contains(ProtocolFault::kOrderIgnored)) heard.seq = ++heard_;
  clients::Hear(heard, config_.mqtt.party, own_);
}

void AspOnMqtt::FeedLoop() {
  MutexLock lock(mutex_);
  while (feed_thread_.Rest(lock, config_.feed_tick)) {
    const bool publish = Clock::now() >= publish_again_;
    if (publish) publish_again_ = Clock::time_point::max();
    const std::vector<std::string> claims = TakeDueClaims(Clock::now());
    lock.Unlock();
    if (publish) PublishEndpoint();
    for (const std::string& device : claims) AskFor(device);
    feed_.Keep(*client_);
    lock.Lock();
  }
}

void AspOnMqtt::Control(const json& command) {
  if (transfers_->Control(command)) return;
  const std::string verb = Text(command, "cmd");
  const std::string device = Text(command, "device");
  const auto id = DeviceId::Parse(device);
  const std::string given = Text(command, "reason");
  const std::string reason = given.empty() ? "asked for on the console" : given;
  if (!id) return report_.Say({{"event", "control_refused"}, {"reason", "device_unknown"}});
  const auto on_reply = [this, device](const char* event) {
    return [this, device, event](const Reply& reply) {
      report_.Say(
          {{"event", event}, {"device", device}, {"ok", reply.accepted}, {"reason", ReasonOf(reply)}});
    };
  };
  if (verb == "give") {
    transfers_->Give(*id, Text(command, "to"), json::object());
  } else if (verb == "deactivate") {
    client_->Send(wire::DeviceDeactivate{*id, reason, command.value("disconnect", false)},
                  on_reply("deactivated"));
  } else if (verb == "reactivate") {
    client_->Send(wire::DeviceReactivate{*id, reason}, on_reply("reactivated"));
  } else if (verb == "rekey") {
    client_->Send(wire::DeviceRekey{*id, reason}, on_reply("rekeyed"));
  } else if (verb == "delete") {
    client_->Send(wire::DeviceDelete{*id, reason}, on_reply("deleted"));
  } else if (verb == "suspend") {
    client_->Send(wire::DeviceSuspend{*id, reason}, on_reply("suspended"));
  } else if (verb == "resume") {
    client_->Send(wire::DeviceResume{*id, reason}, on_reply("resumed"));
  } else if (verb == "disconnect") {
    client_->Send(wire::DeviceDisconnect{*id, reason}, on_reply("disconnected"));
  } else if (verb == "reconnect") {
    client_->Send(wire::DeviceReconnect{*id, reason}, on_reply("reconnected"));
  } else if (verb == "release") {
    client_->Send(wire::DeviceRelease{*id, reason}, on_reply("released"));
  } else if (verb == "restore") {
    client_->Send(wire::DeviceRestore{*id, reason}, on_reply("restored"));
  } else {
    report_.Say({{"event", "control_refused"}, {"reason", "command_unknown"}});
  }
}

}  // namespace

Result<std::unique_ptr<Asp>> Asp::Start(const AspConfig& config, clients::OwnDevices& own, Report& report) {
  auto asp = std::make_unique<AspOnMqtt>(config, own, report);
  if (auto begun = asp->Begin(); !begun) return begun.error();
  return std::unique_ptr<Asp>(std::move(asp));
}

}  // namespace registry::sim
