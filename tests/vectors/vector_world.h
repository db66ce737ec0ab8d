// tests/vectors/vector_world.h: all that vectors.json describes, made: a device with its card, certificate and payload for
// each vector, and one signed DNS with the records of all. The judges are the code that is run in the field: the device
// of device-sim, the client library of an ASP, and a program that does what the pilot's middleware does.
// Owns: devices, servers, and a folder with each vector's material as files. Threads: one.
// Errors: a description that cannot be carried out ends the test program; an empty pointer where the DNS does not start.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "clients/verdict/client_check.h"
#include "simulators/device/device.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/clients/dane/world.h"
#include "tests/vectors/vector_ca.h"

namespace registry::vectors {

struct Vector {
  nlohmann::json said;  // of vectors.json
  std::string name;     // of its device in the DNS
  std::shared_ptr<const VectorCa> ca;
  std::unique_ptr<sim::Device> device;  // null: it refused its bootstrap part
  std::string refused_bootstrap;
  std::string csr;
  Bytes certificate;

  std::string title() const { return said.at("name"); }
  nlohmann::json part(const char* member) const { return said.value(member, nlohmann::json::object()); }
};

class VectorWorld {
 public:
  static std::unique_ptr<VectorWorld> Start(const nlohmann::json& table);

  const std::vector<Vector>& vectors() const { return vectors_; }
  // Each says "accepted", or the symbol of its refusal; the pilot "refused <step>".
  std::string DeviceSays(const Vector& vector) const;
  std::string AspSays(const Vector& vector) const;
  std::string PilotSays(const Vector& vector) const;
  // For software by others: a folder for each vector, with what it shows to whom (README.md).
  void Write(const std::string& folder) const;

 private:
  VectorWorld() = default;
  void MakeDevice(Vector& vector);
  bool StartDns();
  std::vector<std::string> RecordsOf(const Vector& vector, bool spoilt) const;
  std::string TlsaData(const Vector& vector, const nlohmann::json& record) const;
  wire::Bootstrap BootstrapOf(const Vector& vector) const;
  wire::RegistryPayload PayloadOf(const Vector& vector, const nlohmann::json& said) const;
  nlohmann::json FrameOf(const Vector& vector, const nlohmann::json& payload) const;
  std::vector<wire::Container> ContainersOf(const Vector& vector, const wire::RegistryPayload& payload) const;
  std::string Filled(std::string text, const Vector& vector) const;
  nlohmann::json Filled(const nlohmann::json& part, const Vector& vector) const;

  registry::test::TemporaryFolder folder_;
  sim::TrustStore store_;
  std::shared_ptr<const VectorCa> ca_;
  Key other_key_;  // of another device of the registry, which is in order
  Bytes other_certificate_;
  Bytes asp_certificate_;
  std::vector<Vector> vectors_;
  std::unique_ptr<clients::test::World> dns_;
};

}  // namespace registry::vectors
