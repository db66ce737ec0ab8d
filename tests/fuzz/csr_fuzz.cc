// Attacked: CheckCsr on octets of a device: PEM and DER, as they are, and signed anew after whatever was changed, so that
// the signature does not hide what is behind it.
// A fault: a crash; a request that is taken here and that OpenSSL does not read as a whole, verify, and find the same key
// in, or whose requested extensions it does not read.
#include <openssl/err.h>
#include <openssl/pem.h>

#include "schemas/base/check.h"
#include "tests/fuzz/input.h"
#include "tests/support/csr_maker.h"
#include "workers/crypto/der_writer.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/csr_sign/pkcs10.h"

namespace registry::csr_sign {
namespace {

using OwnedCsr = std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)>;

// schemas/README.md allows more of a block's form than OpenSSL: CR as a line's end, blank lines, boundaries that share a
// line with base64. None of it has two meanings.
std::string AsOpenSslLikesIt(std::string_view pem) {
  std::string text(pem);
  for (const std::string_view label : {"CERTIFICATE REQUEST-----", "NEW CERTIFICATE REQUEST-----"}) {
    const std::string begin = "-----BEGIN " + std::string(label), end = "-----END " + std::string(label);
    if (const auto at = text.find(begin); at != text.npos) text.insert(at + begin.size(), "\n");
    if (const auto at = text.find(end, std::min(text.find(begin), text.size())); at != text.npos) {
      text.insert(at + end.size(), "\n");
      text.insert(at, "\n");
    }
  }
  std::replace(text.begin(), text.end(), '\r', '\n');
  std::string lines;
  for (const char c : text) {
    while (c == '\n' && !lines.empty() && (lines.back() == ' ' || lines.back() == '\t')) lines.pop_back();
    if (c != '\n' || (!lines.empty() && lines.back() != '\n')) lines += c;
  }
  return lines;
}

OwnedCsr ReadByOpenSsl(const Bytes& csr) {
  if (!csr.empty() && csr[0] == crypto::tag::kSequence) {
    const std::uint8_t* at = csr.data();
    OwnedCsr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(csr.size())), X509_REQ_free);
    REG_CHECK(request == nullptr || at == csr.data() + csr.size());
    return request;
  }
  const std::string pem = AsOpenSslLikesIt(AsText(csr));
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all);
  return {PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr), X509_REQ_free};
}

void Judge(const Bytes& csr) {
  const auto checked = CheckCsr(csr);
  if (!checked) return;
  const OwnedCsr request = ReadByOpenSsl(csr);
  REG_CHECK(request != nullptr);
  const test::Key key(X509_REQ_get_pubkey(request.get()), EVP_PKEY_free);
  REG_CHECK(key != nullptr && test::PointOf(key) == checked->public_key);
  REG_CHECK(X509_REQ_verify(request.get(), key.get()) == 1);
  if (X509_REQ_get_attr_by_NID(request.get(), NID_ext_req, -1) < 0) return;
  STACK_OF(X509_EXTENSION)* const extensions = X509_REQ_get_extensions(request.get());
  REG_CHECK(extensions != nullptr);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

// The same request by a key that is at hand.
std::optional<Bytes> SignedAnew(Bytes csr) {
  static const test::Key key = test::NewEcKey();
  static const Bytes point = test::PointOf(key);
  const auto request = ReadPkcs10(csr);
  if (!request || request->key.key.size() != point.size()) return std::nullopt;
  std::copy(point.begin(), point.end(), csr.begin() + (request->key.key.data() - csr.data()));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  REG_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
  Bytes signature(80);
  std::size_t size = signature.size();
  REG_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, request->signed_part.data(),
                           request->signed_part.size()) == 1);
  signature.resize(size);
  return crypto::DerSequence({request->signed_part, crypto::DerSequence({request->signature_algorithm}),
                              crypto::DerBitString(signature)});
}

}  // namespace
}  // namespace registry::csr_sign

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry::csr_sign;
  const registry::Bytes csr(data, data + size);
  Judge(csr);
  if (const auto anew = SignedAnew(csr)) Judge(*anew);
  ERR_clear_error();
  return 0;
}
