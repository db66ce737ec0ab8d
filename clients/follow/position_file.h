// clients/follow/position_file.h: how far a follower has come, and its client id, in a file that is replaced as a whole.
// Format: {"party","clientId","applied"}, the number as a text; the followers in Python and JavaScript read the same.
// Threads: as the owner's. Durable: when Store returns, the file and then its name are synced (fsync(2)).
// Errors: a text that names the file. A file that cannot be read is never taken for a new one.
#pragma once

#include <cstdint>
#include <string>

namespace registry::follow {

class PositionFile {
 public:
  explicit PositionFile(std::string path) : path_(std::move(path)) {}
  // Reads it, or makes it with a client id that nobody guesses. Empty, or what is wrong.
  std::string Open(const std::string& party);
  std::string Store(std::uint64_t applied);  // likewise
  std::uint64_t applied() const { return applied_; }
  const std::string& client_id() const { return client_id_; }
  const std::string& path() const { return path_; }

 private:
  std::string Read(const std::string& text, const std::string& party);

  const std::string path_;
  std::string party_, client_id_;
  std::uint64_t applied_ = 0;
};

}  // namespace registry::follow
