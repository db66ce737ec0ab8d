#include "clients/verdict/chain.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "clients/verdict/verdict.h"

namespace registry::clients {
namespace {

struct FreePath {
  void operator()(X509_STORE_CTX* path) const { X509_STORE_CTX_free(path); }
};
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

X509* ParseAuthority(const Bytes& der) {
  const std::uint8_t* at = der.data();
  return d2i_X509(nullptr, &at, static_cast<long>(der.size()));
}

// Empty when any of it is none.
std::vector<X509*> ParseAuthorities(const Bytes& der) {
  std::vector<X509*> all;
  const std::uint8_t* at = der.data();
  const std::uint8_t* const end = at + der.size();
  while (at != end) {
    X509* const one = d2i_X509(nullptr, &at, static_cast<long>(end - at));
    if (one == nullptr) break;
    all.push_back(one);
  }
  if (at == end) return all;
  for (X509* one : all) X509_free(one);
  return {};
}

std::optional<std::time_t> SecondsOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

bool OnP256(X509* certificate) {
  ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR* parameters = nullptr;
  int type = 0;
  const void* curve = nullptr;
  if (X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, &parameters, X509_get_X509_PUBKEY(certificate)) !=
      1)
    return false;
  X509_ALGOR_get0(nullptr, &type, &curve, parameters);
  return OBJ_obj2nid(algorithm) == NID_X9_62_id_ecPublicKey && type == V_ASN1_OBJECT &&
         OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(curve)) == NID_X9_62_prime256v1;
}

// What a path of RFC 5280 does not ask. The registry certifies P-256 keys, with ECDSA and SHA-256, and no CA but its own
// issuing one. RFC 8446 §4.4.2.2: a certificate that says what its key is for must let it sign.
bool ForADevice(X509* certificate) {
  return (X509_get_extension_flags(certificate) & (EXFLAG_INVALID | EXFLAG_CA)) == 0 &&
         (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0 &&
         X509_get_signature_nid(certificate) == NID_ecdsa_with_SHA256 && OnP256(certificate);
}

}  // namespace

Result<std::unique_ptr<Chain>> Chain::Create(const Bytes& root, const Bytes& issuing, std::size_t cache_max) {
  std::unique_ptr<Chain> chain(new Chain(cache_max));
  chain->store_ = X509_STORE_new();
  chain->issuing_ = ParseAuthorities(issuing);
  chain->root_ = ParseAuthority(root);
  const bool ok = chain->store_ != nullptr && !chain->issuing_.empty() && chain->root_ != nullptr &&
                  X509_STORE_add_cert(chain->store_, chain->root_) == 1 &&
                  X509_STORE_set_purpose(chain->store_, X509_PURPOSE_SSL_CLIENT) == 1 &&
                  X509_STORE_set_flags(chain->store_, X509_V_FLAG_NO_CHECK_TIME) == 1;  // Validity asks
  for (X509* one : chain->issuing_) {
    if (ok) chain->TrustIssuing(one);
  }
  ERR_clear_error();
  if (ok) return chain;
  return Error::Make(Code::kValueSyntax, "trust_malformed", "the registry's certificates cannot be used");
}

Chain::~Chain() {
  for (X509* one : issuing_) X509_free(one);
  X509_free(root_);
  X509_STORE_free(store_);
}

// A path may end at the issuing certificate once that is proved to be the root's: nothing about it changes but the dates
// of the two. One that is not proved is asked about at every certificate, and refused.
void Chain::TrustIssuing(X509* issuing) {
  const std::unique_ptr<X509_STORE_CTX, FreePath> path(X509_STORE_CTX_new());
  const bool proved = path && X509_STORE_CTX_init(path.get(), store_, issuing, nullptr) == 1 &&
                      X509_STORE_CTX_set_purpose(path.get(), X509_PURPOSE_ANY) == 1 &&
                      X509_verify_cert(path.get()) == 1 && X509_get_pathlen(root_) != 0;
  if (proved && X509_STORE_add_cert(store_, issuing) == 1) {
    X509_STORE_set_flags(store_, X509_V_FLAG_PARTIAL_CHAIN);
  }
}

Result<X509*> Chain::CheckPath(X509* certificate) const {
  const auto by = std::find_if(issuing_.begin(), issuing_.end(), [certificate](X509* one) {
    return X509_check_issued(one, certificate) == X509_V_OK;
  });
  const std::unique_ptr<STACK_OF(X509), FreeStack> untrusted(sk_X509_new_null());
  const std::unique_ptr<X509_STORE_CTX, FreePath> path(X509_STORE_CTX_new());
  const bool holds = ForADevice(certificate) && by != issuing_.end() && untrusted && path &&
                     sk_X509_push(untrusted.get(), *by) != 0 &&
                     X509_STORE_CTX_init(path.get(), store_, certificate, untrusted.get()) == 1 &&
                     X509_verify_cert(path.get()) == 1;
  ERR_clear_error();
  if (holds) return *by;
  return Refusal(Verdict::kChainInvalid);
}

Chain::Validity Chain::Narrowed(Validity validity, const X509* certificate) {
  const auto from = SecondsOf(X509_get0_notBefore(certificate));
  const auto until = SecondsOf(X509_get0_notAfter(certificate));
  if (!from || !until) return {std::numeric_limits<std::time_t>::max(), 0};
  return {std::max(validity.from, *from), std::min(validity.until, *until)};
}

// RFC 5280 §4.1.2.5 counts the last second to it. OpenSSL does not (X509_cmp_time), and at its begin the registry says
// device.expired: whoever has heard that must not see the device served.
Status Chain::Validity::At(std::time_t now) const {
  if (now < from) return Refusal(Verdict::kChainInvalid);
  if (now >= until) return Refusal(Verdict::kCertificateExpired);
  return Done{};
}

Status Chain::Judge(X509* certificate, const std::string& sha256, std::time_t now) const {
  {
    const MutexLock lock(mutex_);
    if (const auto found = proved_.find(sha256); found != proved_.end()) return found->second.At(now);
  }
  const auto issuing = CheckPath(certificate);
  if (!issuing) return issuing.error();
  Validity validity{0, std::numeric_limits<std::time_t>::max()};
  for (const X509* one : {static_cast<const X509*>(certificate), static_cast<const X509*>(*issuing),
                          static_cast<const X509*>(root_)}) {
    validity = Narrowed(validity, one);
  }
  const MutexLock lock(mutex_);
  if (proved_.size() >= cache_max_ && !proved_.empty()) proved_.erase(proved_.begin());
  if (cache_max_ > 0) proved_.emplace(sha256, validity);
  return validity.At(now);
}

}  // namespace registry::clients
