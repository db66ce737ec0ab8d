#include "clients/follow/position_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "clients/follow/unguessable.h"
#include "schemas/base/descriptor.h"

namespace registry::follow {
namespace {

using nlohmann::json;

std::string Why(const std::string& path) { return path + ": " + std::strerror(errno); }

bool WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(file, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

std::string TextMember(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string PositionFile::Open(const std::string& party) {
  std::error_code error;
  if (!std::filesystem::exists(path_, error) && !error) {
    party_ = party;
    client_id_ = party + "-" + Unguessable();
    return Store(0);
  }
  std::ifstream file(path_);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? Read(text.str(), party) : Why(path_);
}

std::string PositionFile::Read(const std::string& text, const std::string& party) {
  const json kept = json::parse(text, nullptr, false);
  party_ = TextMember(kept, "party");
  client_id_ = TextMember(kept, "clientId");
  const std::string applied = TextMember(kept, "applied");
  const auto [end, fault] = std::from_chars(applied.data(), applied.data() + applied.size(), applied_);
  if (party_.empty() || client_id_.empty() || applied.empty() || fault != std::errc() ||
      end != applied.data() + applied.size()) {
    return path_ + " is no position file: party, clientId or applied is missing";
  }
  return party_ == party ? std::string() : path_ + " is the position of " + party_ + ", not of " + party;
}

std::string PositionFile::Store(std::uint64_t applied) {
  const std::string fresh = path_ + ".new";
  const json kept = {{"party", party_}, {"clientId", client_id_}, {"applied", std::to_string(applied)}};
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.fd() < 0 || !WriteAll(file.fd(), kept.dump() + "\n") || ::fsync(file.fd()) != 0) return Why(fresh);
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) return Why(path_);
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const Descriptor parent(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.fd() < 0 || ::fsync(parent.fd()) != 0) return Why(folder);
  applied_ = applied;
  return {};
}

}  // namespace registry::follow
