#include "bridge/ledger/rocksdb/torn_tail.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bridge/ledger/crc32c.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBlock = 32768, kHeader = 7;
enum Type : std::uint8_t { kZero = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

std::uint32_t U32le(std::string_view in) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(in[i]);
  return value;
}

// A checksum of data that holds checksums is stored turned and shifted.
std::uint32_t Masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

enum class Found { kWhole, kCutShort, kNone };
struct Fragment {
  Found found = Found::kNone;
  std::uint8_t type = kZero;
  std::size_t end = 0;
};

Fragment FragmentAt(std::string_view log, std::size_t at) {
  const std::size_t room = std::min(kBlock - at % kBlock, log.size() - at);
  if (room < kHeader) return {Found::kCutShort, kZero, 0};
  const std::string_view in = log.substr(at, room);
  const std::size_t length =
      static_cast<std::uint8_t>(in[4]) | static_cast<std::size_t>(static_cast<std::uint8_t>(in[5])) << 8;
  const auto type = static_cast<std::uint8_t>(in[6]);
  if (type < kFull || type > kLast) return {};
  if (kHeader + length > room) return {at + room == log.size() ? Found::kCutShort : Found::kNone, type, 0};
  if (U32le(in) != Masked(Crc32c(in.substr(6, 1 + length)))) return {};
  return {Found::kWhole, type, at + kHeader + length};
}

std::size_t PastTrailer(std::size_t at) {
  const std::size_t left = kBlock - at % kBlock;
  return left < kHeader ? at + left : at;
}

// A later fragment that ends the damaged record itself is no other record.
bool BeginsBehind(std::string_view log, std::size_t from) {
  for (std::size_t at = from; at + kHeader <= log.size(); ++at) {
    if (log[at + 6] != kFull && log[at + 6] != kFirst) continue;
    if (FragmentAt(log, at).found == Found::kWhole) return true;
  }
  return false;
}

}  // namespace

std::string LogContents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

LogEnd FindLogEnd(std::string_view log) {
  LogEnd end;
  for (std::size_t at = 0; at < log.size();) {
    at = PastTrailer(at);
    if (at >= log.size() || log.find_first_not_of('\0', at) == log.npos) return end;
    const Fragment fragment = FragmentAt(log, at);
    if (fragment.found == Found::kCutShort) return end;
    if (fragment.found == Found::kNone) {
      end.damaged = true;
      end.readable_behind = BeginsBehind(log, at + 1);
      return end;
    }
    at = fragment.end;
    if (fragment.type == kFull || fragment.type == kLast) end.whole = at;
  }
  return end;
}

std::optional<std::string> NewestLog(const std::string& folder) {
  std::error_code ignored;
  std::string newest;
  for (const auto& file : fs::directory_iterator(folder, ignored)) {
    const std::string path = file.path();
    if (path.ends_with(".log") && path > newest) newest = path;  // numbers of six digits sort as text
  }
  return newest.empty() ? std::nullopt : std::optional(newest);
}

std::string HintAtTornTail(const std::string& folder) {
  const auto log = NewestLog(folder);
  if (!log) return "";
  const LogEnd end = FindLogEnd(LogContents(*log));
  if (!end.damaged || end.readable_behind) return "";
  return ". The last record of " + *log +
         " is there in part only, as a power cut leaves it: registryctl ledger drop-torn-tail --ledger " +
         folder + " says what it holds and drops it";
}

}  // namespace registry::ledger
