// registry-verify CERT | HOST:PORT --config FILE: says of a certificate in a file, or of the next TLS client that comes to
// HOST:PORT, what holds and what does not. README.md beside this file. Ends with 0 when everything that was asked holds, 1
// when something does not, 2 when it could not ask.
#include <openssl/pem.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <iostream>

#include "clients/dane/trust_files.h"
#include "clients/verdict/client_options.h"
#include "clients/verify/one_client.h"
#include "clients/verify/report.h"
#include "schemas/base/standard_descriptors.h"
#include "schemas/base/wrong_command.h"

namespace {

using registry::Bytes;
using registry::Code;
using registry::Done;
using registry::Error;
using registry::Result;
using registry::Status;
using namespace registry::
    clients;  // NOLINT(google-build-using-namespace): this program is about nothing else

struct Arguments {
  std::string subject, config, sent_name;
  DoorOptions door;
  int wait_seconds = 30;
  bool json = false;
};

int CannotAsk(const std::string& why) {
  std::cerr << "registry-verify: " << why << "\n";
  return 2;
}

// PEM or DER.
Result<SeenClient> FromCertificateFile(const Arguments& arguments) {
  const std::string text = ReadTrustFile(arguments.subject);
  const Bytes der = registry::FromPem("CERTIFICATE", text).value_or(registry::AsBytes(text));
  const std::uint8_t* at = der.data();
  OwnedX509 certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) {
    return Error::Make(Code::kValueSyntax, "certificate_malformed",
                       arguments.subject + " holds no certificate");
  }
  const bool named = !arguments.sent_name.empty();
  return SeenClient{std::move(certificate), named ? std::optional(arguments.sent_name) : std::nullopt, ""};
}

Result<SeenClient> FromConnection(DoorOptions door, const std::string& where) {
  const auto colon = where.rfind(':');
  const std::string port = where.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), door.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return Error::Make(Code::kValueSyntax, "listen_failed", where + " is neither a file nor HOST:PORT");
  }
  door.address = where.substr(0, colon);
  return WaitForClient(door, [&](std::uint16_t bound) {
    std::cerr << "registry-verify: waiting for a client on " << door.address << ':' << bound << std::endl;
  });
}

// What only a live client shows.
void AddConnection(const SeenClient& client, std::vector<Finding>& findings) {
  if (client.protocol.empty()) return;
  // draft-ietf-dance-client-auth-13: TLS 1.3 only.
  const bool modern = client.protocol == "TLSv1.3";
  findings.push_back(
      {"tls",
       modern ? Status(Done{}) : Status(Error::Make(Code::kPolicy, "tls_too_old", "only TLS 1.3 will do")),
       client.protocol});
  if (client.certificate)
    findings.push_back({"key", Status(Done{}), "the client holds the certificate's key"});
  findings.push_back({"identity", client.sent_name ? std::optional(Status(Done{})) : std::nullopt,
                      client.sent_name ? *client.sent_name : "the client sent no dane_clientid"});
}

std::vector<Finding> Ask(const SeenClient& client, const ClientCheck& check) {
  std::vector<Finding> findings;
  AddConnection(client, findings);
  if (!client.certificate) {
    findings.push_back({"certificate", Status(Refusal(Verdict::kCertificateRequired)), ""});
    return findings;
  }
  findings.push_back(DescribeCertificate(client.certificate.get()));
  auto answers = check.Explain(client.certificate.get(), client.sent_name);
  findings.insert(findings.end(), answers.begin(), answers.end());
  return findings;
}

int Run(const Arguments& arguments) {
  auto options = ReadOptions(arguments.config);
  if (!options) return CannotAsk(options.error().message);
  OwnDevices own;
  const bool ask_own = options->check.whose == Whose::kOwn && !options->claims_file.empty();
  if (ask_own) {
    const auto claims = ReadClaims(options->claims_file);
    if (!claims) return CannotAsk(claims.error().message);
    own.Listed(*claims);
  }
  const auto check = OpenCheck(*options, ask_own ? &own : nullptr);
  if (!check) return CannotAsk(check.error().message);
  DoorOptions door = arguments.door;
  door.identity_extension = options->identity_extension;
  door.within = std::chrono::seconds(arguments.wait_seconds);
  const auto client = std::filesystem::exists(arguments.subject) ? FromCertificateFile(arguments)
                                                                 : FromConnection(door, arguments.subject);
  if (!client) return CannotAsk(client.error().message);
  const auto findings = Ask(*client, **check);
  std::cout << (arguments.json ? AsJson(findings) : AsText(findings));
  return VerdictIn(findings) == "accepted" ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  Arguments arguments;
  CLI::App app("Says of a device's certificate, or of a live TLS client, what holds and what does not",
               "registry-verify");
  app.add_option("subject", arguments.subject,
                 "a file with a certificate (PEM or DER), or HOST:PORT where to wait for a client")
      ->required();
  app.add_option("--config", arguments.config, "the client library's configuration")->required();
  app.add_flag("--json", arguments.json, "JSON instead of lines");
  app.add_option("--name", arguments.sent_name, "as if the client had sent this name as dane_clientid");
  app.add_option("--server-certificate", arguments.door.certificate_file,
                 "PEM, for clients that check theirs");
  app.add_option("--server-key", arguments.door.key_file, "PEM");
  app.add_option("--wait", arguments.wait_seconds, "seconds to wait for a client")
      ->check(CLI::Range(1, 3600));
  if (const auto end = registry::ParseOrEnd<CLI::ParseError>(app, argc, argv)) return *end;
  return Run(arguments);
}
