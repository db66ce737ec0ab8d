#include "simulators/asp/client_check.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "schemas/ids/ids.h"

namespace registry::sim {
namespace {

Error Refuse(std::string_view symbol) {
  return Error::Make(Code::kNotAuthorised, symbol, "the client is refused");
}

X509* Parse(const Bytes& der) {
  const std::uint8_t* at = der.data();
  return d2i_X509(nullptr, &at, static_cast<long>(der.size()));
}

Bytes DerOf(X509* certificate) {
  std::uint8_t* octets = nullptr;
  const int size = i2d_X509(certificate, &octets);
  if (size <= 0) return {};
  Bytes der(octets, octets + size);
  OPENSSL_free(octets);
  return der;
}

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct FreePath {
  void operator()(X509_STORE_CTX* path) const { X509_STORE_CTX_free(path); }
};
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

}  // namespace

Result<std::unique_ptr<ClientCheck>> ClientCheck::Create(const Trust& trust, const Customers& customers,
                                                         std::shared_ptr<DaneResolver> resolver) {
  std::unique_ptr<ClientCheck> check(new ClientCheck(customers));
  check->suffix_ = "._device." + trust.zone;
  check->resolver_ = std::move(resolver);
  check->store_ = X509_STORE_new();
  check->issuing_ = Parse(trust.issuing);
  check->root_ = Parse(trust.root);
  const bool ok = check->store_ != nullptr && check->issuing_ != nullptr && check->root_ != nullptr &&
                  X509_STORE_add_cert(check->store_, check->root_) == 1 &&
                  X509_STORE_set_purpose(check->store_, X509_PURPOSE_SSL_CLIENT) == 1;
  if (ok) check->TrustIssuing();
  if (!ok)
    return Error::Make(Code::kValueSyntax, "trust_malformed", "the registry's certificates cannot be used");
  return check;
}

ClientCheck::~ClientCheck() {
  X509_free(issuing_);
  X509_free(root_);
  X509_STORE_free(store_);
}

Result<std::string> ClientCheck::NameOf(X509* certificate) const {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names || sk_GENERAL_NAME_num(names.get()) != 1) return Refuse("name_missing");
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), 0), &type);
  if (type != GEN_DNS) return Refuse("name_missing");
  const auto* text = static_cast<const ASN1_IA5STRING*>(value);
  const std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
  if (!name.ends_with(suffix_) || !DeviceId::Parse(name.substr(0, name.size() - suffix_.size()))) {
    return Refuse("name_not_allowed");
  }
  return name;
}

// A path may end at the issuing certificate once that is proved to be the root's: nothing about it changes but the dates
// of the two. One that is not proved is asked about at every session, and refused.
void ClientCheck::TrustIssuing() {
  const std::unique_ptr<X509_STORE_CTX, FreePath> path(X509_STORE_CTX_new());
  const bool proved =
      path && X509_STORE_CTX_init(path.get(), store_, issuing_, nullptr) == 1 &&
      X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(path.get()), X509_V_FLAG_NO_CHECK_TIME) == 1 &&
      X509_STORE_CTX_set_purpose(path.get(), X509_PURPOSE_ANY) == 1 && X509_verify_cert(path.get()) == 1;
  ERR_clear_error();
  if (proved && X509_STORE_add_cert(store_, issuing_) == 1) {
    X509_STORE_set_flags(store_, X509_V_FLAG_PARTIAL_CHAIN);
  }
}

// Of a path that ends at the issuing certificate it is no part any more.
Status ClientCheck::CheckRootDates() const {
  // X509_cmp_time never answers "equal", and 0 for a time it cannot read.
  if (X509_cmp_time(X509_get0_notAfter(root_), nullptr) <= 0) return Refuse("certificate_expired");
  if (X509_cmp_time(X509_get0_notBefore(root_), nullptr) >= 0) return Refuse("chain_invalid");
  return Done{};
}

// The issuing certificate is taken from here, not from the client: a device sends its own alone.
Status ClientCheck::CheckChain(X509* certificate) const {
  if (auto dated = CheckRootDates(); !dated) return dated;
  const std::unique_ptr<STACK_OF(X509), FreeStack> untrusted(sk_X509_new_null());
  const std::unique_ptr<X509_STORE_CTX, FreePath> path(X509_STORE_CTX_new());
  if (!untrusted || !path || sk_X509_push(untrusted.get(), issuing_) == 0 ||
      X509_STORE_CTX_init(path.get(), store_, certificate, untrusted.get()) != 1) {
    return Refuse("chain_invalid");
  }
  if (X509_verify_cert(path.get()) == 1) return Done{};
  ERR_clear_error();
  const bool expired = X509_STORE_CTX_get_error(path.get()) == X509_V_ERR_CERT_HAS_EXPIRED;
  return Refuse(expired ? "certificate_expired" : "chain_invalid");
}

Status ClientCheck::Check(X509* certificate, const std::string& name) const {
  if (auto chain = CheckChain(certificate); !chain) return chain;
  const auto records = resolver_->Tlsa(name, Freshness::kNow);
  if (!records && records.error().symbol == "name_absent") return Refuse("tlsa_missing");
  if (!records) return records.error();
  const auto view = CertificateView::Of(DerOf(certificate));
  if (!view || !MatchesAny(*records, kDaneEe, *view)) return Refuse("tlsa_mismatch");
  return customers_.MayTalk(name.substr(0, name.size() - suffix_.size()));
}

}  // namespace registry::sim
