#include "bridge/app/http_tls.h"

namespace registry::app {
namespace {

std::filesystem::file_time_type TimeOf(const std::string& file) {
  std::error_code none;
  return file.empty() ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(file, none);
}

}  // namespace

Result<std::shared_ptr<HttpTls>> HttpTls::Load(TlsServerFiles files) {
  std::shared_ptr<HttpTls> tls(new HttpTls(std::move(files)));
  tls->crl_time_ = TimeOf(tls->files_.client_crl);
  auto made = MakeTlsServer(tls->files_);
  if (!made) return made.error();
  tls->context_ = std::move(*made);
  return tls;
}

HttpTls::Context HttpTls::Current(std::chrono::steady_clock::time_point now, const LogLine& log) const {
  if (files_.client_crl.empty() || now - looked_ < kCrlLookEvery) return context_;
  looked_ = now;
  const auto time = TimeOf(files_.client_crl);
  if (time == crl_time_) return context_;
  auto made = MakeTlsServer(files_);
  if (!made) {
    log.Error("the list of withdrawn parties stays as it was read before: " + made.error().message);
    return context_;
  }
  crl_time_ = time;
  context_ = std::move(*made);
  return context_;
}

}  // namespace registry::app
