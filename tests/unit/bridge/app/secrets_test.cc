// Where the secrets of a running registryd lie: its memory is read from outside, as a core dump would hold it.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "schemas/base/bytes.h"
#include "schemas/base/sanitized.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/registry_home.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;

class SecretsTest : public ::testing::Test {
 protected:
  static constexpr uid_t kNobody = 65534;

  // As another user, where that is asked for and we are root; with glibc's allocator tuned, where that is asked for.
  void Start(const std::string& more, uid_t user = ::geteuid(), const std::string& tunables = "") {
    test::MakeRunnableHome(folder_, more);
    lab::ProcessSpec spec;
    spec.name = "registryd";
    spec.command = {REGISTRY_BINARY_DIR "/bin/registryd", "--config", folder_.In("r/registry.toml")};
    if (::geteuid() == 0 && user != 0) {
      const std::string id = std::to_string(user);
      ASSERT_EQ(std::system(("chown -R " + id + ":" + id + " " + folder_.In("")).c_str()), 0);
      spec.command.insert(spec.command.begin(),
                          {"setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups"});
    }
    if (!tunables.empty()) spec.command.insert(spec.command.begin(), {"env", "GLIBC_TUNABLES=" + tunables});
    spec.log_file = folder_.In("out.log");
    auto process = lab::Process::Start(std::move(spec));
    ASSERT_TRUE(process.ok());
    process_ = std::move(*process);
    ASSERT_TRUE(lab::WaitUntil([&] { return std::filesystem::exists(folder_.In("r/run.json")); }, 30s))
        << folder_.Read("out.log");
  }
  std::string Proc(const std::string& name) const {
    return "/proc/" + std::to_string(process_->pid()) + "/" + name;
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<lab::Process> process_;
};

struct Mapping {
  std::uint64_t from = 0, to = 0;
  bool readable = false, left_out = false;  // the latter: of core dumps
};

// proc(5), /proc/PID/smaps: "dd" among the flags of what MADV_DONTDUMP was said of.
std::vector<Mapping> MappingsOf(const std::string& smaps) {
  static const std::regex kHead("^([0-9a-f]+)-([0-9a-f]+) (r?).*");
  std::vector<Mapping> mappings;
  std::ifstream in(smaps);
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kHead)) {
      mappings.push_back(
          {std::stoull(match[1], nullptr, 16), std::stoull(match[2], nullptr, 16), match[3] == "r", false});
    } else if (line.starts_with("VmFlags:") && line.find(" dd") != std::string::npos) {
      mappings.back().left_out = true;
    }
  }
  return mappings;
}

struct Found {
  int dumped = 0, left_out = 0;
};

Found Find(const std::string& needle, const std::string& memory, const std::vector<Mapping>& mappings) {
  Found found;
  std::ifstream in(memory, std::ios::binary);
  for (const Mapping& mapping : mappings) {
    if (!mapping.readable) continue;
    std::string octets(mapping.to - mapping.from, '\0');
    in.clear();
    in.seekg(static_cast<std::streamoff>(mapping.from));
    in.read(octets.data(), static_cast<std::streamsize>(octets.size()));
    octets.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    for (auto at = octets.find(needle); at != std::string::npos; at = octets.find(needle, at + 1)) {
      ++(mapping.left_out ? found.left_out : found.dumped);
    }
  }
  return found;
}

// The 32 octets of a P-256 private key (RFC 5915 §3), which stand behind the OCTET STRING's head in both its forms.
std::string ScalarOf(const test::TemporaryFolder& folder, const std::string& file) {
  EXPECT_TRUE(test::OpenSsl(folder, "pkey -in " + file + " -outform DER -out key.der").ok());
  const std::string der = folder.Read("key.der");
  const auto at = der.find(std::string("\x02\x01\x01\x04\x20", 5));
  EXPECT_NE(at, std::string::npos);
  return der.substr(at + 5, 32);
}

// How long freed memory keeps what it held is the allocator's matter: each of these uses it again in another order.
class KeysInMemory : public SecretsTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Allocators, KeysInMemory,
                         ::testing::Values("", "glibc.malloc.tcache_count=2000",
                                           "glibc.malloc.tcache_count=0", "glibc.malloc.mmap_threshold=64"));

TEST_P(KeysInMemory, LieWhereNoCoreDumpHoldsThem) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may look into it";
#if REGISTRY_ADDRESS_SANITIZED
  GTEST_SKIP() << "the sanitizer's shadow has terabytes, and it keeps what was given back";
#endif
  Start("", ::geteuid(), GetParam());
  const auto mappings = MappingsOf(Proc("smaps"));
  const auto kept = [&](const std::string& name, const std::string& needle) {
    const Found found = Find(needle, Proc("mem"), mappings);
    EXPECT_EQ(found.dumped, 0) << name << " " << (needle.size() == 32 ? "scalar" : "text");
    return found.left_out;
  };
  for (const char* file : {"pki/issuing.key", "zone/ksk.pem", "zone/zsk.pem"}) {
    const std::string path = std::string("r/") + file;
    const std::string scalar = ScalarOf(folder_, path);
    const std::string reversed(scalar.rbegin(), scalar.rend());  // as OpenSSL keeps a number on this machine
    EXPECT_GE(kept(file, scalar) + kept(file, reversed), 1) << file << " is not where it was looked for";
    kept(file, folder_.Read(path).substr(40, 40));  // a part of its text
  }
  const std::string base64 = folder_.Read("r/zone/tsig.key").substr(0, 44);
  EXPECT_GE(kept("tsig", std::string(AsText(*FromBase64(base64)))), 1);
  kept("tsig", base64);
}

// proc(5): the files of a process that may not be dumped are root's, those of any other its user's.
TEST_F(SecretsTest, NobodyLooksIntoItUnlessTheOperatorWantsThat) {
  for (const bool wanted : {false, true}) {
    Start(wanted ? "[process]\ncore_dumps = true\n" : "[process]\n", kNobody);
    struct stat info {};
    ASSERT_EQ(stat(Proc("mem").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid == 0, !wanted) << info.st_uid;
    process_.reset();
    std::filesystem::remove_all(folder_.In("r"));
  }
}

}  // namespace
}  // namespace registry::app
