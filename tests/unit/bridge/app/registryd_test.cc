// The program itself: command line, exit codes, signals, run file.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "bridge/clock.h"
#include "bridge/ingest/intake.h"
#include "bridge/signing/code_key.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/file_write.h"
#include "bridge/signing/key_file.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/commands.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/registry_home.h"
#include "tests/unit/bridge/app/http_get.h"
#include "tests/unit/bridge/app/registryd_process.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;

TEST_F(RegistrydTest, ExitCodesTellWrongFromGood) {
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_TRUE(folder_.Read("out.log").starts_with("registryd "));
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"--config", folder_.In("none.toml")}), 2);
  EXPECT_EQ(Run({"--confg", config()}), 2);
  EXPECT_NE(folder_.Read("out.log").find("registryd: '--confg' is no option of it; nearest: --config"),
            std::string::npos);
  EXPECT_EQ(Run({"--config", config(), "chekc"}), 2);
  EXPECT_NE(folder_.Read("out.log").find("registryd: 'chekc' is one word too many"), std::string::npos);
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 0) << folder_.Read("out.log");
  const std::string bad =
      folder_.Write("r/bad.toml", folder_.Read("r/registry.toml") + "[pipeline]\nlane = 1\n");
  EXPECT_EQ(Run({"--check-config", "--config", bad}), 2);
  std::filesystem::permissions(bad, std::filesystem::perms(0600));
  folder_.Write("r/bad.toml", std::regex_replace(folder_.Read("r/registry.toml"), std::regex("\nfile = \"\""),
                                                 "\nfile = \"pki\""));
  EXPECT_EQ(Run({"--check-config", "--config", bad}), 2);
  EXPECT_EQ(Run({"--config", bad}), 2);
  const std::regex said("\nlog\\.file: cannot append to [^\n]*\nlog\\.file: cannot append to ");  // by each
  EXPECT_TRUE(std::regex_search(folder_.Read("out.log"), said)) << folder_.Read("out.log");
  std::filesystem::remove(folder_.In("r/interface/resolver.pem"));
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 2);
  EXPECT_NE(folder_.Read("out.log").find("resolver.certificate: "), std::string::npos);
  const std::string tsig = folder_.In("r/zone/tsig.key");
  std::filesystem::rename(tsig, tsig + ".away");
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 2);
  for (const char* key : {"\nresolver.certificate: ", "\nzone.tsig_secret: "}) {
    EXPECT_NE(("\n" + folder_.Read("out.log")).find(key), std::string::npos) << key;  // each on a line
  }
  std::filesystem::rename(tsig + ".away", tsig);
  EXPECT_EQ(Run({"--config", config()}), 2);
}

// The broker lets nobody in by it, so a check says so; a start goes on, for the zone is still to be served.
TEST_F(RegistrydTest, AnEndedListOfWithdrawnPartiesIsSaidByTheCheck) {
  const auto signer = signing::LoadSigner(folder_.In("r/interface/ca.key"), folder_.In("r/interface/ca.pem"));
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  const UtcTime now = SystemClock().Now();
  const auto write = [&](UtcTime begin, UtcTime end) {
    folder_.Write("r/interface/crl.pem", ToPem("X509 CRL", *signing::BuildCrl(**signer, {}, begin, end, 7)));
    std::filesystem::remove(folder_.In("out.log"));
    return Run({"--check-config", "--config", config()});
  };
  EXPECT_EQ(write(now - 2h, now + 24h * 99), 0) << folder_.Read("out.log");
  EXPECT_EQ(folder_.Read("out.log").find("mqtt.crl_file"), std::string::npos);
  EXPECT_EQ(write(now - 2h, now + 24h), 0);
  EXPECT_NE(folder_.Read("out.log").find("mqtt.crl_file: "), std::string::npos);
  EXPECT_EQ(write(now + 1h, now + 24h), 2);
  EXPECT_EQ(write(now - 2h, now - 1h), 2);
  EXPECT_NE(folder_.Read("out.log").find("has ended at "), std::string::npos) << folder_.Read("out.log");
  auto process = Start({"--config", config()});
  ASSERT_TRUE(lab::WaitUntil([&] { return std::filesystem::exists(folder_.In("r/run.json")); }, 30s))
      << folder_.Read("out.log");
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        const std::string log = folder_.Read("out.log");
        return log.find("has ended at ", log.find("\"level\"")) != std::string::npos;
      },
      30s));
}

// Whatever is wrong with what the configuration names, a check and a start say the same of it, and end alike.
TEST_F(RegistrydTest, CheckAndStartSayTheSame) {
  test::MakeRegistryHome(folder_, "other", "other.test");
  const std::string good = folder_.Read("r/registry.toml");
  const std::pair<const char*, std::string> faults[] = {
      {"trust_anchors = \\[.*\\]",
       "trust_anchors = [\"iotregistry.test. IN DS 1 13 2 " + std::string(64, 'a') + "\"]"},
      {"trust_anchors = \\[.*\\]",
       "trust_anchors = [\"other.test. IN DS 1 13 2 " + std::string(64, 'a') + "\"]"},
      {"interface/ca\\.pem", "../other/interface/ca.pem"},
      {"interface/registryd\\.(pem|key)", "interface/broker.$1"},
      {"interface/registryd\\.(pem|key)", "../other/interface/registryd.$1"},
      {"interface/crl\\.pem", "interface/none.pem"},
      {"interface/crl\\.pem", "interface/ca.pem"},
      {"interface/crl\\.pem", "../other/interface/crl.pem"},
      {"interface/resolver\\.pem", "interface/none.pem"},
      {"interface/resolver\\.pem", "interface/broker.pem"},
      {"pki/issuing\\.key", "pki/root.key"},
      {"pki/root\\.pem", "../other/pki/root.pem"},
      {"zone/tsig\\.key", "zone/none.key"},
      {"zone/ksk\\.pem", "../other/zone/ksk.pem"},
      {"pki/crl\\.pem", "nowhere/crl.pem"},
      {"address = \"127.0.0.1\"\nport = 0", "address = \"192.0.2.77\"\nport = 0"},
  };
  const auto before = NamesIn("r/ledger");
  for (const auto& [what, by] : faults) {
    folder_.Write("r/registry.toml", std::regex_replace(good, std::regex(what), by));
    ASSERT_NE(folder_.Read("r/registry.toml"), good) << what;
    std::string said[2];
    for (const bool start : {false, true}) {
      std::filesystem::remove(folder_.In("out.log"));
      std::vector<std::string> arguments{"--config", config()};
      if (!start) arguments.emplace_back("--check-config");
      EXPECT_EQ(Run(arguments), 2) << by;
      said[start] = folder_.Read("out.log");
    }
    EXPECT_EQ(said[0], said[1]);
    EXPECT_FALSE(said[0].empty()) << by;
    EXPECT_EQ(NamesIn("r/ledger"), before) << "a start that finds a fault opens no ledger: " << by;
  }
}

TEST_F(RegistrydTest, ServesUntilSigtermAndCleansUp) {
  auto process = Start({"--config", config()});
  ASSERT_TRUE(process);
  const std::string run_file = folder_.In("r/run.json");
  ASSERT_TRUE(lab::WaitUntil([&] { return std::filesystem::exists(run_file); }, 30s))
      << folder_.Read("out.log");
  const auto run = nlohmann::json::parse(folder_.Read("r/run.json"));
  EXPECT_EQ(run["pid"], process->pid());
  EXPECT_TRUE(lab::TcpAnswers("127.0.0.1", run["zone_port"].get<std::uint16_t>()));
  EXPECT_TRUE(test::HttpGet(run["http_port"].get<std::uint16_t>(), "/healthz").starts_with("HTTP/1.1 200 "));
  process->Signal(SIGHUP);
  EXPECT_TRUE(test::HttpGet(run["http_port"].get<std::uint16_t>(), "/healthz").starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 0);
  EXPECT_EQ(Run({"--config", config()}), 1);  // what only a start can find: the ledger is in use
  process->Signal(SIGTERM);
  ASSERT_TRUE(process->WaitExit(30s));
  EXPECT_EQ(*process->exit_status(), 0) << process->Obituary();
  EXPECT_FALSE(std::filesystem::exists(run_file));
  EXPECT_NE(folder_.Read("out.log").find("\"stopped\""), std::string::npos);
}

// sd_notify(3): datagrams to the socket that the supervisor names.
class Supervisor {
 public:
  explicit Supervisor(std::string path) : path_(std::move(path)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{30, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Supervisor() { ::close(socket_); }
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  std::string path() const { return path_; }
  std::string Hear() {  // empty: nothing came in time
    char octets[1024];
    const ssize_t size = ::recv(socket_, octets, sizeof octets, 0);
    return size > 0 ? std::string(octets, static_cast<std::size_t>(size)) : "";
  }

 private:
  const std::string path_;
  const int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST_F(RegistrydTest, ItsSupervisorHearsThatItServesLivesAndStops) {
  Supervisor supervisor(folder_.In("notify"));
  auto process = Start({"--config", config()}, {"NOTIFY_SOCKET=" + supervisor.path()});
  ASSERT_TRUE(process);
  const std::string ready = supervisor.Hear();
  EXPECT_TRUE(ready.starts_with("READY=1\nSTATUS=zone port ")) << ready;
  EXPECT_TRUE(std::filesystem::exists(folder_.In("r/run.json"))) << "it served before it said so";
  for (int second = 0; second < 2; ++second) EXPECT_EQ(supervisor.Hear(), "WATCHDOG=1");
  process->Signal(SIGTERM);
  std::string last = supervisor.Hear();
  while (last == "WATCHDOG=1") last = supervisor.Hear();
  EXPECT_EQ(last, "STOPPING=1");
  ASSERT_TRUE(process->WaitExit(30s));
  EXPECT_EQ(*process->exit_status(), 0);
}

// No broker is there: what it hears of parties is said in the log, and counted.
TEST_F(RegistrydTest, TakesItsPartiesAgainAtSighupAndAFileThatIsWrongChangesNothing) {
  auto process = Start({"--config", config()});
  ASSERT_TRUE(process);
  ASSERT_TRUE(lab::WaitUntil([&] { return std::filesystem::exists(folder_.In("r/run.json")); }, 30s));
  const auto run = nlohmann::json::parse(folder_.Read("r/run.json"));
  const auto says = [&](const std::string& line) {
    return lab::WaitUntil([&] { return folder_.Read("out.log").find(line) != std::string::npos; }, 30s);
  };
  const auto counts = [&](const std::string& line) {
    const auto page = test::HttpGet(run["http_port"].get<std::uint16_t>(), "/metrics");
    return page.find("\n" + line + "\n") != std::string::npos;
  };
  EXPECT_TRUE(counts("registry_parties 0"));
  const std::string good = folder_.Read("r/registry.toml");
  std::ofstream(config(), std::ios::app) << "[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n";
  process->Signal(SIGHUP);
  EXPECT_TRUE(says("party mno-a is new, role mno")) << folder_.Read("out.log");
  EXPECT_TRUE(says("the configuration was read again, 1 parties"));
  EXPECT_TRUE(counts("registry_parties 1"));
  std::ofstream(config(), std::ios::app) << "role = \"mno\"\n[[party]]\nname = \"asp-a\"\nrole = \"asp\"\n";
  process->Signal(SIGHUP);
  EXPECT_TRUE(says("the configuration is wrong, the parties stay as they were: ")) << folder_.Read("out.log");
  EXPECT_TRUE(counts("registry_config_reloads_refused_total 1"));
  EXPECT_TRUE(counts("registry_parties 1"));
  EXPECT_EQ(folder_.Read("out.log").find("asp-a is new"), std::string::npos);
  folder_.Write("r/registry.toml", std::regex_replace(good, std::regex("tlsa_ttl = 60"), "tlsa_ttl = 61"));
  process->Signal(SIGHUP);
  EXPECT_TRUE(says("party mno-a is no party any more")) << folder_.Read("out.log");
  EXPECT_TRUE(says("the configuration has changed where only a start takes it: [zone]"));
  EXPECT_TRUE(lab::WaitUntil([&] { return counts("registry_config_reloads_total 2"); }, 30s));
  process->Signal(SIGTERM);
  ASSERT_TRUE(process->WaitExit(30s));
  EXPECT_EQ(*process->exit_status(), 0) << process->Obituary();
}

// A descriptor that is missing would become a file of the ledger, and the log its content.
TEST_F(RegistrydTest, StartedWithoutStandardErrorItWritesItsLogIntoNoFile) {
  lab::ProcessSpec spec;
  spec.name = "registryd";
  spec.command = {"/bin/sh", "-c",
                  "exec " REGISTRY_BINARY_DIR "/bin/registryd --config " + config() + " <&- >&- 2>&-"};
  auto process = lab::Process::Start(std::move(spec));
  ASSERT_TRUE(process.ok());
  const std::string run_file = folder_.In("r/run.json");
  ASSERT_TRUE(lab::WaitUntil([&] { return std::filesystem::exists(run_file); }, 30s));
  const std::string own = "/proc/" + std::to_string((*process)->pid()) + "/fd/";
  for (const char* fd : {"0", "1", "2"}) {
    EXPECT_EQ(std::filesystem::read_symlink(own + fd), "/dev/null") << fd;
  }
  (*process)->Signal(SIGTERM);
  ASSERT_TRUE((*process)->WaitExit(30s));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.In("r"))) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string octets((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(octets.find("\"room\""), std::string::npos) << entry.path();
  }
}

// Commands hold authorisation codes: with the key that authorisation.key_file gives, what one registryd has kept of them is
// no reading for others, and the next registryd reads it.
TEST_F(RegistrydTest, TheIntakeIsSealedUnderTheKeyOfTheCodes) {
  folder_.Write("r/registry.toml",
                folder_.Read("r/registry.toml") + "[[party]]\nname = \"asp-a\"\nrole = \"asp\"\n");
  const auto keep = [this](const std::string& key_file, const std::string& id) {
    const auto codes = signing::LoadCodeKey(key_file);
    ASSERT_TRUE(codes.ok()) << codes.error().message;
    ingest::IntakeOptions options;
    options.folder = folder_.In("r/intake");
    options.key = signing::DerivedKey(*codes, "registry intake 1");
    const auto intake = ingest::Intake::Open(options);
    ASSERT_TRUE(intake.ok()) << intake.error().message;
    const std::string code = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";
    const auto command = test::Command("asp-a", "device.claim", id,
                                       {{"device", "00000000-0000-4000-8000-000000000000"},
                                        {"authorisationCode", code},
                                        {"endpoint", "main"}});
    ASSERT_TRUE((*intake)->Append(test::Raw("asp-a", "device.claim", command.dump())).ok());
  };
  const auto said = [this] {
    const auto run = nlohmann::json::parse(folder_.Read("r/run.json"));
    return test::HttpGet(run["http_port"].get<std::uint16_t>(), "/metrics");
  };
  const auto run = [&](const std::string& awaited) {
    auto process = Start({"--config", config()});
    EXPECT_TRUE(lab::WaitUntil(
        [&] {
          return std::filesystem::exists(folder_.In("r/run.json")) &&
                 said().find(awaited) != std::string::npos;
        },
        60s))
        << folder_.Read("out.log");
    process->Signal(SIGTERM);
    EXPECT_TRUE(process->WaitExit(60s));
  };
  keep(folder_.In("r/authorisation.key"), "sealed-1");
  run("registry_commands_total{command=\"device.claim\",outcome=\"rejected\","
      "symbol=\"authorisation_invalid\"} 1");

  const std::string other = folder_.In("other.key");
  ASSERT_TRUE(signing::CreateSecretFile(other).ok());
  keep(other, "sealed-2");
  run("registry_intake_damages 1");
}

// A volume that is not mounted is an empty folder.
TEST_F(RegistrydTest, AnEmptyLedgerFolderIsNoEmptyRegistry) {
  std::filesystem::rename(folder_.In("r/ledger"), folder_.In("away"));
  std::filesystem::create_directory(folder_.In("r/ledger"));
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 2);
  EXPECT_EQ(Run({"--config", config()}), 2);
  EXPECT_NE(folder_.Read("out.log").find("ledger.folder: there is no ledger in "), std::string::npos)
      << folder_.Read("out.log");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.In("r/ledger")));
}

// Mounts a small file system of its own over one folder of the registry. A heartbeat alone goes on for minutes in room
// RocksDB has reserved, so a running registry is given commands to fill its ledger with. What the ledger itself does is in
// ledger/full_disk_test.cc.
class FullDiskTest : public RegistrydTest {
 protected:
  static constexpr const char* kFilled = "{ dd if=/dev/zero of=ballast bs=4k status=none; true; }";
  std::unique_ptr<lab::Process> StartOver(const std::string& which, const std::string& size,
                                          const std::string& before) {
    const std::string folder = folder_.In("r/" + which), copy = folder_.In("copy-" + which);
    lab::ProcessSpec spec;
    spec.name = "registryd";
    spec.command = {"/usr/bin/unshare", "-m", "/bin/sh", "-c",
                    "cp -a " + folder + " " + copy + " && mount -t tmpfs -o size=" + size +
                        ",mode=0700 none " + folder + " && cp -a " + copy + "/. " + folder + " && rm -r " +
                        copy + " && cd " + folder + " && " + before +
                        " && exec " REGISTRY_BINARY_DIR "/bin/registryd --config " + config()};
    spec.log_file = folder_.In("out.log");
    auto process = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(process.ok());
    return process ? std::move(*process) : nullptr;
  }
  void SetFreeBytesMin(const std::string& octets) {
    folder_.Write("r/registry.toml",
                  std::regex_replace(folder_.Read("r/registry.toml"), std::regex("\\n\\[ledger\\]\n"),
                                     "\n[ledger]\nfree_bytes_min = " + octets + "\n"));
  }
  void ExpectEndedForSpace(lab::Process& process, const std::string& which) {
    ASSERT_TRUE(process.WaitExit(90s)) << which;
    EXPECT_TRUE(WIFEXITED(*process.exit_status())) << process.Obituary();
    EXPECT_EQ(WEXITSTATUS(*process.exit_status()), 1) << process.Obituary();
    EXPECT_NE(folder_.Read("out.log").find("No space left on device"), std::string::npos)
        << process.Obituary();
  }
};

TEST_F(FullDiskTest, AtAnyStartItEndsWithOneAndASentence) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts a file system";
  for (const char* which : {"ledger", "intake"}) {
    auto process = StartOver(which, "8m", kFilled);
    ASSERT_TRUE(process);
    ExpectEndedForSpace(*process, which);
  }
}

// Below the limit it begins nothing, says so, and lives: the heartbeat still writes. With room again it goes on.
TEST_F(FullDiskTest, BelowItsLimitItRefusesCommandsUntilThereIsRoom) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts a file system";
  SetFreeBytesMin("16777216");
  folder_.Write("r/registry.toml",
                folder_.Read("r/registry.toml") + "[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n");
  {
    ingest::IntakeOptions options;
    options.folder = folder_.In("r/intake");
    const auto intake = ingest::Intake::Open(options);
    ASSERT_TRUE(intake.ok()) << intake.error().message;
    ASSERT_TRUE((*intake)
                    ->Append(test::Raw("mno-a", "feed.ack",
                                       test::Command("mno-a", "feed.ack", "a", {{"seq", 0}}).dump()))
                    .ok());
  }
  auto process = StartOver("ledger", "48m", "dd if=/dev/zero of=ballast bs=1M count=36 status=none");
  ASSERT_TRUE(process);
  const auto metrics = [&] {
    if (!std::filesystem::exists(folder_.In("r/run.json"))) return std::string();
    const auto run = nlohmann::json::parse(folder_.Read("r/run.json"));
    return test::HttpGet(run["http_port"].get<std::uint16_t>(), "/metrics");
  };
  const auto says = [&](const std::string& line) {
    return lab::WaitUntil([&] { return metrics().find(line) != std::string::npos; }, 60s);
  };
  EXPECT_TRUE(says("\nregistry_disk_nearly_full 1\n")) << folder_.Read("out.log");
  EXPECT_TRUE(says(
      "registry_commands_total{command=\"feed.ack\",outcome=\"rejected\",symbol=\"disk_nearly_full\"} 1"));
  EXPECT_TRUE(says("registry_free_bytes{folder=\"ledger\"} "));
  EXPECT_TRUE(says("registry_free_bytes{folder=\"intake\"} "));
  EXPECT_NE(folder_.Read("out.log").find("less than ledger.free_bytes_min (16777216)"), std::string::npos);
  // As the process sees it, in its own mount namespace.
  const std::string ballast =
      "/proc/" + std::to_string(process->pid()) + "/root" + folder_.In("r/ledger/ballast");
  ASSERT_TRUE(std::filesystem::remove(ballast)) << ballast;
  EXPECT_TRUE(says("\nregistry_disk_nearly_full 0\n"));
  process->Signal(SIGTERM);
  ASSERT_TRUE(process->WaitExit(60s));
  EXPECT_EQ(*process->exit_status(), 0) << process->Obituary();
}

// Every lane meets the one cause. As after kill -9, the next start goes on with what was acknowledged.
TEST_F(FullDiskTest, ARunningOneSaysTheCauseOnceAndThatItEndedByIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts a file system";
  SetFreeBytesMin("0");  // or it would stop before
  folder_.Write("r/registry.toml",
                folder_.Read("r/registry.toml") + "[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n");
  {
    ingest::IntakeOptions options;
    options.folder = folder_.In("r/intake");
    const auto intake = ingest::Intake::Open(options);
    ASSERT_TRUE(intake.ok()) << intake.error().message;
    for (int i = 0; i < 30'000; ++i) {
      auto message =
          test::Raw("mno-a", "feed.ack",
                    test::Command("mno-a", "feed.ack", "ack-" + std::to_string(i), {{"seq", 5}}).dump());
      message.correlation_data = std::string(1000, 'c');
      ASSERT_TRUE((*intake)->Append(message).ok());
    }
  }
  auto process = StartOver("ledger", "16m", "true");
  ASSERT_TRUE(process);
  ExpectEndedForSpace(*process, "ledger");
  std::vector<nlohmann::json> lines;
  std::istringstream log(folder_.Read("out.log"));
  for (std::string line; std::getline(log, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back()["level"], "error");
  EXPECT_EQ(lines.back()["message"].get<std::string>().find("ended by a failure: "), 0u) << lines.back();
  std::map<std::string, int> said;
  for (const auto& line : lines) {
    const std::string text = line["message"];
    EXPECT_FALSE(text.ends_with("\n")) << text;
    if (line["level"] == "error" && line["room"] == "ingest") ++said["of the pipeline"];
    ++said[line["level"].get<std::string>() + text];
  }
  EXPECT_LE(said["of the pipeline"], 2) << folder_.Read("out.log");
  for (const auto& [text, times] : said) {
    if (text.starts_with("error")) {
      EXPECT_EQ(times, 1) << text;
    }
  }
}

}  // namespace
}  // namespace registry::app
