#include "clients/conformance/lab_files.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "clients/dane/trust_files.h"

namespace registry::conformance {
namespace {

using nlohmann::json;

Error Unreadable(const std::string& what) { return Error::Make(Code::kValueSyntax, "lab_unreadable", what); }

Result<std::string> TextOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return Unreadable("cannot read " + file);
  return text.str();
}

Result<json> LabIn(const std::string& lab_file) {
  std::ifstream in(lab_file);
  json lab = json::parse(in, nullptr, false);
  if (!lab.is_object()) return Unreadable(lab_file + " is no lab.json");
  return lab;
}

Bytes DerIn(const std::string& file) {
  return FromPem("CERTIFICATE", clients::ReadTrustFile(file)).value_or(Bytes{});
}

Result<wire::Bootstrap> BootstrapIn(const json& lab) {
  wire::Bootstrap bootstrap;
  bootstrap.registry_profile = "iot-registry-1";
  bootstrap.root_certificate = DerIn(lab.at("pki").at("root_cert_file"));
  bootstrap.issuing_certificate = DerIn(lab.at("pki").at("issuing_cert_file"));
  const json& resolver = lab.at("resolver");
  const std::string certificate = clients::ReadTrustFile(resolver.at("dot_ca_file"));
  auto pin = clients::PinOfCertificate(certificate);
  if (!pin) return pin.error();
  bootstrap.resolver = {resolver.at("address"), resolver.at("dot_port"), resolver.at("dot_name"),
                        FromPem("CERTIFICATE", certificate).value_or(Bytes{}), *pin};
  bootstrap.trust_anchors =
      clients::AnchorLines(clients::ReadTrustFile(lab.at("dns").at("trust_anchor_file")));
  return bootstrap;
}

Result<LabFiles> FilesIn(const json& lab, const std::string& lab_file, const std::string& party,
                         const std::string& role) {
  const auto found = lab.at("parties").find(party);
  if (found == lab.at("parties").end()) return Unreadable("the lab has no party " + party);
  if (found->at("role") != role) return Unreadable(party + " is no " + role + " in this lab");
  LabFiles files;
  files.ca_file = lab.at("mqtt").at("ca_file");
  const auto interface = std::filesystem::path(files.ca_file).parent_path();
  files.certificate_file = interface / "registryd.pem";
  files.key_file = interface / "registryd.key";
  files.party_certificate_file = found->at("cert_file");
  files.party_key_file = found->at("key_file");
  files.zone = lab.at("dns").at("zone");
  auto bootstrap = BootstrapIn(lab);
  if (!bootstrap) return bootstrap.error();
  files.bootstrap = std::move(*bootstrap);
  auto config = TextOf(std::filesystem::path(lab_file).parent_path() / "broker/mosquitto.conf");
  if (!config) return config.error();
  files.broker_config = std::move(*config);
  return files;
}

}  // namespace

Result<LabFiles> ReadLabFiles(const std::string& lab_file, const std::string& party,
                              const std::string& role) {
  const auto lab = LabIn(lab_file);
  if (!lab) return lab.error();
  try {
    return FilesIn(*lab, lab_file, party, role);
  } catch (const json::exception& error) {
    return Unreadable(lab_file + ": " + error.what());
  }
}

std::string GuestOf(const std::string& lab_file, const std::string& role) {
  const auto lab = LabIn(lab_file);
  if (!lab || !lab->contains("parties") || !lab->at("parties").is_object()) return {};
  for (const auto& [name, party] : lab->at("parties").items()) {
    if (name.starts_with("guest-") && party.is_object() && party.value("role", json()) == role) return name;
  }
  return {};
}

}  // namespace registry::conformance
