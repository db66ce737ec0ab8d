#include "clients/dane/trust_files.h"

#include <openssl/evp.h>

#include <fstream>
#include <sstream>

#include "clients/dane/tlsa.h"

namespace registry::clients {

std::vector<std::string> AnchorLines(const std::string& text) {
  std::vector<std::string> anchors;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find(';'));
    const auto end = line.find_last_not_of(" \t\r");
    if (end != std::string::npos) anchors.push_back(line.substr(0, end + 1));
  }
  return anchors;
}

Result<Bytes> PinOfCertificate(const std::string& pem) {
  const auto der = FromPem("CERTIFICATE", pem);
  const auto view = der ? CertificateView::Of(*der)
                        : Result<CertificateView>(Error::Make(Code::kValueSyntax, "trust_malformed",
                                                              "the resolver's certificate is no PEM"));
  if (!view) return view.error();
  Bytes pin(32);
  EVP_Digest(view->spki.data(), view->spki.size(), pin.data(), nullptr, EVP_sha256(), nullptr);
  return pin;
}

Result<Bytes> CertificatesIn(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  Bytes all;
  for (auto at = pem.find(kBegin); at != pem.npos; at = pem.find(kBegin, at + 1)) {
    const auto next = FromPem("CERTIFICATE", pem.substr(at));
    if (!next) return Error::Make(Code::kValueSyntax, "trust_malformed", "holds what is no certificate");
    all.insert(all.end(), next->begin(), next->end());
  }
  if (all.empty()) return Error::Make(Code::kValueSyntax, "trust_malformed", "holds no certificate");
  return all;
}

std::string ReadTrustFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace registry::clients
