#include "clients/verify/report.h"

#include <openssl/bio.h>
#include <openssl/bn.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace registry::clients {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::string TextOfTime(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print_ex(bio.get(), time, ASN1_DTFLGS_ISO8601);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string SerialOf(X509* certificate) {
  BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* const text = number != nullptr ? BN_bn2hex(number) : nullptr;
  std::string serial = text != nullptr ? text : "";
  OPENSSL_free(text);
  BN_free(number);
  return serial;
}

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string WordOf(const Finding& finding) {
  if (!finding.answer) return "open";
  return *finding.answer ? "holds" : "fails";
}

std::string SaidOf(const Finding& finding) {
  if (!finding.answer) return finding.detail.empty() ? "not asked" : finding.detail;
  if (*finding.answer) return finding.detail;
  const Error& error = finding.answer->error();
  return error.symbol + ": " + error.message + (finding.detail.empty() ? "" : " (" + finding.detail + ')');
}

}  // namespace

Finding DescribeCertificate(X509* certificate) {
  return {"certificate", Status(Done{}),
          "serial " + SerialOf(certificate) + ", from " + TextOfTime(X509_get0_notBefore(certificate)) +
              " to " + TextOfTime(X509_get0_notAfter(certificate))};
}

std::string VerdictIn(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (finding.answer && !*finding.answer) return finding.answer->error().symbol;
  }
  return "accepted";
}

std::string AsText(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    std::string line = Padded(WordOf(finding), 7) + Padded(finding.question, 13) + SaidOf(finding);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text + "verdict " + VerdictIn(findings) + '\n';
}

std::string AsJson(const std::vector<Finding>& findings) {
  nlohmann::json steps = nlohmann::json::array();
  for (const Finding& finding : findings) {
    const bool fails = finding.answer && !*finding.answer;
    steps.push_back({{"question", finding.question},
                     {"holds", finding.answer ? nlohmann::json(finding.answer->ok()) : nlohmann::json()},
                     {"symbol", fails ? nlohmann::json(finding.answer->error().symbol) : nlohmann::json()},
                     {"detail", finding.detail}});
  }
  return nlohmann::json{{"verdict", VerdictIn(findings)}, {"steps", std::move(steps)}}.dump(2) + '\n';
}

}  // namespace registry::clients
