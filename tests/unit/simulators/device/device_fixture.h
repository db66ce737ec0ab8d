// tests/unit/simulators/device/device_fixture.h: a device that is given its bootstrap by a TestRegistry, and payloads of
// both forms for it. No DNS, no radio. Owns: all of it. Threads: one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "simulators/device/der.h"
#include "simulators/device/device.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::sim::test {

inline constexpr const char* kName = "5672476c-e9aa-4aa3-9cfd-2aef76f44f0f._device.iotregistry.test";
inline constexpr const char* kOtherName = "0672476c-e9aa-4aa3-9cfd-2aef76f44f0f._device.iotregistry.test";
// Certificates are made in real time, so the device's clock is real, too.
inline const UtcTime kNow{
    std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count()};

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    device_ = Device::Make(store_, {});
    ASSERT_TRUE(device_->Boot(wire::Encode(Bootstrap(kName))));
  }
  wire::Bootstrap Bootstrap(const std::string& name) const {
    wire::Bootstrap bootstrap;
    bootstrap.registry_profile = "iot-registry-1";
    bootstrap.device_name = name;
    bootstrap.root_certificate = registry_.root();
    bootstrap.issuing_certificate = registry_.issuing();
    bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", registry_.root(), Bytes(32, 7)};
    bootstrap.trust_anchors = {
        ". 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
    return bootstrap;
  }
  // A device with a key and its certificate.
  void Certify() {
    csr_ = *device_->GenerateKey("job-1");
    certificate_ = registry_.Issue(csr_, kName);
    ASSERT_TRUE(device_->Install(certificate_));
  }
  wire::RegistryPayload Payload(std::uint64_t version) const {
    wire::RegistryPayload payload;
    payload.version = version;
    payload.issued = kNow;
    payload.expires = kNow + std::chrono::hours(24);
    payload.bootstrap = Bootstrap(kName);
    payload.certificate = certificate_;
    payload.asp = *PartyId::Parse("asp-a");
    payload.endpoint.emplace();
    payload.endpoint->name = *EndpointName::Parse("gateway");
    payload.endpoint->fqdn = "mqtt.asp-a.test";
    payload.endpoint->url = "tls://mqtt.asp-a.test:8884";
    payload.endpoint->port = 8884;
    payload.endpoint->protocol = "tls";
    payload.endpoint->trust.tlsa_owner = "_8884._tcp.mqtt.asp-a.test";
    return payload;
  }
  // A payload whose ASP is named by its certificate, so that every container is there.
  wire::RegistryPayload FullPayload(std::uint64_t version) const {
    auto payload = Payload(version);
    payload.endpoint->trust = {wire::TrustKind::kCertificate, registry_.root(), ""};
    return payload;
  }
  static nlohmann::json Frame(const Bytes& cms, const std::vector<wire::Container>& containers) {
    nlohmann::json frame = {
        {"t", "payload"}, {"cms", ToBase64(cms)}, {"containers", nlohmann::json::array()}};
    for (const auto& container : containers) frame["containers"].push_back(wire::Encode(container));
    return frame;
  }
  // With the files of Payload(): the same as often as it is asked for, as the registry repeats itself.
  nlohmann::json Frame(const Bytes& cms) {
    auto& containers = containers_[certificate_];
    if (containers.empty()) containers = registry_.Containers(Payload(1));
    return Frame(cms, containers);
  }
  std::string SymbolWith(const wire::RegistryPayload& payload,
                         const std::vector<wire::Container>& containers) {
    const std::string job = "container-" + std::to_string(++jobs_);
    const auto outcome = device_->TakePayload(job, Frame(Seal(payload), containers), kNow);
    EXPECT_FALSE(outcome.retriable());
    return outcome.status ? "success" : outcome.status.error().symbol;
  }
  Bytes Seal(const wire::RegistryPayload& payload) const {
    return registry_.Seal(wire::Encode(payload).dump(), TestRegistry::AgreementKeyIn(csr_));
  }
  std::string SymbolOf(const std::string& job, const Bytes& cms, UtcTime now = kNow) {
    const auto outcome = device_->TakePayload(job, Frame(cms), now);
    return outcome.status ? "success" : outcome.status.error().symbol;
  }

  TestRegistry registry_;
  TrustStore store_;
  std::unique_ptr<Device> device_;
  std::string csr_;
  Bytes certificate_;
  std::map<Bytes, std::vector<wire::Container>> containers_;  // by certificate
  int jobs_ = 0;
};

}  // namespace registry::sim::test
