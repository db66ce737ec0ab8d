// `registryctl doctor`: the broker, as a party meets it.
#include <chrono>

#include "bridge/ctl/finding.h"
#include "bridge/ctl/operator_session.h"
#include "bridge/ctl/running.h"
#include "bridge/mqtt/connection.h"
#include "bridge/mqtt/dial.h"
#include "schemas/base/mutex.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/topics.h"

namespace registry::ctl {
namespace {

using outbox::Publisher;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLetIn{15}, kConfirmed{10};
// Nobody may have it, so nothing of anybody's is heard or done should the access list not hold.
constexpr char kNobody[] = "doctor-nobody";

class OneReceipt {
 public:
  void Take(const Publisher::Receipt& receipt) {
    const MutexLock lock(mutex_);
    receipt_ = receipt;
    changed_.NotifyAll();
  }
  std::optional<Publisher::Receipt> Wait() {
    MutexLock lock(mutex_);
    changed_.WaitFor(lock, kConfirmed, [this]() REQUIRES(mutex_) { return receipt_.has_value(); });
    return receipt_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::optional<Publisher::Receipt> receipt_ GUARDED_BY(mutex_);
};

std::function<bool()> GiveUpAfter(std::chrono::seconds time) {
  return [until = SteadyClock::now() + time] { return SteadyClock::now() > until; };
}

mqtt::Connection::Events Deaf() {
  return {[](const ingest::InboundMessage&) {}, [](const std::string&) {}};
}

// One that hears this filter, or why not.
Status Hears(const mqtt::SessionOptions& session, const std::string& filter) {
  mqtt::Connection connection(session, {"registryctl-" + FreshId(), filter}, Deaf());
  auto opened = connection.Open(GiveUpAfter(kLetIn));
  if (opened) connection.Close(std::chrono::milliseconds(500), true);
  return opened;
}

Finding OwnSpace(const mqtt::SessionOptions& session, const PartyId& party) {
  const auto heard = Hears(session, wire::OwnSpaceOf(party) + "doctor/+");
  if (heard) return {"broker access", Verdict::kGood, "it lets " + party.text() + " in, to its own topics"};
  return {"broker access", Verdict::kFault, heard.error().symbol + ": " + heard.error().message,
          "look at the broker's log, at acl.conf, and whether the certificate of " + party.text() +
              " was withdrawn (registryctl party show " + party.text() + ")"};
}

Finding ForeignSpace(const mqtt::SessionOptions& session) {
  const auto heard = Hears(session, wire::OwnSpaceOf(*PartyId::Parse(kNobody)) + "#");
  if (!heard && heard.error().symbol == "subscribe_refused")
    return {"broker subscribe", Verdict::kGood, "a party is refused at SUBSCRIBE what it may not read"};
  if (!heard) return {"broker subscribe", Verdict::kSkipped, heard.error().message};
  return {"broker subscribe", Verdict::kFault, "a party may subscribe to another party's topics",
          "load registry-subscribe-guard.so with acl.conf, as broker-config/mosquitto.conf.in does"};
}

// A read, so nothing would come of it: registryd would answer party_unknown to nobody.
Finding ForeignVoice(const mqtt::SessionOptions& session, const PartyId& party) {
  const char* const check = "broker publish";
  mqtt::Connection connection(session, {"registryctl-" + FreshId(), wire::OwnSpaceOf(party) + "doctor/+"},
                              Deaf());
  if (const auto opened = connection.Open(GiveUpAfter(kLetIn)); !opened)
    return {check, Verdict::kSkipped, opened.error().message};
  OneReceipt receipt;
  const auto topic = wire::CommandTopicOf(*PartyId::Parse(kNobody), wire::QuotaGet::kName);
  const auto sent =
      connection.Publish({topic, "{}", ""}, [&](const Publisher::Receipt& told) { receipt.Take(told); });
  const auto told = sent ? receipt.Wait() : std::nullopt;
  connection.Close(std::chrono::milliseconds(500), true);
  if (!told) return {check, Verdict::kSkipped, "the broker did not confirm a message"};
  if (told->fate != Publisher::Fate::kTaken)
    return {check, Verdict::kGood, "a party is refused to speak as another"};
  return {check, Verdict::kFault, "a party may speak as another party",
          "set acl_file to acl.conf and use_identity_as_username in the broker's configuration"};
}

Finding Answers(const app::Config& config, const AskOptions& ask) {
  if (PageOf(config, "/healthz").empty())
    return {"registryd answers", Verdict::kSkipped, "nobody answers at http.address and http.port either"};
  const auto began = SteadyClock::now();
  const auto answer = Ask(ask, std::string(wire::QuotaGet::kName), nlohmann::json::object());
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - began);
  if (answer && answer->accepted)
    return {"registryd answers", Verdict::kGood,
            "quota.get in " + std::to_string(took.count()) + " ms, connection included"};
  const std::string why =
      answer ? answer->data.value("symbol", "") : answer.error().symbol + ": " + answer.error().message;
  return {"registryd answers", Verdict::kFault, why,
          "see whether registryd runs and is connected: /readyz and its log (room mqtt)"};
}

}  // namespace

Findings LookAtBroker(const app::Config& config, const AskOptions& ask) {
  const auto party = PartyId::Parse(ask.party);
  if (!party || !config.parties.contains(*party))
    return {{"broker", Verdict::kSkipped, "the configuration has no party " + ask.party,
             "registryctl party add " + ask.party + " --role operator, or name another one with --as"}};
  const mqtt::SessionOptions session = SessionOf(config, ask);
  const mqtt::Dialled dialled = mqtt::Dial(session, GiveUpAfter(kLetIn));
  if (!dialled.fault.empty())
    return {{"broker TLS", Verdict::kFault, dialled.where + ": " + dialled.fault,
             "bridge/app/BROKER.md says for each step what to look at"}};
  Findings findings{
      {"broker TLS", Verdict::kGood, dialled.where + ": TLS 1.3, and a certificate for that host"}};
  findings.push_back(OwnSpace(session, *party));
  if (findings.back().verdict != Verdict::kGood) return findings;
  findings.push_back(ForeignSpace(session));
  findings.push_back(ForeignVoice(session, *party));
  findings.push_back(Answers(config, ask));
  return findings;
}

}  // namespace registry::ctl
