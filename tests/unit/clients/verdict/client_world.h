// tests/unit/clients/verdict/client_world.h: a registry as an ASP's server meets it: CAs, devices of every kind with their
// keys in files, and a signed DNS (clients/dane/world.h) that knows of them what the registry would have published.
// Owns: a folder and the servers, ended with it. Threads: one. Errors: an empty pointer, reason on stderr.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>

#include "clients/verdict/client_check.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/clients/dane/world.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::clients::test {

enum class Kind {
  kGood,      // 3 0 1
  kByKey,     // 3 1 1, with a TTL of one second
  kOther,     // like kGood, and nobody's here
  kHeld,      // its name is there, with a TXT record and no TLSA
  kGone,      // its name is not there
  kReplaced,  // the TLSA of another certificate
  kExpired,   // all in order but the date
  kBogus,     // its TLSA was changed after signing
  kInsecure,  // in a zone that nobody signs
};
inline constexpr std::size_t kKinds = 9;
inline constexpr const char* kZone = "iot.test";
inline constexpr const char* kUnsignedZone = "plain.test";

struct TestDevice {
  std::string id, name;
  Bytes certificate;
  std::string certificate_file, key_file;  // PEM
};

struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using OwnedCertificate = std::unique_ptr<X509, FreeX509>;
OwnedCertificate Parsed(const Bytes& der);

class ClientWorld {
 public:
  static std::unique_ptr<ClientWorld> Start();

  const TestDevice& device(Kind kind) const { return devices_[static_cast<std::size_t>(kind)]; }
  // A device of that name with a key of its own, which the DNS does not know; written as files.
  TestDevice Make(const std::string& file, const std::string& name, long seconds = 3600) const;
  ClientCheck::Trust trust() const;
  ResolverTrust resolver() const;
  // A configuration file of the client library; `more`: further lines, which count more than what is there.
  std::string WriteConfig(const std::string& file, const std::string& more = {}) const;
  const registry::test::TemporaryFolder& folder() const { return folder_; }
  const sim::test::ServerIdentity& server() const { return server_; }  // CN "asp.test", self-signed
  World& dns() const { return *world_; }

 private:
  ClientWorld() = default;
  bool StartDns();

  registry::test::TemporaryFolder folder_;
  sim::test::TestRegistry registry_;
  sim::test::ServerIdentity server_;
  std::array<TestDevice, kKinds> devices_;
  std::unique_ptr<World> world_;
};

// A suite with one world for all its tests.
class ClientWorldTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = ClientWorld::Start();
    ASSERT_NE(world_, nullptr);
  }
  static void TearDownTestSuite() { world_.reset(); }
  // What the registry says of the device, as an envelope.
  static std::string Notification(const std::string& event, Kind kind, std::uint64_t seq) {
    wire::Envelope envelope;
    envelope.id = *EventId::Parse("n" + std::to_string(seq));
    envelope.source = "registry";
    envelope.type = wire::EventType(event);
    envelope.seq = seq;
    envelope.data = {{"device", world_->device(kind).id}};
    return wire::EncodeEnvelope(envelope);
  }

  static inline std::unique_ptr<ClientWorld> world_;
};

}  // namespace registry::clients::test
