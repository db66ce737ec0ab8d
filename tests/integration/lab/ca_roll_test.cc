// The registry gets another issuing CA while it has devices (CERTIFICATES.md, "Another issuing CA"). Its TLSA record is
// published before it signs, so that the resolver's cache has it when the first device looks for it. Devices of the former
// CA and of the new one have sessions with the same ASP side by side, and a new key takes a device over to the new CA.
#include <gmock/gmock.h>
#include <openssl/x509.h>

#include <set>
#include <sstream>

#include "bridge/ledger/rocksdb/open.h"
#include "simulators/lab/heard.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "simulators/lab/registry_setup.h"
#include "tests/support/built_lab.h"
#include "tests/support/device_session.h"
#include "tests/support/shell.h"
#include "tests/support/test_lab.h"
#include "workers/domain/standing.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr seconds kPatience{120};
constexpr int kBefore = 4, kAfter = 2, kApexTtl = 10;
constexpr char kNew[] = "Issuing CA next";

class CaRollLab : public testing::Test {
 protected:
  void SetUp() override {
    LabOptions options;
    options.devices = kBefore + kAfter;
    options.register_first = kBefore;
    options.retry_first_seconds = 2;
    options.on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); };
    lab_ = test::NewLab(std::move(options));
    ASSERT_NE(lab_, nullptr);
    const auto started = lab_->StartServers();
    ASSERT_TRUE(started) << started.error().message;
    // As much of a roll-over as a test can wait for.
    ASSERT_TRUE(SetKeys(lab_->layout(), "zone",
                        {{"apex_ttl", std::to_string(kApexTtl)}, {"propagation_seconds", "0"}}));
  }
  void RestartRegistry() {
    lab_->Kill("registryd");
    const auto restarted = lab_->Restart("registryd");
    ASSERT_TRUE(restarted) << restarted.error().message;
  }
  std::string In(const std::string& name) const { return lab_->layout().Registry(name); }
  Result<std::string> Try(std::vector<std::string> words) const {
    words.insert(words.begin(), test::BuiltLab().program_folder + "/registryctl");
    words.insert(words.end(), {"--dir", In("")});
    return RunToEnd(words);
  }
  void Ctl(std::vector<std::string> words) const {
    words.insert(words.end(), {"--name", "next"});
    const auto said = Try(std::move(words));
    EXPECT_TRUE(said) << said.error().message;
  }
  // What registryctl says of the coming CA; empty: it says that there is none.
  std::string Coming() const {
    const auto said = Try({"ca", "show", "--json"});
    const json rows = said ? json::parse(*said, nullptr, false) : json();
    for (const json& row : rows) {
      if (row.is_object() && row.value("state", "") == "coming") return row.value("signs", "");
    }
    return "";
  }
  // As the holder of the root does. The ASPs get the certificate before the registry signs with it.
  void SignAtRoot() {
    const auto signed_it = test::Shell(
        "cd '" + In("pki") +
        "' && printf 'subjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid:always\\n' > ca.cnf && "
        "openssl "
        "x509 -req -in issuing-next.csr -CA root.pem -CAkey root.key -days 3000 -copy_extensions copyall "
        "-extfile ca.cnf -out issuing-next.pem 2>&1");
    ASSERT_TRUE(signed_it.ok()) << signed_it.output;
  }
  // So many more are through: activated, their names proved, and welcome at their ASP.
  std::set<std::string> Done(int count) {
    return test::DevicesDone(heard_, done_at_, static_cast<std::size_t>(count), kPatience);
  }
  bool Welcome(const std::string& device) {
    const auto session = test::SessionAgain(*lab_, heard_, device, kPatience);
    EXPECT_TRUE(session) << device << " says nothing";
    return session && session->value("ok", false);
  }
  // The common name of the CA that has issued what the device shows.
  std::string IssuerOf(const std::string& device) const {
    const auto reader = ledger::OpenRocksDbReader(In("ledger"), lab_->layout().In("read-" + device));
    EXPECT_TRUE(reader) << reader.error().message;
    if (!reader) return {};
    const auto found = (*reader)->LoadDevice(*DeviceId::Parse(device));
    const auto* const live = found && *found ? domain::LiveCertificate(**found) : nullptr;
    if (live == nullptr) return "no certificate";
    const std::uint8_t* at = live->der.data();
    X509* const parsed = d2i_X509(nullptr, &at, static_cast<long>(live->der.size()));
    char name[128] = {};
    X509_NAME_get_text_by_NID(X509_get_issuer_name(parsed), NID_commonName, name, sizeof name);
    X509_free(parsed);
    return name;
  }
  // The TLSA records at the zone's apex that name an issuing CA, as the name server or the resolver's cache has them.
  std::set<std::string> CasAt(std::uint16_t port) const {
    const std::vector<std::string> words{
        "dig", "+short", "+time=2", "+tries=2", "@" + std::string(kAddress), "-p", std::to_string(port),
        kZone, "TLSA"};
    const auto answer = RunToEnd(words);
    std::istringstream lines(answer ? *answer : "");
    std::set<std::string> records;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("2 ")) records.insert(line);
    }
    return records;
  }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
  std::size_t done_at_ = 0;
};

TEST_F(CaRollLab, DevicesOfBothCasHaveSessionsSideBySide) {
  Ctl({"ca", "request"});
  SignAtRoot();
  ASSERT_NO_FATAL_FAILURE(RestartRegistry());
  ASSERT_TRUE(lab_->StartSimulators());
  const std::set<std::string> before = Done(kBefore);
  ASSERT_THAT(before, SizeIs(kBefore));
  const std::uint16_t server = lab_->layout().authority, cache = lab_->layout().resolver;
  EXPECT_THAT(CasAt(server), SizeIs(1));

  Ctl({"ca", "install", In("pki/issuing-next.pem")});
  EXPECT_THAT(Coming(), HasSubstr("not yet seen at"));
  EXPECT_FALSE(Try({"ca", "switch", "--name", "next"})) << "nobody has the record";
  EXPECT_THAT(CasAt(cache), SizeIs(1)) << "from now on it holds the apex without the record";
  ASSERT_NO_FATAL_FAILURE(RestartRegistry());
  EXPECT_TRUE(WaitUntil([&] { return CasAt(server).size() == 2; }, kPatience)) << "a record for each CA";
  ASSERT_TRUE(WaitUntil([&] { return Coming().starts_with("when told"); }, kPatience)) << Coming();
  EXPECT_THAT(CasAt(cache), SizeIs(2)) << "a device that looks now finds the CA to come";
  Ctl({"ca", "switch"});
  ASSERT_NO_FATAL_FAILURE(RestartRegistry());
  for (const char* mno : kMnos) ASSERT_TRUE(lab_->SendTo(mno, {{"cmd", "register"}, {"count", kAfter / 2}}));
  const std::set<std::string> after = Done(kAfter);
  ASSERT_THAT(after, SizeIs(kAfter));

  for (const std::string& device : after) EXPECT_THAT(IssuerOf(device), HasSubstr(kNew)) << device;
  for (const std::string& device : before) EXPECT_THAT(IssuerOf(device), Not(HasSubstr(kNew))) << device;
  for (const auto& devices : {before, after}) {
    for (const std::string& device : devices) EXPECT_TRUE(Welcome(device)) << device;
  }

  const std::string over = *before.begin();
  std::size_t from = heard_.size();
  const json rekeyed = test::Registryctl(*lab_, {"device", "rekey", over, "--reason", "another CA"});
  EXPECT_EQ(rekeyed.value("device", ""), over) << rekeyed;
  EXPECT_TRUE(heard_.Wait(
      from,
      [&](const std::string& program, const json& event) {
        return program.starts_with("asp") && event.value("type", "") == "device.renewed" &&
               event.value("device", "") == over;
      },
      kPatience));
  EXPECT_THAT(IssuerOf(over), HasSubstr(kNew));
  EXPECT_TRUE(Welcome(over));

  EXPECT_THAT(test::Registryctl(*lab_, {"ledger", "verify"}).at("faults"), IsEmpty());
  const auto failure = lab_->TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  lab_->Stop();
}

}  // namespace
}  // namespace registry::lab
