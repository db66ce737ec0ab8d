#include "bridge/signing/private_key.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bridge/signing/file_write.h"
#include "workers/crypto/owned.h"
#include "workers/crypto/p256.h"

namespace registry::signing {
namespace {

using OwnedBio = crypto::Owned<BIO, BIO_free_all>;

constexpr std::size_t kKeyFileMax = 16 * 1024;

Error Refuse(std::string_view symbol, const std::string& message) {
  crypto::Failed();
  return Error::Make(Code::kFailed, symbol, message);
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Judged on the open descriptor, so that the file judged is the file read.
Status CheckAccess(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return Refuse("key_file_missing", path + ": " + std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return Refuse("key_file_invalid", path + " is not a regular file");
  if (info.st_uid != geteuid()) {
    return Refuse("key_file_owner", path + " belongs to user id " + std::to_string(info.st_uid) +
                                        ", this process runs as " + std::to_string(geteuid()) + ": chown it");
  }
  if ((info.st_mode & 0077) != 0) {
    return Refuse("key_file_permissions", path + " can be used by others than its owner: chmod 600 it");
  }
  return Done{};
}

Result<Bytes> ReadKeyFile(const std::string& path) {
  const OpenFile file(path);
  if (file.fd() < 0) return Refuse("key_file_missing", path + ": " + std::strerror(errno));
  if (auto access = CheckAccess(file.fd(), path); !access) return access.error();
  Bytes content(kKeyFileMax + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(file.fd(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Refuse("key_file_missing", path + ": " + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kKeyFileMax) return Refuse("key_file_invalid", path + " is too large for a private key");
  content.resize(size);
  return content;
}

// An encrypted key would make OpenSSL ask on the terminal of a server that has none.
int NoPassphrase(char*, int, int, void*) { return -1; }

// Empty when the key has no point or says it in another form.
Bytes PointOf(const EVP_PKEY* key) {
  Bytes point(crypto::kPointSize);
  std::size_t size = 0;
  const bool got = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(),
                                                   point.size(), &size) == 1;
  return got && size == point.size() ? point : Bytes();
}

bool IsP256(const EVP_PKEY* key) {
  char group[32] = {};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::strcmp(group, "prime256v1") == 0;
}

}  // namespace

Result<PrivateKey> PrivateKey::Generate() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  if (!key) return Refuse("key_file_invalid", "OpenSSL cannot generate a P-256 key");
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::Load(const std::string& file) {
  auto content = ReadKeyFile(file);
  if (!content) return content.error();
  const OwnedBio bio(BIO_new_mem_buf(content->data(), static_cast<int>(content->size())));
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr),
                                EVP_PKEY_free);
  OPENSSL_cleanse(content->data(), content->size());
  if (!key) return Refuse("key_file_invalid", file + " holds no unencrypted PEM private key");
  if (!IsP256(key.get())) return Refuse("key_type", file + " is not a P-256 key");
  if (!crypto::IsOnP256(PointOf(key.get())))
    return Refuse("key_file_invalid", file + " holds no valid public point");
  return PrivateKey(std::move(key));
}

Status PrivateKey::Save(const std::string& file) const {
  const OwnedBio bio(BIO_new(BIO_s_secmem()));
  const bool written =
      bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!written) return Refuse("key_file_invalid", "OpenSSL cannot write the key");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return CreateFile(file, std::string_view(text, static_cast<std::size_t>(size)), 0600);
}

Bytes PrivateKey::point() const { return PointOf(key_.get()); }

}  // namespace registry::signing
