// bridge/ledger/rocksdb/torn_tail.h: the last record of the newest log that is there in part: what a file that had grown
// before its octets were written shows after a power cut. RocksDB does not open over it, since it could as well be damage
// to something acknowledged; a person decides (open.h, DropTornTail).
// Private to this folder. Plain functions; nothing here writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace registry::ledger {

struct LogEnd {
  std::size_t whole = 0;         // octets of whole records from the beginning
  bool damaged = false;          // what follows is neither the end, nor zeros, nor a record cut short
  bool readable_behind = false;  // a later record is whole: no torn tail
};
// Of a log in RocksDB's format: blocks of 32 KiB with records of crc:u32le length:u16le type:u8 payload.
LogEnd FindLogEnd(std::string_view log);

std::optional<std::string> NewestLog(const std::string& folder);  // its path
std::string LogContents(const std::string& path);
// A sentence's end that names the command, when a torn tail is what keeps the folder from opening; else empty.
std::string HintAtTornTail(const std::string& folder);

}  // namespace registry::ledger
