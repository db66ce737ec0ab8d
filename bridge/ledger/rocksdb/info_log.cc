#include "bridge/ledger/rocksdb/info_log.h"

#include <cstdio>

namespace registry::ledger {
namespace {

// RocksDB ends some of its lines, and some it does not.
std::string Trimmed(std::string_view text) {
  const auto end = text.find_last_not_of(" \r\n");
  return std::string(text.substr(0, end == text.npos ? 0 : end + 1));
}

class InfoLog final : public rocksdb::Logger {
 public:
  explicit InfoLog(LogLine line) : rocksdb::Logger(rocksdb::WARN_LEVEL), line_(std::move(line)) {}

  __attribute__((format(printf, 2, 0))) void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
  }
  void LogHeader(const char*, va_list) override {}
  // Its format is RocksDB's own, as printf's: the attribute has the compiler hold the calls to it.
  __attribute__((format(printf, 3, 0))) void Logv(const rocksdb::InfoLogLevel level, const char* format,
                                                  va_list arguments) override {
    if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level > rocksdb::InfoLogLevel::FATAL_LEVEL) return;
    char text[1024];
    if (std::vsnprintf(text, sizeof(text), format, arguments) < 0) return;
    // Each checkpoint, and so each backup, stops and starts deletions: RocksDB warns of it, and it is no trouble.
    // The place in its source stands before the words.
    const bool everyday = std::string_view(text).find("] File Deletions ") != std::string_view::npos;
    const int as = everyday                                     ? Level::kInfo
                   : level == rocksdb::InfoLogLevel::WARN_LEVEL ? Level::kWarning
                                                                : Level::kError;
    line_(as, "RocksDB: " + Trimmed(text));
  }

 private:
  const LogLine line_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> NewInfoLog(LogLine line) {
  return std::make_shared<InfoLog>(std::move(line));
}

}  // namespace registry::ledger
