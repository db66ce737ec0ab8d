// Attacked: the port of an ASP where devices knock. The first octet says with what: 0 octets in place of a TLS handshake;
// 1 a greeting behind a good handshake with a stranger's certificate; 2 a certificate, judged alone.
// A fault: a crash; anybody welcomed; a connection whose end is not told.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

#include "simulators/asp/tls_server.h"
#include "tests/fuzz/alarm.h"
#include "tests/fuzz/input.h"
#include "tests/support/device_ca.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::sim {
namespace {

class Front {
  OwnDevices own_;  // of nobody yet

 public:
  Front() {
    std::signal(SIGPIPE, SIG_IGN);
    fuzz::GoOnAfterAlarms();
    const auto& ca = test::Ca();
    const auto key = signing::PrivateKey::Generate();
    REG_CHECK(key->Save(files_.path("server.key")).ok());
    WritePem("server.pem", *signing::CreateServerCertificate(ca.issuing, *key, {"asp.test"}, {ca.now}));
    check = *ClientCheck::Create({ca.root.certificate, ca.issuing.certificate, {"iotregistry.test"}}, &own_,
                                 nullptr);
    TlsServerOptions options;
    options.certificate_file = files_.path("server.pem");
    options.key_file = files_.path("server.key");
    options.threads = 1;
    server_ = *TlsServer::Start(options, *check, [this](const TlsSession& session) { Tell(session); });
    client_ = SSL_CTX_new(TLS_client_method());
    REG_CHECK(SSL_CTX_use_certificate_file(client_, options.certificate_file.c_str(), SSL_FILETYPE_PEM) ==
                  1 &&
              SSL_CTX_use_PrivateKey_file(client_, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1);
  }
  ~Front() { SSL_CTX_free(client_); }

  int Dial() const {
    const int dialled = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REG_CHECK(connect(dialled, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return dialled;
  }
  void Octets(const Bytes& octets) {
    const int dialled = Dial();
    (void)send(dialled, octets.data(), octets.size(), MSG_NOSIGNAL);
    shutdown(dialled, SHUT_WR);
    Await();
    close(dialled);
  }
  void Greeting(const Bytes& octets) {
    const int dialled = Dial();
    SSL* const tls = SSL_new(client_);
    SSL_set_fd(tls, dialled);
    REG_CHECK(SSL_connect(tls) == 1);
    if (!octets.empty()) (void)SSL_write(tls, octets.data(), static_cast<int>(octets.size()));
    SSL_shutdown(tls);
    shutdown(dialled, SHUT_WR);
    Await();
    SSL_free(tls);
    close(dialled);
    ERR_clear_error();
  }

  std::unique_ptr<ClientCheck> check;

 private:
  void WritePem(const std::string& name, const Bytes& der) const {
    std::ofstream(files_.path(name)) << ToPem("CERTIFICATE", der);
  }
  void Tell(const TlsSession& session) {
    const std::lock_guard lock(mutex_);
    REG_CHECK(!session.reason.empty());
    told_ = true;
    changed_.notify_one();
  }
  void Await() {
    std::unique_lock lock(mutex_);
    REG_CHECK(changed_.wait_for(lock, std::chrono::seconds(20), [this] { return told_; }));
    told_ = false;
  }

  zone::testing::ZoneFiles files_;  // a folder that goes with the process
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;  // guarded by mutex_
  std::unique_ptr<TlsServer> server_;
  SSL_CTX* client_ = nullptr;
};

// Nothing here is both named like a device and issued by the registry, so nothing comes to a look-up.
void JudgeCertificate(const ClientCheck& check, const Bytes& der) {
  const std::uint8_t* at = der.data();
  X509* const certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  if (certificate != nullptr) {
    const auto name = check.NameOf(certificate);
    REG_CHECK(!name || name->ends_with("._device.iotregistry.test"));
    REG_CHECK(!check.Check(certificate, name ? *name : "").ok());
  }
  X509_free(certificate);
  ERR_clear_error();
}

}  // namespace
}  // namespace registry::sim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static registry::sim::Front front;
  registry::fuzz::Input input(data, size);
  const int how = input.Octet() % 3;
  const registry::Bytes octets = input.Rest();
  if (how == 0) front.Octets(octets);
  if (how == 1) front.Greeting(octets);
  if (how == 2) registry::sim::JudgeCertificate(*front.check, octets);
  return 0;
}
