// The recipe of clients/mosquitto/README.md for a Mosquitto without the plug-in, and that it does not see what the page says
// it does not see. The CA and its revocation list are openssl's.
#include <gtest/gtest.h>
#include <signal.h>

#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"

namespace registry::clients {
namespace {

using registry::test::OpenSsl;
using registry::test::Shell;
using registry::test::TemporaryFolder;
using namespace std::chrono_literals;

constexpr const char* kCaConfig =
    "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ncertificate = ca.pem\nprivate_key = ca.key\n"
    "default_md = sha256\ndefault_crl_days = 7\ncrlnumber = crlnumber\n";

class RecipeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("ca.conf", kCaConfig);
    folder_.Write("index.txt", "");
    folder_.Write("crlnumber", "01\n");
    ASSERT_TRUE(
        OpenSsl(folder_,
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem "
                "-subj /CN=registry -days 2")
            .ok());
    for (const char* name : {"broker", "mine", "revoked", "of-another-asp"}) Issue(name);
    ASSERT_TRUE(WriteCrl());
    folder_.Write("acl", "pattern readwrite devices/%u/#\n");
    port_ = *ports_.Take();
    folder_.Write("mosquitto.conf", "user root\nlistener " + std::to_string(port_) + " 127.0.0.1\ncertfile " +
                                        In("broker.pem") + "\nkeyfile " + In("broker.key") + "\ncafile " +
                                        In("ca.pem") + "\ncrlfile " + In("crl.pem") +
                                        "\nrequire_certificate true\nuse_identity_as_username true\n" +
                                        "tls_version tlsv1.3\nacl_file " + In("acl") + "\nlog_dest file " +
                                        In("log") + "\n");
    lab::ProcessSpec spec;
    spec.name = "mosquitto";
    spec.command = {"mosquitto", "-c", In("mosquitto.conf")};
    spec.log_file = In("mosquitto.out");
    broker_ = *lab::Process::Start(std::move(spec));
    ASSERT_TRUE(lab::WaitUntil([this] { return lab::TcpAnswers("127.0.0.1", port_); }, 10s));
  }
  std::string In(const std::string& name) const { return folder_.In(name); }
  void Issue(const std::string& name) {
    const std::string request = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name +
                                ".key -out csr -subj /CN=" + name;
    ASSERT_TRUE(OpenSsl(folder_, request).ok());
    ASSERT_TRUE(OpenSsl(folder_, "x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out " +
                                     name + ".pem")
                    .ok());
  }
  bool WriteCrl() const { return OpenSsl(folder_, "ca -config ca.conf -gencrl -out crl.pem").ok(); }
  bool Publishes(const std::string& name, const std::string& topic,
                 const std::string& client_id = "x") const {
    return Shell("mosquitto_pub -h 127.0.0.1 -p " + std::to_string(port_) + " --insecure --cafile " +
                 In("ca.pem") + " --cert " + In(name + ".pem") + " --key " + In(name + ".key") +
                 " -V mqttv5 -q 1 -i " + client_id + " -t " + topic + " -m hello 2>&1")
        .output.empty();
  }

  TemporaryFolder folder_;
  lab::Ports ports_;
  std::uint16_t port_ = 0;
  std::unique_ptr<lab::Process> broker_;
};

TEST_F(RecipeTest, LetsInWhoeverIsCertifiedAndNotRevoked) {
  EXPECT_TRUE(Publishes("mine", "devices/mine/state"));
  EXPECT_FALSE(Publishes("mine", "devices/revoked/state")) << "another's topics";
  EXPECT_TRUE(Publishes("revoked", "devices/revoked/state")) << "not yet";
  ASSERT_TRUE(OpenSsl(folder_, "ca -config ca.conf -revoke revoked.pem").ok());
  ASSERT_TRUE(WriteCrl());
  broker_->Signal(SIGHUP);
  EXPECT_TRUE(lab::WaitUntil([&] { return !Publishes("revoked", "devices/revoked/state"); }, 10s));
  EXPECT_TRUE(Publishes("mine", "devices/mine/state"));
}

TEST_F(RecipeTest, DoesNotSeeWhoseADeviceIs) {
  EXPECT_TRUE(Publishes("of-another-asp", "devices/of-another-asp/state"));
}

}  // namespace
}  // namespace registry::clients
