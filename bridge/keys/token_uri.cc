#include "bridge/keys/token_uri.h"

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <cstdlib>

#include "bridge/keys/key_source.h"
#include "bridge/secret_file.h"

namespace registry::keys {
namespace {

constexpr std::string_view kScheme = "pkcs11:", kFile = "file:", kCredential = "credential:";
constexpr std::size_t kPinFileMax = 1024;

Error InvalidUri(std::string_view why) {
  return Error::Make(Code::kFailed, "key_uri_invalid", "the URI of a key in a token " + std::string(why));
}

Error NoPin(std::string_view why) { return Error::Make(Code::kFailed, "token_pin", why); }

const char* OrEmpty(const char* text) { return text == nullptr ? "" : text; }

Bytes AttributeOf(p11_kit_uri* uri, CK_ATTRIBUTE_TYPE type) {
  const CK_ATTRIBUTE* const found = p11_kit_uri_get_attribute(uri, type);
  if (found == nullptr || found->pValue == nullptr) return {};
  const auto* const octets = static_cast<const std::uint8_t*>(found->pValue);
  return {octets, octets + found->ulValueLen};
}

std::string TokenPart(p11_kit_uri* uri) {
  char* text = nullptr;
  if (p11_kit_uri_format(uri, P11_KIT_URI_FOR_TOKEN, &text) != P11_KIT_URI_OK) return "pkcs11:";
  const std::string whole(text);
  std::free(text);                          // NOLINT: p11-kit's malloc
  return whole.substr(0, whole.find('?'));  // what follows says how to reach it
}

bool IsPrivateOrAny(p11_kit_uri* uri) {
  const Bytes type = AttributeOf(uri, CKA_CLASS);
  CK_OBJECT_CLASS wanted = CKO_PRIVATE_KEY;
  return type.empty() || type == Bytes(reinterpret_cast<std::uint8_t*>(&wanted),
                                       reinterpret_cast<std::uint8_t*>(&wanted) + sizeof wanted);
}

bool ValidPinSource(std::string_view source) {
  if (source.starts_with(kFile)) return source.substr(kFile.size()).starts_with('/');
  if (!source.starts_with(kCredential)) return false;
  const std::string_view name = source.substr(kCredential.size());
  return !name.empty() && name.find('/') == std::string_view::npos && name != "." && name != "..";
}

std::string WhyUnfit(const TokenUri& uri) {
  p11_kit_uri* const parsed = uri.parsed.get();
  if (p11_kit_uri_get_pin_value(parsed) != nullptr)
    return "must not hold a PIN (pin-value): write it into a file and say pin-source=file:/path/of/it";
  if (p11_kit_uri_any_unrecognized(parsed) != 0) return "has an attribute that is not known";
  if (!uri.module_path.starts_with('/'))
    return "needs the PKCS#11 module's absolute path, as in ?module-path=/usr/lib/softhsm/libsofthsm2.so";
  if (uri.object.empty() && uri.id.empty()) return "must say which key: object=LABEL or id=%01";
  if (!IsPrivateOrAny(parsed)) return "must name a private key: leave `type` out, or say type=private";
  if (!uri.pin_source.empty() && !ValidPinSource(uri.pin_source))
    return "has a pin-source that is neither file:/absolute/path nor credential:NAME";
  return "";
}

}  // namespace

std::string TokenUri::KeyText() const {
  std::string text = object.empty() ? "" : "label '" + object + "'";
  if (!id.empty()) text += (text.empty() ? "id " : ", id ") + ToHex(id);
  return text;
}

bool IsKeyUri(std::string_view where) {
  if (where.size() < kScheme.size()) return false;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = where[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kScheme[i]) return false;
  }
  return true;
}

Result<TokenUri> ParseTokenUri(const std::string& text) {
  TokenUri uri;
  uri.parsed = {p11_kit_uri_new(), p11_kit_uri_free};
  const int read = p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.parsed.get());
  if (read != P11_KIT_URI_OK) return InvalidUri(std::string("cannot be read: ") + p11_kit_uri_message(read));
  uri.module_path = OrEmpty(p11_kit_uri_get_module_path(uri.parsed.get()));
  uri.pin_source = OrEmpty(p11_kit_uri_get_pin_source(uri.parsed.get()));
  const Bytes label = AttributeOf(uri.parsed.get(), CKA_LABEL);
  uri.object.assign(label.begin(), label.end());
  uri.id = AttributeOf(uri.parsed.get(), CKA_ID);
  uri.token = TokenPart(uri.parsed.get());
  if (const std::string why = WhyUnfit(uri); !why.empty()) return InvalidUri(why);
  return uri;
}

// The service manager guards what it hands over by itself, and lets root own it.
Result<Secret> ReadPin(const TokenUri& uri) {
  if (uri.pin_source.empty())
    return NoPin(uri.token + " asks for a PIN: say in the URI where it is, pin-source=file:/path");
  const bool in_file = uri.pin_source.starts_with(kFile);
  const std::string name = uri.pin_source.substr(in_file ? kFile.size() : kCredential.size());
  const char* const folder =
      std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (!in_file && folder == nullptr)
    return NoPin("no service manager hands over credentials, and pin-source is credential:" + name);
  SecretRead read =
      in_file ? ReadSecret(name, kPinFileMax) : ReadUnjudged(std::string(folder) + "/" + name, kPinFileMax);
  if (!read.ok()) return NoPin("the PIN's file " + read.why);
  std::size_t size = read.secret.size();
  while (size > 0 && (read.secret.text()[size - 1] == '\n' || read.secret.text()[size - 1] == '\r')) --size;
  if (size == 0) return NoPin("the PIN's file is empty: " + name);
  read.secret.Shorten(size);
  return read.secret;
}

}  // namespace registry::keys
