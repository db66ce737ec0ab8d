#include "bridge/zone/key_set_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "bridge/keys/key_source.h"
#include "bridge/secret_file.h"
#include "bridge/signing/file_write.h"
#include "bridge/zone/key_generate.h"
#include "bridge/zone/keys.h"
#include "schemas/base/descriptor.h"

namespace registry::zone {
namespace {

constexpr std::size_t kKeySetMax = 64 * 1024;
constexpr std::chrono::milliseconds kLockWait{5000}, kLockLook{5};  // flock(2) knows no deadline
constexpr int kTagsTried = 100;

Error FileFailed(const std::string& path) {
  return Error::Make(Code::kFailed, "file_failed", path + ": " + std::strerror(errno));
}

Result<std::optional<std::string>> TextOf(const SecretRead& read, const std::string& path) {
  if (read.ok()) return std::optional(std::string(read.secret.text()));
  if (read.trouble == SecretTrouble::kMissing) {
    // Missing is also said of what may not be opened: then it is there, and must not be replaced by a first one.
    if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::optional<std::string>();
    return Error::Make(Code::kFailed, "zone_key_unreadable", "the zone's key set " + read.why);
  }
  const bool exposed = read.trouble == SecretTrouble::kExposed || read.trouble == SecretTrouble::kOwner;
  return Error::Make(Code::kFailed, exposed ? "zone_key_exposed" : "zone_key_unreadable",
                     "the zone's key set " + read.why);
}

// Given back with the descriptor.
Result<Descriptor> LockFolder(const std::string& folder) {
  Descriptor held(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (held.fd() < 0 || fstat(held.fd(), &info) != 0) return FileFailed(folder);
  // What another user makes in it, root too, the registry's user could not read or replace.
  if (info.st_uid != geteuid())
    return Error::Make(Code::kFailed, "file_failed", WrongOwner(folder, info.st_uid));
  const auto until = std::chrono::steady_clock::now() + kLockWait;
  while (flock(held.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return FileFailed(folder);
    if (std::chrono::steady_clock::now() >= until)
      return Error::Make(Code::kFailed, "folder_locked", folder + ": somebody else changes the zone's keys");
    std::this_thread::sleep_for(kLockLook);
  }
  return held;
}

std::string FreshPath(const std::string& folder, KeyRole role) {
  return folder + "/new-" + std::string(NameOf(role)) + ".pem";
}

std::string NameOfMade(KeyRole role, std::uint16_t tag) {
  return std::string(NameOf(role)) + "-" + std::to_string(tag) + ".pem";
}

Result<ZoneKey> PublicOf(const std::string& file, KeyRole role) {
  return PublicZoneKey(file, SignsKeys(role) ? kKskFlags : kZskFlags);
}

// Relative when it lies in the folder, so that the folder can be moved or restored elsewhere.
std::string NameIn(const std::string& folder, const std::string& file) {
  if (IsTokenKey(file)) return file;
  const std::filesystem::path path(file);
  const std::string parent = path.parent_path().empty() ? "." : path.parent_path().string();
  std::error_code ignored;
  if (std::filesystem::equivalent(parent, folder, ignored)) return path.filename().string();
  return std::filesystem::absolute(path, ignored).string();
}

}  // namespace

Result<std::optional<std::string>> ReadKeySet(const std::string& path) {
  return TextOf(ReadSecret(path, kKeySetMax), path);
}

Result<std::optional<std::string>> ReadKeySetUnjudged(const std::string& path) {
  return TextOf(ReadUnjudged(path, kKeySetMax), path);
}

Result<Descriptor> HoldKeySet(const std::string& path) { return LockFolder(FolderOfKeySet(path)); }

Result<KeySet> ChangeKeySet(const std::string& path, const KeySetChange& change) {
  const auto held = HoldKeySet(path);
  if (!held) return held.error();
  const auto text = ReadKeySet(path);
  if (!text) return text.error();
  auto set = change(*text);
  if (!set) return set;
  // What the reader would refuse must not be written.
  if (auto read = KeySetFrom(ToText(*set)); !read) return read;
  if (auto written = signing::ReplaceFile(path, ToText(*set), 0600); !written) return written.error();
  return set;
}

Result<NewKey> MakeKey(const std::string& folder, KeyRole role, std::uint8_t algorithm,
                       const std::function<bool(std::uint16_t)>& known) {
  const std::string fresh = FreshPath(folder, role);
  for (int i = 0; i < kTagsTried; ++i) {
    if (unlink(fresh.c_str()) != 0 && errno != ENOENT) return FileFailed(fresh);
    if (auto made = CreateKeyFileOf(algorithm, fresh); !made) return made.error();
    const auto made_key = PublicOf(fresh, role);
    if (!made_key) return made_key.error();
    const std::uint16_t tag = made_key->tag;
    NewKey key{tag, NameOfMade(role, tag)};
    if (known(key.tag)) continue;
    // Not over a file that is there: it may be a key that somebody still needs.
    if (link(fresh.c_str(), KeyPath(folder, key.file).c_str()) != 0) {
      if (errno == EEXIST) continue;
      return FileFailed(KeyPath(folder, key.file));
    }
    return key;
  }
  return Error::Make(Code::kFailed, "file_failed", folder + ": no new key whose tag is free");
}

void SettleNewKeys(const std::string& folder, const KeySet& set) {
  for (const KeyRole role : {KeyRole::kKsk, KeyRole::kZsk, KeyRole::kCsk}) {
    const std::string fresh = FreshPath(folder, role);
    struct stat info {};
    if (lstat(fresh.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const auto key = PublicOf(fresh, role);
    if (key && !set.Knows(key->tag)) {
      const std::string made = KeyPath(folder, NameOfMade(role, key->tag));
      struct stat same {};
      if (lstat(made.c_str(), &same) == 0 && same.st_dev == info.st_dev && same.st_ino == info.st_ino)
        unlink(made.c_str());
    }
    unlink(fresh.c_str());
  }
}

bool IsTokenKey(const std::string& file) { return keys::IsKeyUri(file); }

std::string FolderOfKeySet(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

std::string KeyPath(const std::string& folder, const std::string& file) {
  return IsTokenKey(file) || std::filesystem::path(file).is_absolute() ? file : folder + "/" + file;
}

Result<KeySet> KeySetOfFiles(const std::string& folder, const std::string& ksk_file,
                             const std::string& zsk_file, UtcTime now) {
  const bool combined = zsk_file.empty() || zsk_file == ksk_file;
  KeySet set;
  const auto add = [&](KeyRole role, const std::string& file) -> Status {
    const auto key = PublicOf(file, role);
    if (!key) return key.error();
    set.keys.push_back({role, KeyState::kActive, key->tag, NameIn(folder, file), now, key->algorithm()});
    return Done{};
  };
  if (auto added = add(combined ? KeyRole::kCsk : KeyRole::kKsk, ksk_file); !added) return added.error();
  if (combined) return set;
  if (auto added = add(KeyRole::kZsk, zsk_file); !added) return added.error();
  if (set.keys[0].algorithm != set.keys[1].algorithm)
    return Error::Make(Code::kFailed, "zone_key_unsuitable",
                       "KSK and ZSK must be of one algorithm: " + ksk_file + " is of " +
                           AlgorithmText(set.keys[0].algorithm) + ", " + zsk_file + " of " +
                           AlgorithmText(set.keys[1].algorithm));
  return set;
}

}  // namespace registry::zone
