#include "simulators/asp/config.h"

#include "clients/dane/trust_files.h"

namespace registry::sim {
namespace {

using nlohmann::json;

Error Malformed(const std::string& what) { return Error::Make(Code::kValueSyntax, "config_malformed", what); }

void ReadMqtt(const json& config, ClientOptions& mqtt) {
  const json& part = config.at("mqtt");
  mqtt.host = part.at("host");
  mqtt.port = part.at("port");
  mqtt.ca_file = part.at("ca_file");
  mqtt.party = config.at("party");
  mqtt.certificate_file = config.at("cert_file");
  mqtt.key_file = config.at("key_file");
  mqtt.give_up_after =
      std::chrono::minutes(10);  // the registry may be away; what it has accepted it will answer
  mqtt.in_flight_max = 100'000;
  mqtt.repeat_after =
      std::chrono::seconds(15);  // nothing is lost on the way; a repetition makes a busy registry busier
  mqtt.batches = config.value("batches", false);
}

Status ReadEndpoint(const json& part, wire::Endpoint& endpoint) {
  const auto name = EndpointName::Parse(part.at("name").get<std::string>());
  if (!name) return Malformed("endpoint.name");
  endpoint.name = *name;
  endpoint.fqdn = part.at("fqdn");
  endpoint.url = part.at("url");
  endpoint.port = part.at("port");
  endpoint.protocol = part.at("protocol");
  if (!part.contains("certificate_file")) {
    endpoint.trust = {wire::TrustKind::kTlsa, {}, part.at("tlsa_owner")};
    return Done{};
  }
  const auto certificate = FromPem("CERTIFICATE", clients::ReadTrustFile(part["certificate_file"]));
  if (!certificate) return Malformed("endpoint.certificate_file");
  endpoint.trust = {wire::TrustKind::kCertificate, *certificate, ""};
  return Done{};
}

// The broker to which devices bring their telemetry, and how the back end reads it there.
Status ReadBroker(const json& object, AspConfig& config) {
  if (!object.contains("broker")) return Done{};
  const json& part = object.at("broker");
  config.tls.mqtt_port = part.at("port");
  config.back_end.emplace();
  ClientOptions& back_end = *config.back_end;
  back_end.host = part.at("back_end").at("host");
  back_end.port = part.at("back_end").at("port");
  back_end.user = part.at("back_end").at("user");
  back_end.password = clients::ReadTrustFile(part.at("back_end").at("password_file"));
  while (!back_end.password.empty() && back_end.password.back() == '\n') back_end.password.pop_back();
  back_end.party = back_end.user;
  if (config.tls.mqtt_port == 0 || back_end.user.empty() || back_end.password.empty())
    return Malformed("broker: port, user or password is missing");
  return Done{};
}

// Given, or computed from the resolver's certificate.
Result<Bytes> ReadPin(const json& part) {
  if (const std::string text = part.value("spki_pin_b64", ""); !text.empty()) {
    auto pin = FromBase64(text);
    return pin ? Result<Bytes>(std::move(*pin)) : Malformed("resolver.spki_pin_b64");
  }
  const std::string file = part.at("ca_file");
  auto pin = clients::PinOfCertificate(clients::ReadTrustFile(file));
  return pin ? pin : Malformed(file);
}

Result<AspConfig> Read(const json& object) {
  AspConfig config;
  ReadMqtt(object, config.mqtt);
  config.desk_socket = object.at("desk_socket");
  config.desks = object.value("desks", config.desks);
  const auto answer = TransferAnswerOf(object.value("transfers", "approve"));
  if (!answer) return Malformed("transfers is not approve, reject or none");
  config.answer = *answer;
  if (auto read = ReadEndpoint(object.at("endpoint"), config.endpoint); !read) return read.error();
  const json& tls = object.at("tls");
  config.tls.address = tls.at("address");
  config.tls.port = tls.at("port");
  config.tls.certificate_file = tls.at("cert_file");
  config.tls.key_file = tls.at("key_file");
  config.tls.threads = tls.value("threads", config.tls.threads);
  config.tls.also_tls12 = tls.value("also_tls12", config.tls.also_tls12);
  if (auto read = ReadBroker(object, config); !read) return read.error();
  const json& trust = object.at("device_trust");
  config.root_file = trust.at("root_file");
  config.issuing_file = trust.at("issuing_file");
  config.zone = trust.at("zone");
  const json& resolver = object.at("resolver");
  config.resolver.address = resolver.at("address");
  config.resolver.port = resolver.at("port");
  auto pin = ReadPin(resolver);
  if (!pin) return pin.error();
  config.resolver.spki_pin = std::move(*pin);
  config.resolver.anchors = clients::AnchorLines(clients::ReadTrustFile(object.at("trust_anchor_file")));
  return config;
}

Result<Bytes> ReadCertificates(const char* member, const std::string& file) {
  auto certificates = clients::CertificatesIn(clients::ReadTrustFile(file));
  if (certificates) return certificates;
  return Malformed("device_trust." + std::string(member) + ": " + file + " " + certificates.error().message);
}

}  // namespace

Result<ClientCheck::Trust> ReadDeviceTrust(const AspConfig& config) {
  auto root = ReadCertificates("root_file", config.root_file);
  if (!root) return root.error();
  auto issuing = ReadCertificates("issuing_file", config.issuing_file);
  if (!issuing) return issuing.error();
  return ClientCheck::Trust{std::move(*root), std::move(*issuing), {config.zone}};
}

Result<AspConfig> ReadAspConfig(const std::string& file) {
  const json object = json::parse(clients::ReadTrustFile(file), nullptr, false);
  if (!object.is_object()) return Malformed(file + " is not a JSON object");
  try {
    return Read(object);
  } catch (const json::exception& error) {  // nlohmann's only way to say so; it ends here
    return Malformed(file + ": " + error.what());
  }
}

}  // namespace registry::sim
