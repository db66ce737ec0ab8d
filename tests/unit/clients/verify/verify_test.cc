// registry-verify as an ASP's engineer runs it: on files, and on a live client that is openssl's own.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "clients/verify/report.h"
#include "simulators/lab/process.h"
#include "tests/support/shell.h"
#include "tests/unit/clients/verdict/client_world.h"

namespace registry::clients {
namespace {

using registry::test::Ran;
using registry::test::Shell;
using test::Kind;

class VerifyTest : public test::ClientWorldTest {
 protected:
  static void SetUpTestSuite() {
    ClientWorldTest::SetUpTestSuite();
    ASSERT_NE(world_, nullptr);
    const std::string claims = world_->folder().Write("claims", world_->device(Kind::kGood).id + "\n");
    config_ = world_->WriteConfig("client.conf", "client_name = either\nclaims_file = " + claims);
  }
  static Ran Verify(const std::string& arguments) {
    return Shell("'" REGISTRY_BINARY_DIR "/bin/registry-verify' --config '" + config_ + "' " + arguments +
                 " 2>&1");
  }
  static Ran Verify(Kind kind) { return Verify(world_->device(kind).certificate_file); }
  static int CodeOf(const Ran& ran) { return WIFEXITED(ran.status) ? WEXITSTATUS(ran.status) : -1; }
  static bool Says(const Ran& ran, const std::string& text) {
    return ran.output.find(text) != std::string::npos;
  }

  static inline std::string config_;
};

TEST_F(VerifyTest, SaysOfAnActiveDeviceThatEverythingHolds) {
  const Ran ran = Verify(Kind::kGood);
  EXPECT_EQ(CodeOf(ran), 0) << ran.output;
  EXPECT_TRUE(Says(ran, "holds  certificate  serial ")) << ran.output;
  EXPECT_TRUE(Says(ran, "holds  name         " + world_->device(Kind::kGood).name + "\n")) << ran.output;
  EXPECT_TRUE(Says(ran, "holds  chain\n")) << ran.output;
  EXPECT_TRUE(Says(ran, "holds  dnssec       1 proved: 3 0 1\n")) << ran.output;
  EXPECT_TRUE(Says(ran, "holds  tlsa\n")) << ran.output;
  EXPECT_TRUE(Says(ran, "holds  own\nverdict accepted\n")) << ran.output;
}

TEST_F(VerifyTest, SaysWhatDoesNotHold) {
  for (const auto& [kind, line] : {std::pair(Kind::kOther, "fails  own          device_not_claimed: "),
                                   {Kind::kHeld, "fails  tlsa         tlsa_missing: "},
                                   {Kind::kGone, "fails  tlsa         name_absent: "},
                                   {Kind::kReplaced, "fails  tlsa         tlsa_mismatch: "},
                                   {Kind::kExpired, "fails  chain        certificate_expired: "},
                                   {Kind::kBogus, "fails  dnssec       dns_bogus: "},
                                   {Kind::kInsecure, "fails  dnssec       dns_insecure: "}}) {
    const Ran ran = Verify(kind);
    EXPECT_EQ(CodeOf(ran), 1) << ran.output;
    EXPECT_TRUE(Says(ran, line)) << line << "\n" << ran.output;
  }
  const Ran bogus = Verify(Kind::kBogus);
  EXPECT_TRUE(Says(bogus, "open   tlsa         not asked\n")) << bogus.output;
  EXPECT_TRUE(Says(bogus, "verdict dns_bogus\n")) << bogus.output;
}

TEST_F(VerifyTest, ReadsDerAndSpeaksJson) {
  const std::string der = world_->folder().Write("device.der", world_->device(Kind::kHeld).certificate);
  const Ran ran = Verify("--json " + der);
  EXPECT_EQ(CodeOf(ran), 1);
  const auto said = nlohmann::json::parse(ran.output);
  EXPECT_EQ(said["verdict"], "tlsa_missing");
  ASSERT_EQ(said["steps"].size(), 6u);
  EXPECT_EQ(said["steps"][3]["question"], "dnssec");
  EXPECT_EQ(said["steps"][3]["holds"], true) << "the absence is proved";
  EXPECT_EQ(said["steps"][4]["symbol"], "tlsa_missing");
}

TEST_F(VerifyTest, EndsWithTwoWhenItCannotAsk) {
  EXPECT_EQ(CodeOf(Verify("")), 2);
  EXPECT_EQ(CodeOf(Verify("nowhere.pem")), 2);
  EXPECT_EQ(CodeOf(Verify(world_->folder().In("anchors"))), 2) << "no certificate";
  EXPECT_EQ(CodeOf(Verify("--wait 1 127.0.0.1:0")), 2) << "nobody came";
  EXPECT_EQ(CodeOf(Shell("'" REGISTRY_BINARY_DIR "/bin/registry-verify' --config nowhere x 2>&1")), 2);
  const auto mistyped = Shell("'" REGISTRY_BINARY_DIR "/bin/registry-verify' --confg nowhere x 2>&1");
  EXPECT_EQ(CodeOf(mistyped), 2);
  EXPECT_NE(mistyped.output.find("registry-verify: '--confg' is no option of it; nearest: --config\n"),
            std::string::npos)
      << mistyped.output;
}

TEST_F(VerifyTest, SaysOfALiveClientWhatItShows) {
  const std::string port = std::to_string(test::FreePort());
  int looks = 0;
  const auto look = [&](const std::string& client_arguments) {
    // A log of its own: logs are appended to, and the line of the look before would be taken for this one's.
    const std::string log = "verify." + std::to_string(++looks) + ".log";
    lab::ProcessSpec spec;
    spec.name = "registry-verify";
    spec.command = {REGISTRY_BINARY_DIR "/bin/registry-verify", "--config", config_, "127.0.0.1:" + port};
    spec.log_file = world_->folder().In(log);
    auto verify = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(verify);
    // Whoever only looks whether the port is there would be the client.
    const std::string said = "waiting for a client";
    for (int i = 0; i < 1000 && world_->folder().Read(log).find(said) == std::string::npos; ++i) {
      (void)(*verify)->WaitExit(std::chrono::milliseconds(20));
    }
    Shell("openssl s_client -connect 127.0.0.1:" + port + " " + client_arguments + " </dev/null 2>&1");
    EXPECT_TRUE((*verify)->WaitExit(std::chrono::seconds(20)));
    return world_->folder().Read(log);
  };
  const test::TestDevice& good = world_->device(Kind::kGood);
  std::string said = look("-cert " + good.certificate_file + " -key " + good.key_file);
  EXPECT_NE(said.find("holds  tls          TLSv1.3\n"), std::string::npos) << said;
  EXPECT_NE(said.find("holds  key "), std::string::npos) << said;
  EXPECT_NE(said.find("open   identity     the client sent no dane_clientid\n"), std::string::npos) << said;
  EXPECT_NE(said.find("verdict accepted\n"), std::string::npos) << said;
  said = look("-tls1_2 -cert " + good.certificate_file + " -key " + good.key_file);
  EXPECT_NE(said.find("verdict tls_too_old\n"), std::string::npos) << said;
  said = look("");
  EXPECT_NE(said.find("verdict certificate_required\n"), std::string::npos) << said;
}

}  // namespace
}  // namespace registry::clients
