#include "bridge/signing/code_key.h"

#include "bridge/secret_file.h"
#include "workers/crypto/digest.h"

namespace registry::signing {
namespace {

constexpr std::size_t kFileMax = 1024, kSize = 32;

}  // namespace

Result<Secret> LoadCodeKey(const std::string& file) {
  const SecretRead read = ReadSecret(file, kFileMax);
  if (!read.ok()) {
    const bool exposed = read.trouble == SecretTrouble::kExposed || read.trouble == SecretTrouble::kOwner;
    std::string why = "the key of the authorisation codes " + read.why;
    if (read.trouble == SecretTrouble::kMissing) why += "; `registryctl authorisation key` makes one";
    return Error::Make(Code::kFailed, exposed ? "code_key_exposed" : "code_key_unreadable", why);
  }
  std::string_view base64 = read.secret.text();
  while (base64.ends_with('\n') || base64.ends_with('\r')) base64.remove_suffix(1);
  Secret key = SecretFromBase64(base64);
  if (key.size() == kSize) return key;
  return Error::Make(Code::kFailed, "code_key_invalid", "32 octets in base64 are needed: " + file);
}

Bytes DerivedKey(const Secret& key, std::string_view use) {
  return crypto::HmacSha256({key.data(), key.size()}, AsBytes(std::string(use)));
}

}  // namespace registry::signing
