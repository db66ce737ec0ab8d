// The resolver of devices as the doctor asks it, against openssl's own TLS server, which answers no question.
#include "bridge/zone/ask_once.h"

#include <gtest/gtest.h>

#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AskOverTlsTest : public ::testing::Test {
 protected:
  AskOverTlsTest() {
    for (const char* who : {"server", "other"}) {
      const std::string file(who);
      EXPECT_TRUE(test::OpenSsl(folder_,
                                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
                                "/CN=resolver.test -addext subjectAltName=DNS:resolver.test -keyout " +
                                    file + ".key -out " + file + ".pem")
                      .ok());
    }
    lab::ProcessSpec spec;
    spec.name = "s_server";
    spec.command = {"openssl",
                    "s_server",
                    "-quiet",
                    "-accept",
                    "127.0.0.1:" + std::to_string(port_),
                    "-cert",
                    folder_.In("server.pem"),
                    "-key",
                    folder_.In("server.key")};
    spec.log_file = folder_.In("server.log");
    server_ = *lab::Process::Start(std::move(spec));
    EXPECT_TRUE(lab::WaitUntil([this] { return lab::TcpAnswers("127.0.0.1", port_); }, seconds(10)));
  }
  std::string Asked(const std::string& certificate, const std::string& name, std::uint16_t port,
                    milliseconds patience = seconds(20)) const {
    const Bytes der = *FromPem("CERTIFICATE", folder_.Read(certificate));
    const auto answer =
        AskOverTls({"127.0.0.1", name, port, der}, *NameFromText("iot.test"), kTypeSoa, patience);
    return answer ? "answered" : answer.error().symbol;
  }

  test::TemporaryFolder folder_;
  lab::Ports ports_;
  const std::uint16_t port_ = *ports_.Take(), closed_ = *ports_.Take();
  std::unique_ptr<lab::Process> server_;
};

TEST_F(AskOverTlsTest, SaysWhatIsWrongWithTheResolver) {
  EXPECT_EQ(Asked("server.pem", "resolver.test", closed_), "resolver_unreachable");
  EXPECT_EQ(Asked("other.pem", "resolver.test", port_), "resolver_untrusted");
  EXPECT_EQ(Asked("server.pem", "another.test", port_), "resolver_untrusted")
      << "RFC 8310: the name counts, too";
  // After a handshake that took its time before, the silence of one who never speaks is waited for only shortly.
  EXPECT_EQ(Asked("server.pem", "resolver.test", port_, seconds(3)), "resolver_silent");
}

TEST_F(AskOverTlsTest, TheCertificateThatAServerOfTransfersShowsIsTold) {
  const auto shown = CertificateServed("127.0.0.1", port_, seconds(20));
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(*shown, *FromPem("CERTIFICATE", folder_.Read("server.pem")));
  EXPECT_EQ(CertificateServed("127.0.0.1", closed_, seconds(3)).error().symbol, "resolver_unreachable");
}

}  // namespace
}  // namespace registry::zone
