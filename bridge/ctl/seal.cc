#include "bridge/ctl/seal.h"

#include <fcntl.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bridge/secret_file.h"
#include "schemas/base/check.h"
#include "schemas/base/descriptor.h"

namespace registry::ctl {
namespace {

constexpr unsigned kFlags = CMS_BINARY | CMS_STREAM | CMS_PARTIAL;
constexpr int kIterations = 600'000;  // of PBKDF2
constexpr std::size_t kKeyFileMax = std::size_t{1} << 16;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Cms = std::unique_ptr<CMS_ContentInfo, decltype(&CMS_ContentInfo_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Error FromOpenSsl(std::string_view symbol, const std::string& doing) {
  const char* why = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Error::Make(Code::kFailed, symbol, doing + (why == nullptr ? "" : std::string(": ") + why));
}

Error CannotBe(const std::string& path) {
  return Error::Make(Code::kFailed, "file_failed", path + ": " + std::strerror(errno));
}

// OpenSSL 3.0 encrypts no empty content with AES-GCM. There is nothing in it to keep from anybody.
bool IsEmpty(const std::string& file) {
  struct stat is {};
  return ::stat(file.c_str(), &is) == 0 && is.st_size == 0;
}

Bio ReadBio(std::string_view octets) {
  return {BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())), BIO_free_all};
}

// Its first line.
Result<Secret> ReadPassphrase(const std::string& file) {
  auto read = ReadSecret(file, 1024);
  if (!read.ok()) return Error::Make(Code::kFailed, "passphrase_invalid", read.why);
  const std::size_t end = std::min(read.secret.text().find('\n'), read.secret.size());
  if (end < kPassphraseMin)
    return Error::Make(Code::kFailed, "passphrase_invalid",
                       file + ": a passphrase has at least " + std::to_string(kPassphraseMin) + " octets");
  read.secret.Shorten(end);
  return std::move(read.secret);
}

// CMS_RecipientInfo_set0_password and its like take what OPENSSL_free frees.
unsigned char* CopyOf(const Secret& secret) {
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(secret.data(), secret.size()));
  REG_CHECK(copy != nullptr);
  return copy;
}

class CmsSeal : public Seal {
 public:
  Result<std::string> Close(std::string_view content) const override {
    const Bio out(BIO_new(BIO_s_mem()), BIO_free_all);
    if (auto written = Write(ReadBio(content).get(), out.get(), "the keys"); !written) return written.error();
    char* octets = nullptr;
    const long size = BIO_get_mem_data(out.get(), &octets);
    return std::string(octets, static_cast<std::size_t>(size));
  }

  Status CloseFile(const std::string& from, const std::string& to) const override {
    const Bio in(BIO_new_file(from.c_str(), "rb"), BIO_free_all);
    if (!in) return CannotBe(from);
    const Descriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd() < 0) return CannotBe(to);
    const Bio out(BIO_new_fd(file.fd(), BIO_NOCLOSE), BIO_free_all);
    if (IsEmpty(from)) return Done{};
    if (auto written = Write(in.get(), out.get(), to); !written) return written;
    return ::fsync(file.fd()) == 0 ? Status(Done{}) : Status(CannotBe(to));
  }

 private:
  virtual bool AddRecipient(CMS_ContentInfo* cms) const = 0;

  Status Write(BIO* in, BIO* out, const std::string& what) const {
    const Cms cms(CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()), CMS_ContentInfo_free);
    const bool sealed = cms && AddRecipient(cms.get()) &&
                        i2d_CMS_bio_stream(out, cms.get(), in, static_cast<int>(kFlags)) == 1;
    if (sealed) return Done{};
    return FromOpenSsl("seal_failed", what + " cannot be encrypted");
  }
};

class CertificateSeal final : public CmsSeal {
 public:
  explicit CertificateSeal(Certificate certificate) : certificate_(std::move(certificate)) {}
  std::string kind() const override { return "certificate"; }

 private:
  bool AddRecipient(CMS_ContentInfo* cms) const override {
    return CMS_add1_recipient_cert(cms, certificate_.get(), 0) != nullptr;
  }
  const Certificate certificate_;
};

class PassphraseSeal final : public CmsSeal {
 public:
  explicit PassphraseSeal(Secret passphrase) : passphrase_(std::move(passphrase)) {}
  std::string kind() const override { return "passphrase"; }

 private:
  bool AddRecipient(CMS_ContentInfo* cms) const override {
    return CMS_add0_recipient_password(cms, kIterations, NID_id_alg_PWRI_KEK, NID_undef, CopyOf(passphrase_),
                                       static_cast<ossl_ssize_t>(passphrase_.size()),
                                       EVP_aes_256_cbc()) != nullptr;
  }
  const Secret passphrase_;
};

class CmsOpener : public Opener {
 public:
  Result<std::string> Open(const std::string& sealed_file) const override {
    const Bio out(BIO_new(BIO_s_mem()), BIO_free_all);
    if (auto read = Read(sealed_file, out.get()); !read) return read.error();
    char* octets = nullptr;
    const long size = BIO_get_mem_data(out.get(), &octets);
    std::string opened(octets, static_cast<std::size_t>(size));
    OPENSSL_cleanse(octets, opened.size());
    return opened;
  }

  Status OpenFile(const std::string& from, const std::string& to) const override {
    const Descriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd() < 0) return CannotBe(to);
    const Bio out(BIO_new_fd(file.fd(), BIO_NOCLOSE), BIO_free_all);
    if (IsEmpty(from)) return Done{};
    if (auto read = Read(from, out.get()); !read) return read;
    return ::fsync(file.fd()) == 0 ? Status(Done{}) : Status(CannotBe(to));
  }

 private:
  virtual bool Use(CMS_ContentInfo* cms) const = 0;

  Status Read(const std::string& from, BIO* out) const {
    const Bio in(BIO_new_file(from.c_str(), "rb"), BIO_free_all);
    if (!in) return CannotBe(from);
    const Cms cms(d2i_CMS_bio(in.get(), nullptr), CMS_ContentInfo_free);
    const bool read =
        cms && Use(cms.get()) && CMS_decrypt(cms.get(), nullptr, nullptr, nullptr, out, CMS_BINARY) == 1;
    if (read) return Done{};
    return FromOpenSsl("seal_failed", from + ": it is for another reader, or not what was encrypted");
  }
};

class KeyOpener final : public CmsOpener {
 public:
  explicit KeyOpener(Key key) : key_(std::move(key)) {}

 private:
  bool Use(CMS_ContentInfo* cms) const override {
    return CMS_decrypt_set1_pkey(cms, key_.get(), nullptr) == 1;
  }
  const Key key_;
};

class PassphraseOpener final : public CmsOpener {
 public:
  explicit PassphraseOpener(Secret passphrase) : passphrase_(std::move(passphrase)) {}

 private:
  bool Use(CMS_ContentInfo* cms) const override {
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> copy(
        CopyOf(passphrase_), [](unsigned char* octets) { OPENSSL_free(octets); });
    return CMS_decrypt_set1_password(cms, copy.get(), static_cast<ossl_ssize_t>(passphrase_.size())) == 1;
  }
  const Secret passphrase_;
};

}  // namespace

Result<std::unique_ptr<Seal>> Seal::ToCertificate(const std::string& pem_file) {
  const Bio in(BIO_new_file(pem_file.c_str(), "rb"), BIO_free_all);
  Certificate certificate(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
  if (!certificate) return FromOpenSsl("recipient_invalid", pem_file + ": no certificate in PEM");
  return std::unique_ptr<Seal>(new CertificateSeal(std::move(certificate)));
}

Result<std::unique_ptr<Seal>> Seal::UnderPassphrase(const std::string& file) {
  auto passphrase = ReadPassphrase(file);
  if (!passphrase) return passphrase.error();
  return std::unique_ptr<Seal>(new PassphraseSeal(std::move(*passphrase)));
}

Result<std::unique_ptr<Opener>> Opener::WithKey(const std::string& pem_file) {
  const auto read = ReadSecret(pem_file, kKeyFileMax);
  if (!read.ok()) return Error::Make(Code::kFailed, "recipient_invalid", read.why);
  Key key(PEM_read_bio_PrivateKey(ReadBio(read.secret.text()).get(), nullptr, nullptr, nullptr),
          EVP_PKEY_free);
  if (!key) return FromOpenSsl("recipient_invalid", pem_file + ": no private key in PEM");
  return std::unique_ptr<Opener>(new KeyOpener(std::move(key)));
}

Result<std::unique_ptr<Opener>> Opener::WithPassphrase(const std::string& file) {
  auto passphrase = ReadPassphrase(file);
  if (!passphrase) return passphrase.error();
  return std::unique_ptr<Opener>(new PassphraseOpener(std::move(*passphrase)));
}

}  // namespace registry::ctl
