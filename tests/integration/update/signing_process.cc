#include "tests/integration/update/signing_process.h"

#include <signal.h>

#include <fstream>
#include <regex>
#include <sstream>

namespace registry::zone::testing {
namespace {

// What stood in the zone before the registry came.
const char* const kBefore = R"($TTL 60
@ SOA ns1 hostmaster 1 60 10 86400 60
@ NS ns1
@ TXT "v=spf1 -all"
ns1 A 127.0.0.1
www A 192.0.2.1
)";

const char* const kKnot = R"(remote:
  - id: secondary
    address: 127.0.0.1@%SECONDARY%
    key: %KEY%
acl:
  - id: registry
    key: %KEY%
    action: update
    update-type: [%TYPES%]
  - id: secondary
    key: %KEY%
    action: transfer
policy:
  - id: registry
    algorithm: ecdsap256sha256
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
zone:
  - domain: %ZONE%
    storage: %DIR%
    file: %ZONE%.zone
    dnssec-signing: on
    dnssec-policy: registry
    acl: [registry, secondary]
    notify: secondary
)";

const char* const kBind = R"(key "%KEY%" { algorithm hmac-sha256; secret "%SECRET%"; };
options {
  directory "%DIR%"; pid-file "%DIR%/named.pid"; session-keyfile "%DIR%/session.key";
  listen-on port %PORT% { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no;
};
controls { };
dnssec-policy "registry" {
  keys { csk lifetime unlimited algorithm ecdsap256sha256; };
  nsec3param iterations 0 optout no salt-length 0;
};
zone "%ZONE%" {
  type primary; file "%DIR%/%ZONE%.zone";
  dnssec-policy "registry"; inline-signing no;
  update-policy { grant "%KEY%" zonesub %TYPES%; };
  allow-transfer { key "%KEY%"; };
  notify explicit; notify-delay 0; also-notify { 127.0.0.1 port %SECONDARY% key "%KEY%"; };
};
)";

std::string Types(Software software, bool with_ns) {
  const std::string between = software == Software::kKnot ? ", " : " ";
  return "TLSA" + between + "TXT" + (with_ns ? between + "NS" : "");
}

}  // namespace

SigningProcess::SigningProcess(Software software, const ZoneFiles& files, std::uint16_t port,
                               std::uint16_t secondary_port, const std::string& before)
    : software_(software),
      files_(files),
      folder_(files.path("signing")),
      config_(folder_ + "/server.conf"),
      port_(port) {
  std::filesystem::create_directory(folder_);
  std::ofstream(folder_ + "/" + kZone + ".zone") << kBefore << before;
  std::ofstream(config_) << Filled(software == Software::kKnot ? std::string(kKnotBasics) + kKnot : kBind,
                                   {{"PORT", std::to_string(port)},
                                    {"SECONDARY", std::to_string(secondary_port)},
                                    {"DIR", folder_},
                                    {"TYPES", Types(software, !before.empty())},
                                    {"KEY", kTsigName},
                                    {"SECRET", kTsigSecret},
                                    {"ZONE", kZone}});
}

void SigningProcess::Start() {
  const std::vector<std::string> command =
      software_ == Software::kKnot ? std::vector<std::string>{"knotd", "-c", config_}
                                   : std::vector<std::string>{"named", "-g", "-c", config_, "-n", "1"};
  auto started = lab::Process::Start({"signing", command, folder_, folder_ + "/output.log", {}, {}});
  REG_CHECK(started.ok());
  process_ = std::move(*started);
  REG_CHECK(Eventually([this] {
    return Dig(std::string("+dnssec +noall +answer SOA ") + kZone).find("RRSIG") != std::string::npos;
  }));
}

void SigningProcess::Kill() {
  process_->Signal(SIGKILL);
  process_->WaitExit(std::chrono::seconds(10));
}

std::string SigningProcess::Dig(const std::string& arguments) const {
  return RunCommand("dig @127.0.0.1 -p " + std::to_string(port_) + " +time=5 +tries=1 " + arguments);
}

std::string SigningProcess::Update(const std::string& lines) const {
  const std::string file = files_.path("nsupdate.txt");
  std::ofstream(file) << "server 127.0.0.1 " << port_ << "\nzone " << kZone << "\n" << lines << "send\n";
  return RunCommand("nsupdate -y hmac-sha256:" + std::string(kTsigName) + ":" + kTsigSecret + " " + file);
}

std::string SigningProcess::Anchor() const {
  const std::string keys = Dig(std::string("+short DNSKEY ") + kZone);
  std::smatch match;
  if (!std::regex_search(keys, match, std::regex("257 3 13 (.*)"))) return {};
  return match[1];
}

std::string SigningProcess::Log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ + "/server.log").rdbuf() << std::ifstream(folder_ + "/output.log").rdbuf();
  return text.str();
}

}  // namespace registry::zone::testing
