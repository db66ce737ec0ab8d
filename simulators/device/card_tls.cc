// card-tls: TLS with the key in a card behind a modem, by hand, against any server (README.md). Like `openssl req` and
// `openssl s_client`, but the private key is made in the card, signs there, and can be had by nobody.
//   card-tls csr     --modem PATH [--slot 01] [--name NAME] [--new]       a request for a certificate, PEM
//   card-tls connect HOST:PORT --modem PATH --certificate FILE --trust FILE [--tls 1.2|1.3|any]
// `connect` says what was agreed on, sends each line of its input, and says the line that comes back.
// Ends with 0; 1 when the card or the server refuses, with the reason; 2 for a wrong command line.
#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "schemas/base/standard_descriptors.h"
#include "schemas/base/wrong_command.h"
#include "simulators/device/csr.h"
#include "simulators/device/tls_connection.h"
#include "simulators/euicc/tags.h"
#include "simulators/terminal/modem_port.h"

namespace {

using namespace registry;
using namespace registry::sim;

struct Arguments {
  std::string modem, slot = "01", name, certificate_file, trust_file, server, server_name, tls = "any";
  int within_seconds = 10;
  bool fresh = false;
};

int Refuse(const Error& error) {
  std::cerr << "card-tls: " << error.message << "\n";
  return 1;
}

Error Unusable(const std::string& what) { return Error::Make(Code::kValueSyntax, "input_unusable", what); }

Result<Bytes> CertificateIn(const std::string& file) {
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  auto der = FromPem("CERTIFICATE", text);
  return der ? Result<Bytes>(std::move(*der)) : Unusable(file + " holds no certificate in PEM");
}

// The pair in that slot, as the card told its public part.
Result<std::unique_ptr<CardKey>> KeyIn(Card& card, std::uint8_t slot, bool fresh) {
  const auto point = fresh ? card.GenerateKeyPair(slot) : card.PublicPoint(slot);
  if (!point) return point.error();
  auto key = CardKey::Make(card, slot, *point);
  if (!key) return Unusable("the card's public key is no point of P-256");
  return key;
}

int MakeRequest(const Arguments& arguments, Card& card, std::uint8_t slot) {
  const auto key = KeyIn(card, slot, arguments.fresh);
  if (!key) return Refuse(key.error());
  // Without a key-agreement key: a server for TLS alone has no use for one.
  const auto request = MakeCsr(**key, {}, arguments.name);
  if (!request) return Refuse(request.error());
  std::cout << ToPem("CERTIFICATE REQUEST", *request);
  return 0;
}

Result<AspTarget> TargetOf(const Arguments& arguments) {
  const std::size_t colon = arguments.server.rfind(':');
  AspTarget target;
  target.address = arguments.server.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : arguments.server.substr(colon + 1);
  if (!CLI::detail::lexical_cast(port, target.port) || target.port == 0)
    return Unusable("the server is ADDRESS:PORT, where ADDRESS is IPv4");
  target.fqdn = arguments.server_name;
  auto trusted = CertificateIn(arguments.trust_file);
  if (!trusted) return trusted.error();
  target.trust.kind = target.fqdn.empty() ? wire::TrustKind::kCertificate : wire::TrustKind::kCa;
  target.trust.certificate = std::move(*trusted);
  return target;
}

int Talk(const Arguments& arguments, Card& card, std::uint8_t slot) {
  const auto key = KeyIn(card, slot, false);
  if (!key) return Refuse(key.error());
  const auto target = TargetOf(arguments);
  if (!target) return Refuse(target.error());
  const auto own = CertificateIn(arguments.certificate_file);
  if (!own) return Refuse(own.error());
  const std::uint8_t* at = own->data();
  const OwnedCertificate certificate(d2i_X509(nullptr, &at, static_cast<long>(own->size())));
  if (!certificate) return Refuse(Unusable(arguments.certificate_file + " holds no certificate"));
  const ClientCredentials credentials{certificate.get(), key->get(), arguments.name};
  const auto connection = TlsConnection::Open(*target, credentials, *TlsVersionOf(arguments.tls),
                                              std::chrono::seconds(arguments.within_seconds));
  if (!connection) return Refuse(connection.error());
  std::cout << (*connection)->Described() << ", the signature is the card's" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (auto said = (*connection)->Write(line + "\n"); !said) return Refuse(said.error());
    const auto answer = (*connection)->ReadLine();
    if (!answer) return Refuse(answer.error());
    std::cout << *answer << std::endl;
  }
  return 0;
}

void AddCardOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("--modem", arguments.modem, "the modem's serial device")->required();
  command.add_option("--slot", arguments.slot, "id of the key pair on the card, hexadecimal (01)")
      ->check([](const std::string& text) {
        const auto id = FromHex(text);
        return id && id->size() == 1 ? "" : "an id is two hexadecimal digits";
      });
  command.add_option("--within", arguments.within_seconds, "seconds for the whole (10)")
      ->check(CLI::Range(1, 3600));
}

}  // namespace

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App program("TLS with the key in a card behind a modem", "card-tls");
  program.require_subcommand(1);
  Arguments arguments;
  CLI::App* const csr = program.add_subcommand("csr", "a request for a certificate on the card's key, PEM");
  AddCardOptions(*csr, arguments);
  csr->add_option("--name", arguments.name, "the subject's common name");
  csr->add_flag("--new", arguments.fresh, "the card makes a new pair first; the old one is gone");
  CLI::App* const connect = program.add_subcommand("connect", "a TLS session; lines of the input are sent");
  AddCardOptions(*connect, arguments);
  connect->add_option("server", arguments.server, "ADDRESS:PORT")->required();
  connect->add_option("--certificate", arguments.certificate_file, "of the card's key, PEM")->required();
  connect
      ->add_option("--trust", arguments.trust_file,
                   "the server's certificate, or with --server-name its CA, PEM")
      ->required();
  connect->add_option("--server-name", arguments.server_name, "that the server's certificate must have");
  connect->add_option("--name", arguments.name, "sent as dane_clientid to a server that asks");
  connect->add_option("--tls", arguments.tls, "1.2, 1.3 or any (default)")
      ->check(CLI::IsMember({"1.2", "1.3", "any"}));
  if (const auto end = ParseOrEnd<CLI::ParseError>(program, argc, argv)) return *end;
  const auto port = ModemPort::Open(arguments.modem, std::chrono::seconds(arguments.within_seconds));
  if (!port) return Refuse(port.error());
  Card card([&port](const Bytes& apdu) { return (*port)->Transmit(apdu); });
  const std::uint8_t slot = FromHex(arguments.slot)->front();
  return csr->parsed() ? MakeRequest(arguments, card, slot) : Talk(arguments, card, slot);
}
