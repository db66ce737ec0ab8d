// The certificate for transfers over TLS, of the running program: what it shows, what it takes again at SIGHUP, and what
// `registryctl doctor` says of that.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "bridge/app/config.h"
#include "bridge/ctl/finding.h"
#include "simulators/lab/probe.h"
#include "tests/support/openssl_tool.h"
#include "tests/unit/bridge/app/registryd_process.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;

TEST_F(RegistrydTest, TakesTheCertificateForTransfersAgainAtSighup) {
  folder_.Write("r/registry.toml",
                std::regex_replace(folder_.Read("r/registry.toml"), std::regex("\\[zone\\]\n"),
                                   "[zone]\ntls_certificate = \"interface/resolver.pem\"\n"
                                   "tls_key = \"interface/resolver.key\"\ntls_listen_port = 0\n"));
  auto process = Start({"--config", config()});
  ASSERT_TRUE(process);
  ASSERT_TRUE(lab::WaitUntil([&] { return std::filesystem::exists(folder_.In("r/run.json")); }, 30s))
      << folder_.Read("out.log");
  const auto run = nlohmann::json::parse(folder_.Read("r/run.json"));
  const std::string port = std::to_string(run["zone_tls_port"].get<std::uint16_t>());
  const auto shown = [&] {
    const auto said = test::OpenSsl(folder_, "s_client -connect 127.0.0.1:" + port + " -alpn dot").output;
    const std::size_t begin = said.find("-----BEGIN"), end = said.find("-----END");
    return begin < end && end != said.npos ? said.substr(begin, end - begin) : "";
  };
  const auto says = [&](const std::string& line) {
    return lab::WaitUntil([&] { return folder_.Read("out.log").find(line) != std::string::npos; }, 30s);
  };
  const auto doctor = [&] {
    auto looked_at = *LoadConfig(config());
    looked_at.dns.tls.port = run["zone_tls_port"].get<std::uint16_t>();
    return ctl::LookAtTransferTls(looked_at).front();
  };
  const std::string first = shown();
  ASSERT_NE(first, "") << folder_.Read("out.log");
  EXPECT_EQ(doctor().says, "registryd shows zone.tls_certificate, for resolver.iotregistry.test");
  EXPECT_NE(folder_.Read("r/interface/resolver.pem").find(first), std::string::npos);
  ASSERT_TRUE(lab::MakeCredential(folder_.In("r/interface/resolver"), "another.iotregistry.test").ok());
  EXPECT_EQ(shown(), first);
  EXPECT_EQ(doctor().verdict, ctl::Verdict::kWarning) << "another one than the file's";
  process->Signal(SIGHUP);
  EXPECT_TRUE(says("the certificate for transfers over TLS was read again"));
  const std::string second = shown();
  EXPECT_NE(second, first);
  EXPECT_EQ(doctor().verdict, ctl::Verdict::kGood) << doctor().says;
  folder_.Write("r/interface/resolver.pem", "no certificate\n");
  process->Signal(SIGHUP);
  EXPECT_TRUE(says("the certificate for transfers over TLS stays as it was: ")) << folder_.Read("out.log");
  EXPECT_EQ(shown(), second);
  process->Signal(SIGTERM);
  EXPECT_TRUE(process->WaitExit(30s));
}

}  // namespace
}  // namespace registry::app
