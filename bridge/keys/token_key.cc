#include <array>

#include "bridge/keys/key_source.h"
#include "bridge/keys/token_objects.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/p256.h"
#include "workers/domain/key_unavailable.h"

namespace registry::keys {
namespace {

constexpr std::size_t kCoordinate = 32;

// r || s, as PKCS#11 §2.3.6 has it.
Bytes SignatureOf(const std::array<std::uint8_t, 2 * kCoordinate>& raw) {
  const crypto::OctetView both(raw);
  return crypto::DerSequence(
      {crypto::DerInteger(both.first(kCoordinate)), crypto::DerInteger(both.subspan(kCoordinate))});
}

class KeyInToken final : public KeySource {
 public:
  KeyInToken(TokenUri uri, std::shared_ptr<Token> token, Bytes point)
      : KeySource(std::move(point)), uri_(std::move(uri)), token_(std::move(token)) {}

  // A session that has died says nothing yet about the token: once more with another connection.
  Result<Bytes> Sign(const crypto::Sha256Digest& digest) const override {
    auto made = Once(digest);
    if (!made && made.error().symbol == domain::kKeyUnavailable) made = Once(digest);
    if (made) return made;
    return Unavailable(made.error());
  }

  // A token that answers may be back with another key: a signature tells, once for each connection.
  Status Ready() const override {
    if (const auto answers = token_->Look(); !answers) return Unavailable(answers.error());
    const auto proven = Proven();
    if (!proven) return Unavailable(proven.error());
    if (*proven) return Done{};
    const auto probe = Sign(crypto::Sha256({crypto::View("does this token still have the same key?")}));
    return probe ? Status(Done{}) : Status(probe.error());
  }

 private:
  static Error Unavailable(const Error& why) {
    return Error::Make(Code::kFailed, domain::kKeyUnavailable, why.message);
  }

  // The lease goes back before anything is signed: a token may have one session.
  Result<bool> Proven() const {
    const auto lease = token_->Borrow();
    if (!lease) return lease.error();
    return Known().second == lease->epoch();
  }

  Result<Bytes> Once(crypto::Sha256Digest digest) const {
    auto lease = token_->Borrow();
    if (!lease) return lease.error();
    const auto [known, epoch] = Known();
    const bool proven = epoch == lease->epoch();
    const auto key = proven ? Result<CK_OBJECT_HANDLE>(known) : FindOnly(*lease, uri_, CKO_PRIVATE_KEY);
    if (!key) return key.error();
    CK_MECHANISM ecdsa{CKM_ECDSA, nullptr, 0};
    CK_RV done = lease->functions().C_SignInit(lease->session(), &ecdsa, *key);
    if (done != CKR_OK) return lease->Failed("C_SignInit", done);
    std::array<std::uint8_t, 2 * kCoordinate> raw{};
    CK_ULONG size = raw.size();
    done = lease->functions().C_Sign(lease->session(), digest.data(), digest.size(), raw.data(), &size);
    if (done != CKR_OK || size != raw.size()) return lease->Failed("C_Sign", done);
    Bytes signature = SignatureOf(raw);
    if (proven) return signature;
    // The very first one is judged by whoever opens the key.
    if (!crypto::VerifyP256(point(), digest, signature))
      return epoch == 0 ? Result<Bytes>(signature) : Other();
    const MutexLock lock(mutex_);
    epoch_ = lease->epoch();
    handle_ = *key;
    return signature;
  }

  // Where the token was lost and is back, what has the name need not be the key that certificates and zone name: its first
  // signature tells, and goes nowhere unless it is the key's.
  std::pair<CK_OBJECT_HANDLE, std::uint64_t> Known() const {
    const MutexLock lock(mutex_);
    return {handle_, epoch_};
  }
  Error Other() const {
    return Error::Make(
        Code::kFailed, domain::kKeyUnavailable,
        uri_.token + ", " + uri_.KeyText() +
            ": the token is back with another key under this name; nothing is signed with it. Put "
            "the former token or key back, or restart registryd with a configuration for the new one");
  }

  const TokenUri uri_;
  const std::shared_ptr<Token> token_;
  mutable Mutex mutex_;
  mutable std::uint64_t epoch_ GUARDED_BY(mutex_) = 0;
  mutable CK_OBJECT_HANDLE handle_ GUARDED_BY(mutex_) = 0;
};

Result<Bytes> PointOfPrivate(Token& token, const TokenUri& uri) {
  auto lease = token.Borrow();
  if (!lease) return lease.error();
  const auto key = FindOnly(*lease, uri, CKO_PRIVATE_KEY);
  if (!key) return key.error();
  if (auto fit = CheckPrivateKey(*lease, uri, *key); !fit) return fit.error();
  return PointBeside(*lease, uri, *key);
}

}  // namespace

Result<KeySourcePtr> OpenTokenKey(const std::string& text) {
  auto uri = ParseTokenUri(text);
  if (!uri) return uri.error();
  auto token = Token::Open(*uri);
  if (!token) return token.error();
  auto point = PointOfPrivate(**token, *uri);
  if (!point) return point.error();
  KeySourcePtr key = std::make_shared<KeyInToken>(std::move(*uri), std::move(*token), *point);
  // Text, so that the signature is good for nothing else.
  const auto digest = crypto::Sha256({crypto::View("does this token sign for its public key?")});
  const auto signature = key->Sign(digest);
  if (!signature) return signature.error();
  if (crypto::VerifyP256(*point, digest, *signature)) return key;
  return Error::Make(Code::kFailed, "token_key",
                     "what the key of " + text.substr(0, text.find('?')) +
                         " signs does not verify with the public key beside it");
}

Result<Bytes> TokenPoint(const std::string& text) {
  const auto uri = ParseTokenUri(text);
  if (!uri) return uri.error();
  const auto point_as = [&](bool login) -> Result<Bytes> {
    auto token = Token::Open(*uri, login);
    if (!token) return token.error();
    auto lease = (*token)->Borrow();
    if (!lease) return lease.error();
    return PointBeside(*lease, *uri, 0);
  };
  auto point = point_as(false);
  if (!point && point.error().symbol == "token_key" && !uri->pin_source.empty()) point = point_as(true);
  return point;
}

std::vector<TokenState> LookAtTokens() {
  std::vector<TokenState> states;
  for (const auto& token : Token::All()) {
    const auto looked = token->Look();
    states.push_back({token->name(), looked ? "" : looked.error().message});
  }
  return states;
}

}  // namespace registry::keys
