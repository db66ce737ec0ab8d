#include "tests/vectors/vector_world.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "clients/verdict/verdict.h"
#include "schemas/base/check.h"
#include "schemas/wire/codec.h"
#include "tests/support/shell.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::vectors {
namespace {

using nlohmann::json;
namespace test = sim::test;

constexpr const char* kZone = "iot.test";
constexpr const char* kOtherName = "0672476c-e9aa-4aa3-9cfd-2aef76f44f0f._device.iot.test";
constexpr const char* kAsp = "mqtt.asp.test";
// Zones beside kZone: nobody signs plain.test, the apex of odd.test names other CAs, that of bare.test none.
const std::vector<std::string> kZones = {kZone, "plain.test", "odd.test", "bare.test"};

UtcTime Now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

void Replace(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

std::string Spoilt(std::string hex) {
  hex[0] = hex[0] == 'a' ? 'b' : 'a';
  return hex;
}

Key KeyIn(const std::string& csr_pem) {
  BIO* const in = BIO_new_mem_buf(csr_pem.data(), static_cast<int>(csr_pem.size()));
  X509_REQ* const csr = PEM_read_bio_X509_REQ(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  Key key(X509_REQ_get_pubkey(csr));
  X509_REQ_free(csr);
  return key;
}

Bytes Edited(Bytes octets, const json& edit) {
  if (edit.contains("cut")) octets.resize(octets.size() - edit["cut"].get<std::size_t>());
  if (edit.contains("flip")) octets.at(edit["flip"].get<std::size_t>()) ^= 1;
  if (edit.contains("append")) {
    const Bytes more = *FromHex(edit["append"].get<std::string>());
    octets.insert(octets.end(), more.begin(), more.end());
  }
  if (edit.contains("size")) octets.resize(edit["size"].get<std::size_t>());
  if (edit.contains("text")) octets = AsBytes(edit["text"].get<std::string>());
  return octets;
}

// r || s, as a card says it, instead of DER.
Bytes Raw(const Bytes& der) {
  const std::uint8_t* at = der.data();
  ECDSA_SIG* const signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  Bytes raw(64);
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw.data(), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw.data() + 32, 32);
  ECDSA_SIG_free(signature);
  return raw;
}

std::string SymbolOf(const Status& status) {
  return status ? std::string("accepted") : std::string(status.error().symbol);
}

}  // namespace

std::string VectorWorld::Filled(std::string text, const Vector& vector) const {
  Replace(text, "{own}", vector.name);
  Replace(text, "{other}", kOtherName);
  Replace(text, "{id}", vector.name.substr(0, 36));
  return text;
}

json VectorWorld::Filled(const json& part, const Vector& vector) const {
  return json::parse(Filled(part.dump(), vector));
}

void VectorWorld::MakeDevice(Vector& vector) {
  vector.device = sim::Device::Make(store_, {});
  const Status booted = vector.device->Boot(wire::Encode(BootstrapOf(vector)));
  Key key;
  if (booted) {
    vector.csr = *vector.device->GenerateKey("job");
    key = KeyIn(vector.csr);
  } else {
    vector.refused_bootstrap = booted.error().symbol;
    vector.device.reset();
    key = NewKey("p256");
  }
  const json said = Filled(vector.part("certificate"), vector);
  if (said.contains("key")) key = NewKey(said["key"]);
  vector.certificate =
      said.value("of", "") == "other" ? other_certificate_ : vector.ca->Certify(key.get(), vector.name, said);
}

std::string VectorWorld::TlsaData(const Vector& vector, const json& record) const {
  const std::string of = record.value("of", "own");
  Bytes whole = of == "own"       ? vector.certificate
                : of == "other"   ? other_certificate_
                : of == "issuing" ? vector.ca->issuing()
                                  : vector.ca->root();
  if (record.value("selector", 0) == 1) whole = clients::CertificateView::Of(whole)->spki;
  const std::string form = record.value("form", record.value("matching", 1) == 0 ? "whole" : "hash");
  if (form == "whole") return ToHex(whole);
  if (form == "hash-of-hex") return ToHex(test::Sha256(AsBytes(ToHex(whole))));
  if (form == "hash-of-pem") return ToHex(test::Sha256(AsBytes(ToPem("CERTIFICATE", whole))));
  const std::string hash = ToHex(test::Sha256(whole));
  if (form == "short") return hash.substr(0, 40);
  if (form == "long") return hash + "00";
  REG_CHECK(form == "hash");
  return hash;
}

// A record of DNS that stands there in the place of TLSA can be said in words.
std::vector<std::string> VectorWorld::RecordsOf(const Vector& vector, bool spoilt) const {
  std::vector<std::string> records;
  for (const json& record : vector.said.value("tlsa", json::array({json::object()}))) {
    std::string data = TlsaData(vector, record);
    if (spoilt && record.value("bogus", false)) data = Spoilt(data);
    records.push_back("TLSA " + std::to_string(record.value("usage", 3)) + ' ' +
                      std::to_string(record.value("selector", 0)) + ' ' +
                      std::to_string(record.value("matching", 1)) + ' ' + data);
  }
  for (const json& record : vector.said.value("records", json::array()))
    records.push_back(Filled(record.get<std::string>(), vector));
  return records;
}

bool VectorWorld::StartDns() {
  const std::string root = ToHex(test::Sha256(ca_->root())), issuing = ToHex(test::Sha256(ca_->issuing()));
  const std::string other = ToHex(test::Sha256(other_certificate_));
  const std::string apex = "@ 60 IN TLSA ";
  clients::test::World::Zones zones, unsigned_zones;
  zones[kZone] = {apex + "0 0 1 " + root, apex + "2 0 1 " + issuing,
                  std::string(kOtherName) + ". 60 IN TLSA 3 0 1 " + other};
  zones["odd.test"] = {apex + "0 0 1 " + other, apex + "2 0 1 " + issuing};
  zones["bare.test"] = {};
  zones["asp.test"] = {"mqtt 60 IN A 127.0.0.1"};
  unsigned_zones["plain.test"] = {apex + "0 0 1 " + root, apex + "2 0 1 " + issuing};
  std::map<std::string, std::string> spoil;
  for (const Vector& vector : vectors_) {
    const std::string zone = vector.said.value("zone", kZone);
    auto& records = (zone == "plain.test" ? unsigned_zones : zones)[zone];
    const auto right = RecordsOf(vector, false), served = RecordsOf(vector, true);
    for (std::size_t i = 0; i < served.size(); ++i) {
      records.push_back(vector.name + ". 60 IN " + served[i]);
      if (right[i] != served[i])
        spoil[served[i].substr(served[i].rfind(' ') + 1)] = right[i].substr(right[i].rfind(' ') + 1);
    }
  }
  dns_ = clients::test::World::Start(zones, spoil, unsigned_zones);
  return dns_ != nullptr;
}

std::unique_ptr<VectorWorld> VectorWorld::Start(const json& table) {
  std::unique_ptr<VectorWorld> world(new VectorWorld());
  world->ca_ = std::make_shared<VectorCa>(json::object());
  world->other_key_ = NewKey("p256");
  world->other_certificate_ = world->ca_->Certify(world->other_key_.get(), kOtherName, json::object());
  world->asp_certificate_ = test::MakeServerIdentity(world->folder_.In(""), kAsp).der;
  int number = 0;
  for (const json& said : table) {
    Vector vector;
    vector.said = said;
    char id[40];
    std::snprintf(id, sizeof id, "5672476c-e9aa-4aa3-9cfd-%012d", ++number);
    vector.name = id + std::string("._device.") + said.value("zone", kZone);
    vector.ca = said.contains("ca") ? std::make_shared<VectorCa>(said["ca"]) : world->ca_;
    world->MakeDevice(vector);
    world->vectors_.push_back(std::move(vector));
  }
  return world->StartDns() ? std::move(world) : nullptr;
}

wire::Bootstrap VectorWorld::BootstrapOf(const Vector& vector) const {
  wire::Bootstrap bootstrap;
  bootstrap.registry_profile = "iot-registry-1";
  bootstrap.device_name = vector.name;
  bootstrap.root_certificate = vector.ca->root();
  bootstrap.issuing_certificate = vector.ca->issuing();
  bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", vector.ca->root(), Bytes(32, 7)};
  bootstrap.trust_anchors = {
      ". 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
  if (dns_) {  // known only once the names of all are
    bootstrap.resolver.port = dns_->dot_port();
    bootstrap.resolver.spki_pin = dns_->spki_pin();
    bootstrap.trust_anchors = {dns_->anchor()};
  }
  return bootstrap;
}

wire::RegistryPayload VectorWorld::PayloadOf(const Vector& vector, const json& said) const {
  wire::RegistryPayload payload;
  payload.version = said.value("version", 5);
  payload.issued = Now();
  payload.expires = Now() + std::chrono::seconds(said.value("expires", 3600));
  payload.bootstrap = BootstrapOf(vector);
  payload.bootstrap.device_name = said.value("deviceName", vector.name);
  payload.certificate = vector.certificate;
  payload.asp = *PartyId::Parse("asp-a");
  payload.endpoint.emplace();
  payload.endpoint->name = *EndpointName::Parse("gateway");
  payload.endpoint->fqdn = kAsp;
  payload.endpoint->url = "tls://" + std::string(kAsp) + ":8884";
  payload.endpoint->port = 8884;
  payload.endpoint->protocol = "tls";
  payload.endpoint->trust = {wire::TrustKind::kCertificate, asp_certificate_, ""};
  if (said.contains("aspTlsa")) payload.endpoint->trust = {wire::TrustKind::kTlsa, {}, said["aspTlsa"]};
  return payload;
}

std::vector<wire::Container> VectorWorld::ContainersOf(const Vector& vector,
                                                       const wire::RegistryPayload& payload) const {
  auto containers = test::PilotFormBy(vector.ca->Named("issuing").key, payload);
  const auto find = [&](int id) {
    return std::find_if(containers.begin(), containers.end(), [&](const auto& one) { return one.id == id; });
  };
  for (const json& edit : vector.said.value("containers", json::array())) {
    const auto id = FromHex(edit.at("id").get<std::string>())->front();
    auto one = find(id);
    if (edit.contains("insert")) {
      containers.insert(containers.begin(), {id, *FromHex(edit["insert"].get<std::string>())});
      continue;
    }
    REG_CHECK(one != containers.end());
    if (edit.value("drop", false)) {
      containers.erase(one);
      continue;
    }
    if (edit.value("first", false)) {
      std::rotate(containers.begin(), one, one + 1);
      continue;
    }
    if (edit.contains("signedBy")) {
      const Bytes& over = find(id == 0x09 ? 0x08 : 0x03)->content;
      const std::string form = edit.value("over", "octets");
      const Bytes said = form == "hex" ? AsBytes(ToHex(over)) : over;
      one->content = test::SignBy(vector.ca->Named(edit["signedBy"]).key, said);
    }
    if (edit.value("raw", false)) one->content = Raw(one->content);
    if (edit.value("of", "") == "other") one->content = other_certificate_;
    one->content = Edited(one->content, edit);
  }
  if (vector.said.value("markAgain", false)) {
    auto mark = find(0x0f);
    auto files = containers;
    std::erase_if(files, [](const auto& one) { return one.id == 0x0f; });
    mark->content = test::MarkOf(payload.version, files);
  }
  return containers;
}

json VectorWorld::FrameOf(const Vector& vector, const json& said) const {
  const wire::RegistryPayload payload = PayloadOf(vector, said);
  json content = wire::Encode(payload);
  content.merge_patch(said.value("content", json::object()));
  std::string text = said.contains("text") ? said["text"].get<std::string>() : content.dump();
  const Bytes recipient = said.value("recipient", "own") == "other"
                              ? clients::CertificateView::Of(other_certificate_)->spki
                              : test::TestRegistry::AgreementKeyIn(vector.csr);
  const auto signer = vector.ca->Named(said.value("signer", "issuing"));
  const Bytes cms = Edited(test::SealBy(signer.certificate, signer.key, text, recipient),
                           said.value("cms", json::object()));
  json frame = {{"cms", ToBase64(cms)}, {"containers", json::array()}};
  for (const auto& container : ContainersOf(vector, payload))
    frame["containers"].push_back(wire::Encode(container));
  return frame;
}

std::string VectorWorld::DeviceSays(const Vector& vector) const {
  if (!vector.device) return vector.refused_bootstrap;
  const json said = Filled(vector.part("payload"), vector);
  if (said.contains("before")) {
    json before = said;
    before["version"] = said["before"];
    const auto first = vector.device->TakePayload("before", FrameOf(vector, before), Now());
    if (!first.status) return "before: " + std::string(first.status.error().symbol);
  }
  const auto taken = vector.device->TakePayload("job", FrameOf(vector, said), Now());
  if (!taken.status) return SymbolOf(taken.status);
  return SymbolOf(vector.device->Verify(Now()));
}

std::string VectorWorld::AspSays(const Vector& vector) const {
  auto resolver = clients::DaneResolver::Create(
      {"127.0.0.1", dns_->dot_port(), dns_->spki_pin(), {dns_->anchor()}, std::chrono::milliseconds(3000)});
  REG_CHECK(resolver);
  const auto check =
      clients::ClientCheck::Create({vector.ca->root(), vector.ca->issuing(), kZones}, nullptr, *resolver);
  REG_CHECK(check);
  const std::uint8_t* at = vector.certificate.data();
  const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(vector.certificate.size())));
  REG_CHECK(certificate != nullptr);
  std::optional<std::string> sent;
  if (vector.said.contains("clientId")) sent = Filled(vector.said["clientId"].get<std::string>(), vector);
  const auto judged = (*check)->Judge(certificate.get(), sent);
  return std::string(clients::SymbolOf(clients::VerdictOf(judged.status)));
}

void VectorWorld::Write(const std::string& folder) const {
  for (const Vector& vector : vectors_) {
    const std::filesystem::path own = std::filesystem::path(folder) / vector.title();
    std::filesystem::create_directories(own);
    const auto write = [&](const char* name, std::string_view content) {
      std::ofstream(own / name, std::ios::binary) << content;
    };
    write("vector.json", vector.said.dump(1) + "\n");
    write("name", vector.name + "\n");
    write("root.der", AsText(vector.ca->root()));
    write("issuing.der", AsText(vector.ca->issuing()));
    write("certificate.der", AsText(vector.certificate));
    std::string records;
    for (const std::string& record : RecordsOf(vector, false))
      records += vector.name + ". 60 IN " + record + "\n";
    write("records", records);
    if (vector.device)
      write("payload.json", FrameOf(vector, Filled(vector.part("payload"), vector)).dump(1) + "\n");
  }
}

std::string VectorWorld::PilotSays(const Vector& vector) const {
  const json said = Filled(vector.part("payload"), vector);
  const std::string folder = vector.title();
  std::filesystem::create_directory(folder_.In(folder));
  for (const auto& container : ContainersOf(vector, PayloadOf(vector, said))) {
    std::string id = ToHex(Bytes{container.id});
    std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return std::toupper(c); });
    folder_.Write(folder + "/" + id, container.content);
  }
  std::string records;
  for (const std::string& record : RecordsOf(vector, false)) {
    if (record.starts_with("TLSA ")) records += record.substr(5) + "\n";
  }
  folder_.Write(folder + "/records", records);
  const auto checked = registry::test::Shell("python3 " + std::string(REGISTRY_SOURCE_DIR) +
                                             "/simulators/lab/pilot_check.py --files " + folder_.In(folder) +
                                             " --records " + folder_.In(folder) + "/records 2>&1");
  if (checked.ok()) return "accepted";
  if (checked.output.ends_with("not provisioned\n")) return "not provisioned";
  const auto at = checked.output.rfind("refused ");
  return at == std::string::npos ? checked.output
                                 : checked.output.substr(at, checked.output.find(':', at) - at);
}

}  // namespace registry::vectors
