#include "tests/integration/mqtt/broker.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bridge/clock.h"
#include "bridge/mqtt/connection.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/server_config.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

constexpr char kSource[] = REGISTRY_SOURCE_DIR "/broker-config/";

signing::Validity ADay() { return {SystemClock().Now(), std::chrono::days(1)}; }

}  // namespace

void WriteBrokerConfig(const TemporaryFolder& folder, std::uint16_t port, const BrokerFiles& files) {
  std::stringstream text;
  text << std::ifstream(std::string(kSource) + "mosquitto.conf.in").rdbuf();
  std::filesystem::create_directory(folder.In("state"));
  auto config =
      lab::FillTemplate(text.str(), {{"ADDRESS", "127.0.0.1"},
                                     {"PORT", std::to_string(port)},
                                     {"CA_FILE", files.ca},
                                     {"CERTIFICATE_FILE", files.certificate},
                                     {"KEY_FILE", files.key},
                                     {"CRL_LINE", files.crl_line},
                                     {"GUARD_CRL_LINE", lab::GuardCrlLine(files.crl_line)},
                                     {"ACL_FILE", std::string(kSource) + "acl.conf"},
                                     {"GUARD_FILE", REGISTRY_BINARY_DIR "/bin/registry-subscribe-guard.so"},
                                     {"STATE_DIR", folder.In("state")},
                                     {"LOG_FILE", folder.In("mosquitto.log")},
                                     {"USER", "root"}});
  REG_CHECK(config.ok());
  folder.Write("mosquitto.conf", *config);
}

std::unique_ptr<lab::Process> StartBroker(const TemporaryFolder& folder, std::uint16_t port) {
  lab::ProcessSpec spec;
  spec.name = "mosquitto";
  spec.command = {"mosquitto", "-c", folder.In("mosquitto.conf")};
  spec.log_file = folder.In("mosquitto.out");
  auto process = lab::Process::Start(std::move(spec));
  REG_CHECK(process.ok());
  REG_CHECK(lab::WaitUntil([port] { return lab::TcpAnswers("127.0.0.1", port); }, 10s));
  return std::move(*process);
}

Broker::Broker() {
  auto ca = signing::CreateRoot("interface CA of a test", ADay());
  REG_CHECK(ca.ok());
  ca_ = std::make_unique<signing::Authority>(std::move(*ca));
  folder_.Write("ca.pem", ToPem("CERTIFICATE", ca_->certificate));
  auto key = signing::PrivateKey::Generate();
  REG_CHECK(key.ok() && key->Save(folder_.In("broker.key")).ok());
  NameItself("127.0.0.1");
  port_ = *ports_.Take();
  WriteBrokerConfig(folder_, port_,
                    {folder_.In("ca.pem"), folder_.In("broker.pem"), folder_.In("broker.key"), ""});
  Start();
}

void Broker::NameItself(const std::string& host, int days_ago) {
  auto key = signing::PrivateKey::Load(folder_.In("broker.key"));
  REG_CHECK(key.ok());
  signing::Validity validity = ADay();
  validity.now = validity.now - std::chrono::hours(24) * days_ago;
  auto certificate = signing::CreateServerCertificate(*ca_, *key, {host}, validity);
  REG_CHECK(certificate.ok());
  folder_.Write("broker.pem", ToPem("CERTIFICATE", *certificate));
}

void Broker::Reconfigure(const std::string& line) {
  Kill();
  const std::string key = line.substr(0, line.find(' '));
  std::stringstream old(folder_.Read("mosquitto.conf"));
  std::string text;
  for (std::string each; std::getline(old, each);) {
    if (!each.starts_with(key + " ")) text += each + "\n";
  }
  folder_.Write("mosquitto.conf", text + line + "\n");
  Start();
}

void Broker::Start() { process_ = StartBroker(folder_, port_); }

void Broker::Kill() {
  process_->Signal(SIGKILL);
  REG_CHECK(process_->WaitExit(10s));
}

// Mosquitto says "Reloading config." at level info, which is not logged; a reloaded log is opened anew, so one that was
// moved away is there again.
void Broker::Reload() {
  std::filesystem::rename(folder_.In("mosquitto.log"), folder_.In("mosquitto.log.1"));
  process_->Signal(SIGHUP);
  REG_CHECK(lab::WaitUntil([this] { return std::filesystem::exists(folder_.In("mosquitto.log")); }, 10s));
}

std::string Broker::CertificateOf(const std::string& party) {
  const std::string file = folder_.In(party + ".pem");
  if (std::filesystem::exists(file)) return file;
  auto key = signing::PrivateKey::Generate();
  REG_CHECK(key.ok() && key->Save(KeyOf(party)).ok());
  auto certificate = signing::CreatePartyCertificate(*ca_, *key, *PartyId::Parse(party), ADay());
  REG_CHECK(certificate.ok());
  return folder_.Write(party + ".pem", ToPem("CERTIFICATE", *certificate));
}

mqtt::SessionOptions Broker::ForRegistry() {
  mqtt::SessionOptions options;
  options.port = port_;
  options.ca_file = folder_.In("ca.pem");
  options.certificate_file = CertificateOf("registryd");
  options.key_file = KeyOf("registryd");
  options.backoff_min = 20ms;
  options.backoff_max = 200ms;
  return options;
}

bool Broker::HasSession(const std::string& client_id) {
  mqtt::Connection look(ForRegistry(), {client_id, ""},
                        {[](const ingest::InboundMessage&) {}, [](const std::string&) {}});
  const auto open = look.Open([] { return false; });
  REG_CHECK(open.ok());
  const bool has = look.terms().session_present;
  look.Close(5s, true);
  return has;
}

RawOptions Broker::ForParty(const std::string& party) {
  RawOptions options;
  options.port = port_;
  options.ca_file = folder_.In("ca.pem");
  options.certificate_file = CertificateOf(party);
  options.key_file = KeyOf(party);
  options.client_id = party;
  return options;
}

}  // namespace registry::test
