// Plays vectors.json: what each describes is made, and shown to a device, an ASP and the pilot's checks.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/support/shell.h"
#include "tests/vectors/vector_world.h"

namespace registry::vectors {
namespace {

using nlohmann::json;

// A vector with what its group says of all.
std::vector<json> Table() {
  std::ifstream file(std::string(REGISTRY_SOURCE_DIR) + "/tests/vectors/vectors.json");
  const json said = json::parse(file);
  std::vector<json> table;
  for (const json& group : said.at("groups")) {
    for (json vector : group.at("vectors")) {
      for (const char* of_all : {"device", "deviceWhy", "asp", "aspWhy"}) {
        if (group.contains(of_all) && !vector.contains(of_all)) vector[of_all] = group[of_all];
      }
      table.push_back(std::move(vector));
    }
  }
  return table;
}

bool Played(const Vector& vector, const char* by) {
  return vector.said.contains(by) && vector.said[by] != "n/a";
}

class VectorsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = VectorWorld::Start(Table());
    ASSERT_NE(world_, nullptr);
  }
  static void TearDownTestSuite() { world_.reset(); }
  static inline std::unique_ptr<VectorWorld> world_;
};

TEST(VectorTable, EachVectorSaysWhatIsWrongAndWhoRefusesItWhy) {
  static const std::set<std::string> kMembers = {
      "name",    "wrong",       "device",  "deviceWhy",  "asp",       "aspWhy",   "pilot", "tlsa",
      "records", "certificate", "payload", "containers", "markAgain", "clientId", "zone",  "ca"};
  std::set<std::string> names;
  for (const json& vector : Table()) {
    const std::string name = vector.at("name");
    EXPECT_TRUE(names.insert(name).second) << name << " is there twice";
    EXPECT_TRUE(vector.at("wrong").get<std::string>().ends_with(".")) << name;
    for (const auto& [member, value] : vector.items())
      EXPECT_TRUE(kMembers.contains(member)) << name << ": nobody reads " << member;
    for (const char* by : {"device", "asp"}) {
      const bool refused = vector.at(by) != "accepted" && vector.at(by) != "n/a";
      const bool fine = vector.at("wrong").get<std::string>().starts_with("Nothing");
      const bool why = vector.contains(by + std::string("Why"));
      // Records that DANE lets count are explained in `wrong`.
      EXPECT_TRUE(refused || fine || why || vector.contains("tlsa"))
          << name << ": why is it " << vector.at(by);
    }
  }
  EXPECT_GE(names.size(), 100u);
}

TEST_F(VectorsTest, TheDeviceSaysWhy) {
  for (const Vector& vector : world_->vectors()) {
    if (!Played(vector, "device")) continue;
    EXPECT_EQ(world_->DeviceSays(vector), vector.said["device"]) << vector.title();
  }
}

TEST_F(VectorsTest, TheAspSaysWhy) {
  for (const Vector& vector : world_->vectors()) {
    if (!Played(vector, "asp")) continue;
    EXPECT_EQ(world_->AspSays(vector), vector.said["asp"]) << vector.title();
  }
}

// What it accepts and a device refuses is what its field does not protect against.
TEST_F(VectorsTest, ThePilotSaysWhere) {
  for (const Vector& vector : world_->vectors()) {
    if (!Played(vector, "pilot")) continue;
    EXPECT_EQ(world_->PilotSays(vector), vector.said["pilot"]) << vector.title();
  }
}

// VECTORS_DIR=DIR keeps it.
TEST_F(VectorsTest, TheMaterialIsWrittenForSoftwareByOthers) {
  const registry::test::TemporaryFolder own;
  const char* const asked = std::getenv("VECTORS_DIR");
  const std::string folder = asked != nullptr ? asked : own.In("");
  world_->Write(folder);
  for (const Vector& vector : world_->vectors()) {
    for (const char* file : {"vector.json", "name", "root.der", "issuing.der", "certificate.der", "records"})
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(folder) / vector.title() / file));
  }
  const auto verified = registry::test::Shell(
      "cd '" + folder +
      "/in-order' && for i in root issuing certificate; do openssl "
      "x509 -inform DER -in $i.der -out $i.pem || exit 1; done && openssl verify "
      "-x509_strict -purpose sslclient -CAfile root.pem -untrusted issuing.pem certificate.pem 2>&1");
  EXPECT_TRUE(verified.ok()) << verified.output;
}

}  // namespace
}  // namespace registry::vectors
