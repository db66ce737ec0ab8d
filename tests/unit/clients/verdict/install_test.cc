// What a partner does: install, compile the example with pkg-config and with CMake, run it, and knock as a device.
#include <gtest/gtest.h>
#include <signal.h>

#include "simulators/lab/process.h"
#include "tests/support/shell.h"
#include "tests/unit/clients/verdict/client_world.h"

namespace registry::clients {
namespace {

using registry::test::Ran;
using registry::test::Shell;
using test::Kind;
using namespace std::chrono_literals;

class InstallTest : public test::ClientWorldTest {
 protected:
  static void SetUpTestSuite() {
    ClientWorldTest::SetUpTestSuite();
    ASSERT_NE(world_, nullptr);
    prefix_ = world_->folder().In("prefix");
    const Ran installed = Shell("cmake --install '" REGISTRY_BINARY_DIR "' --component clients --prefix '" +
                                prefix_ + "' 2>&1");
    ASSERT_TRUE(installed.ok()) << installed.output;
  }
  static std::string In(const std::string& name) { return world_->folder().In(name); }
  static Ran Here(const std::string& line) { return Shell("cd '" + In("") + "' && " + line + " 2>&1"); }
  // As openssl's own client: what the server said, or its alert.
  static Ran Knock(std::uint16_t port, Kind kind) {
    const test::TestDevice& device = world_->device(kind);
    return Here("openssl s_client -connect 127.0.0.1:" + std::to_string(port) + " -cert " +
                device.certificate_file + " -key " + device.key_file + " -quiet </dev/null");
  }

  static inline std::string prefix_;
};

TEST_F(InstallTest, TheExampleLetsInTheActiveDevicesOfItsAsp) {
  const Ran built = Here("cc -Wall -Wextra -Werror '" REGISTRY_SOURCE_DIR
                         "/clients/verdict/example.c' -o example "
                         "$(PKG_CONFIG_PATH='" +
                         prefix_ +
                         "/lib/pkgconfig' pkg-config --cflags --libs registry-client) "
                         "-lcrypto -Wl,-rpath,'" +
                         prefix_ + "/lib'");
  ASSERT_TRUE(built.ok()) << built.output;
  const std::string claims = world_->folder().Write(
      "claims", world_->device(Kind::kGood).id + "\n" + world_->device(Kind::kHeld).id + "\n");
  const std::string config =
      world_->WriteConfig("client.conf", "client_name = either\nclaims_file = " + claims);
  const std::uint16_t port = test::FreePort();
  lab::ProcessSpec spec;
  spec.name = "example";
  spec.command = {In("example"), config, world_->server().certificate_file, world_->server().key_file,
                  "127.0.0.1:" + std::to_string(port)};
  spec.log_file = In("example.log");
  auto example = lab::Process::Start(std::move(spec));
  ASSERT_TRUE(example) << example.error().message;
  ASSERT_TRUE(test::WaitListening(port, 10000)) << (*example)->Obituary();
  EXPECT_NE(Knock(port, Kind::kGood).output.find("welcome"), std::string::npos);
  EXPECT_EQ(Knock(port, Kind::kOther).output.find("welcome"), std::string::npos);
  EXPECT_EQ(Knock(port, Kind::kHeld).output.find("welcome"), std::string::npos);
  const std::string log = world_->folder().Read("example.log");
  EXPECT_NE(log.find(world_->device(Kind::kGood).id + " accepted\n"), std::string::npos) << log;
  EXPECT_NE(log.find(world_->device(Kind::kOther).id + " device_not_claimed\n"), std::string::npos) << log;
  EXPECT_NE(log.find(world_->device(Kind::kHeld).id + " tlsa_missing\n"), std::string::npos) << log;
}

TEST_F(InstallTest, CMakeFindsItAndTheCppHeaderWorks) {
  world_->folder().Write(
      "CMakeLists.txt",
      "cmake_minimum_required(VERSION 3.25)\nproject(partner CXX)\nset(CMAKE_CXX_STANDARD 17)\n"
      "find_package(registry-client REQUIRED)\nadd_executable(partner partner.cc)\n"
      "target_link_libraries(partner registry::registry-client OpenSSL::Crypto)\n");
  world_->folder().Write("partner.cc",
                         "#include <cstdio>\n#include <registry/client.hpp>\n"
                         "int main(int, char** argv) {\n"
                         "  std::string why;\n"
                         "  auto client = registry_client_cpp::Client::OpenFile(argv[1], why);\n"
                         "  std::puts(client ? client->Judge(nullptr).symbol().c_str() : why.c_str());\n"
                         "}\n");
  const Ran built =
      Here("cmake -B partner-build -DCMAKE_PREFIX_PATH='" + prefix_ + "' && cmake --build partner-build");
  ASSERT_TRUE(built.ok()) << built.output;
  EXPECT_EQ(Here("partner-build/partner nowhere.conf").output, "nowhere.conf cannot be read\n");
  EXPECT_EQ(Here("partner-build/partner " + world_->WriteConfig("cpp.conf")).output,
            "certificate_required\n");
}

}  // namespace
}  // namespace registry::clients
