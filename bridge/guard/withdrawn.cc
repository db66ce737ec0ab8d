#include "bridge/guard/withdrawn.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace registry::guard {
namespace {

std::string Octets(const ASN1_INTEGER* number) {
  const unsigned char* const octets = ASN1_STRING_get0_data(number);
  return {reinterpret_cast<const char*>(octets), static_cast<std::size_t>(ASN1_STRING_length(number))};
}

}  // namespace

std::string SerialOf(const X509* certificate) {
  return certificate == nullptr ? std::string() : Octets(X509_get0_serialNumber(certificate));
}

bool Withdrawn::Read(const std::string& crl_file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(crl_file.c_str(), "r"), &BIO_free);
  const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> crl(
      file ? PEM_read_bio_X509_CRL(file.get(), nullptr, nullptr, nullptr) : nullptr, &X509_CRL_free);
  if (!crl) {
    ERR_clear_error();  // Mosquitto would say it of somebody's connection
    return false;
  }
  std::set<std::string, std::less<>> serials;
  STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    serials.insert(Octets(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  serials_ = std::move(serials);
  return true;
}

const std::string* Certificates::Find(Handle connection, const std::string& client_id) const {
  const auto noted = noted_.find(connection);
  if (noted == noted_.end() || noted->second.client_id != client_id) return nullptr;
  return &noted->second.serial;
}

const std::string& Certificates::Note(Handle connection, const std::string& client_id, std::string serial) {
  Noted& noted = noted_[connection];
  noted = {client_id, std::move(serial)};
  return noted.serial;
}

std::vector<std::string> Certificates::WithdrawnBy(const Withdrawn& list) const {
  std::vector<std::string> client_ids;
  for (const auto& [connection, noted] : noted_) {
    if (list.Lists(noted.serial)) client_ids.push_back(noted.client_id);
  }
  return client_ids;
}

}  // namespace registry::guard
