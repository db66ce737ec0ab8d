#include "tests/unit/clients/verdict/client_world.h"

#include <openssl/pem.h>

#include "schemas/base/check.h"

namespace registry::clients::test {
namespace {

// A fresh key pair into `key_file`; the request over it, PEM.
std::string RequestOverNewKey(const std::string& key_file) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509_REQ* const request = X509_REQ_new();
  X509_REQ_set_version(request, X509_REQ_VERSION_1);
  X509_REQ_set_pubkey(request, key);
  REG_CHECK(X509_REQ_sign(request, key, EVP_sha256()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request, &der);
  const std::string pem = ToPem("CERTIFICATE REQUEST", Bytes(der, der + size));
  OPENSSL_free(der);
  FILE* const file = std::fopen(key_file.c_str(), "w");
  REG_CHECK(file != nullptr && PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
  X509_REQ_free(request);
  EVP_PKEY_free(key);
  return pem;
}

std::string IdOf(std::size_t number) {
  char text[40];
  std::snprintf(text, sizeof text, "5672476c-e9aa-4aa3-9cfd-%012zu", number);
  return text;
}

std::string HashOf(const Bytes& octets) { return ToHex(sim::test::Sha256(octets)); }

Bytes KeyOf(const TestDevice& device) { return CertificateView::Of(device.certificate)->spki; }

}  // namespace

OwnedCertificate Parsed(const Bytes& der) {
  const std::uint8_t* at = der.data();
  return OwnedCertificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

TestDevice ClientWorld::Make(const std::string& file, const std::string& name, long seconds) const {
  TestDevice device{
      name.substr(0, name.find('.')), name, {}, folder_.In(file + ".pem"), folder_.In(file + ".key")};
  device.certificate = registry_.Issue(RequestOverNewKey(device.key_file), name, seconds);
  folder_.Write(file + ".pem", ToPem("CERTIFICATE", device.certificate));
  return device;
}

std::unique_ptr<ClientWorld> ClientWorld::Start() {
  std::unique_ptr<ClientWorld> world(new ClientWorld());
  const registry::test::TemporaryFolder& folder = world->folder_;
  world->server_ = sim::test::MakeServerIdentity(folder.In(""), "asp.test");
  folder.Write("root.pem", ToPem("CERTIFICATE", world->registry_.root()));
  folder.Write("issuing.pem", ToPem("CERTIFICATE", world->registry_.issuing()));
  for (std::size_t i = 0; i < kKinds; ++i) {
    const Kind kind = static_cast<Kind>(i);
    const std::string zone = kind == Kind::kInsecure ? kUnsignedZone : kZone;
    world->devices_[i] = world->Make("device-" + std::to_string(i), IdOf(i) + "._device." + zone,
                                     kind == Kind::kExpired ? -10 : 3600);
  }
  if (!world->StartDns()) return nullptr;
  folder.Write("anchors", "; of this test\n" + world->world_->anchor() + "\n");
  return world;
}

bool ClientWorld::StartDns() {
  const auto record = [this](Kind kind, const std::string& rdata) {
    return device(kind).name + ". 60 IN " + rdata;
  };
  const auto by_certificate = [&](Kind kind) {
    return record(kind, "TLSA 3 0 1 " + HashOf(device(kind).certificate));
  };
  const std::string right = HashOf(device(Kind::kBogus).certificate);
  std::string wrong = right;
  wrong[0] = wrong[0] == 'a' ? 'b' : 'a';
  World::Zones zones, unsigned_zones;
  zones[kZone] = {by_certificate(Kind::kGood),
                  device(Kind::kByKey).name + ". 1 IN TLSA 3 1 1 " + HashOf(KeyOf(device(Kind::kByKey))),
                  by_certificate(Kind::kOther),
                  record(Kind::kHeld, "TXT \"state=suspended\""),
                  record(Kind::kReplaced, "TLSA 3 0 1 " + HashOf(device(Kind::kGood).certificate)),
                  by_certificate(Kind::kExpired),
                  record(Kind::kBogus, "TLSA 3 0 1 " + wrong)};
  unsigned_zones[kUnsignedZone] = {by_certificate(Kind::kInsecure)};
  world_ = World::Start(zones, {{wrong, right}}, unsigned_zones);
  return world_ != nullptr;
}

ClientCheck::Trust ClientWorld::trust() const {
  return {registry_.root(), registry_.issuing(), {kZone, kUnsignedZone}};
}

ResolverTrust ClientWorld::resolver() const {
  return {"127.0.0.1",
          world_->dot_port(),
          world_->spki_pin(),
          {world_->anchor()},
          std::chrono::milliseconds(3000)};
}

std::string ClientWorld::WriteConfig(const std::string& file, const std::string& more) const {
  return folder_.Write(file, "# of this test\nzone = " + std::string(kZone) + "\nzone = " + kUnsignedZone +
                                 "\nroot_file = " + folder_.In("root.pem") +
                                 "\nissuing_file = " + folder_.In("issuing.pem") +
                                 "\nresolver = 127.0.0.1:" + std::to_string(world_->dot_port()) +
                                 "\nresolver_pin = " + ToBase64(world_->spki_pin()) +
                                 "\ntrust_anchor_file = " + folder_.In("anchors") + "\n" + more + "\n");
}

}  // namespace registry::clients::test
