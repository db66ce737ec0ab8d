#include "bridge/mqtt/tls_policy.h"

#include <openssl/conf.h>
#include <openssl/ssl.h>

#include <memory>

namespace registry::mqtt {
namespace {

constexpr char kPolicy[] =
    "openssl_conf = registry\n"
    "[registry]\n"
    "ssl_conf = registry_ssl\n"
    "[registry_ssl]\n"
    "system_default = registry_default\n"
    "[registry_default]\n"
    "MinProtocol = TLSv1.3\n"
    "CipherString = DEFAULT:@SECLEVEL=2\n";  // 2 is Debian's own default, which this section replaces

Status Load() {
  // The system's configuration first, or it would be loaded later and win.
  if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr) != 1) {
    return Error::Make(Code::kFailed, "tls_policy", "OpenSSL did not start");
  }
  OPENSSL_load_builtin_modules();
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new_mem_buf(kPolicy, -1), BIO_free);
  const std::unique_ptr<CONF, decltype(&NCONF_free)> conf(NCONF_new(nullptr), NCONF_free);
  long line = 0;
  if (!text || !conf || NCONF_load_bio(conf.get(), text.get(), &line) != 1 ||
      CONF_modules_load(conf.get(), nullptr, 0) != 1) {
    return Error::Make(Code::kFailed, "tls_policy", "OpenSSL refused the TLS 1.3 policy");
  }
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> probe(SSL_CTX_new(TLS_client_method()),
                                                                SSL_CTX_free);
  if (!probe || SSL_CTX_get_min_proto_version(probe.get()) != TLS1_3_VERSION) {
    return Error::Make(Code::kFailed, "tls_policy", "OpenSSL did not take over the TLS 1.3 policy");
  }
  return Done{};
}

}  // namespace

Status RequireTls13() {
  static const Status status = Load();
  return status;
}

}  // namespace registry::mqtt
