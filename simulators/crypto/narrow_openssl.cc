#include "simulators/crypto/narrow_openssl.h"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

namespace registry::sim {
namespace {

constexpr const char* kName = "narrow";

// What is left of each operation, by first names; of an operation that is not here, everything. Besides what TLS 1.3, its
// tickets and its certificates use there are here for CMS (RFC 5753, RFC 5083) X963KDF and the key wraps, and for NSEC3
// (RFC 5155) SHA-1; and for a card's AES-CMAC (NIST SP 800-38B) that and AES-128-CBC.
struct Choice {
  int operation;
  std::vector<std::string_view> names;
};
const std::vector<Choice>& Choices() {
  static const std::vector<Choice> choices = {
      {OSSL_OP_KEYMGMT, {"EC", "RSA", "RSA-PSS", "ED25519", "ED448", "X25519", "HKDF", "HMAC", "TLS1-PRF"}},
      {OSSL_OP_DECODER, {"EC", "RSA", "ED25519", "ED448", "DER"}},
      {OSSL_OP_SIGNATURE, {"ECDSA", "RSA", "ED25519", "ED448", "HMAC"}},
      {OSSL_OP_KEYEXCH, {"ECDH", "X25519", "HKDF", "TLS1-PRF"}},
      {OSSL_OP_ASYM_CIPHER, {"RSA"}},
      {OSSL_OP_KEM, {"RSA"}},
      {OSSL_OP_DIGEST, {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512", "SHAKE-256"}},
      {OSSL_OP_MAC, {"HMAC", "CMAC"}},
      {OSSL_OP_KDF, {"HKDF", "TLS13-KDF", "TLS1-PRF", "X963KDF"}},
      {OSSL_OP_CIPHER,
       {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-128-WRAP", "AES-256-WRAP", "AES-128-CBC",
        "AES-256-CBC", "AES-256-CTR"}}};
  return choices;
}
// The same decoders under a second name, and formats nobody here writes.
constexpr std::string_view kNotNeeded[] = {"structure=ec", "structure=rsa", "input=msblob", "input=pvk"};

// What the narrow provider lends out is the default provider's own.
struct Lent {
  OSSL_PROVIDER* provider = nullptr;
  OSSL_PROVIDER* narrow = nullptr;                    // for the life of the process
  std::map<int, std::vector<OSSL_ALGORITHM>> chosen;  // by operation
};

Lent& TheLent() {
  static Lent lent;
  return lent;
}

bool Kept(const OSSL_ALGORITHM& algorithm, const std::vector<std::string_view>& names) {
  const std::string_view all = algorithm.algorithm_names, properties = algorithm.property_definition;
  const std::string_view name = all.substr(0, all.find(':'));
  return std::find(names.begin(), names.end(), name) != names.end() &&
         std::none_of(std::begin(kNotNeeded), std::end(kNotNeeded),
                      [&](std::string_view property) { return properties.ends_with(property); });
}

std::vector<OSSL_ALGORITHM> Chosen(OSSL_PROVIDER* provider, const Choice& choice) {
  std::vector<OSSL_ALGORITHM> chosen;
  int no_cache = 0;
  const OSSL_ALGORITHM* at = OSSL_PROVIDER_query_operation(provider, choice.operation, &no_cache);
  for (; at != nullptr && at->algorithm_names != nullptr; ++at) {
    if (Kept(*at, choice.names)) chosen.push_back(*at);
  }
  chosen.push_back({});  // the end
  return chosen;
}

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  const auto found = TheLent().chosen.find(operation);
  if (found == TheLent().chosen.end())
    return OSSL_PROVIDER_query_operation(TheLent().provider, operation, no_cache);
  *no_cache = 0;
  return found->second.data();
}

// The groups of TLS for one: libssl leaves out those whose keys are not there.
int Capabilities(void*, const char* capability, OSSL_CALLBACK* take, void* argument) {
  return OSSL_PROVIDER_get_capabilities(TheLent().provider, capability, take, argument);
}

int Begin(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions, void** context) {
  static const OSSL_DISPATCH kFunctions[] = {
      {OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<void (*)()>(&Query)},
      {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<void (*)()>(&Capabilities)},
      {0, nullptr}};
  *functions = kFunctions;
  *context = OSSL_PROVIDER_get0_provider_ctx(TheLent().provider);
  return 1;
}

bool Borrow(Lent& lent) {
  OSSL_LIB_CTX* const own = OSSL_LIB_CTX_new();
  lent.provider = own == nullptr ? nullptr : OSSL_PROVIDER_load(own, "default");
  if (lent.provider == nullptr) return false;
  for (const Choice& choice : Choices()) lent.chosen[choice.operation] = Chosen(lent.provider, choice);
  return true;
}

}  // namespace

bool NarrowOpenssl() {
  // A provider that is loaded by name takes the place of the default one, which comes by itself only where none is.
  Lent& lent = TheLent();
  const bool ready = Borrow(lent) && OSSL_PROVIDER_add_builtin(nullptr, kName, &Begin) == 1;
  if (ready) lent.narrow = OSSL_PROVIDER_load(nullptr, kName);
  const bool narrowed = lent.narrow != nullptr;
  if (!narrowed) ERR_clear_error();
  return narrowed;
}

}  // namespace registry::sim
