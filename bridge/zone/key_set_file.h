// bridge/zone/key_set_file.h: the file that holds the key set, and how registryd and registryctl change it in turns.
// The file is the old one or the new one, also after a power cut (bridge/signing/file_write.h), 0600. Who changes it
// holds its folder (flock(2)) for the moment in which it reads, changes and replaces; nobody holds it while it waits.
// A file that others may read or write is refused: what it says decides which keys sign.
// Errors: "zone_key_set_invalid", "zone_key_exposed", "zone_key_unreadable", "file_failed", "folder_locked" when
// somebody else has held the folder for 5 s. Threads: any; each call opens anew.
// Limits: local file systems; 64 KiB.
#pragma once

#include <functional>

#include "bridge/zone/key_set.h"
#include "schemas/base/descriptor.h"

namespace registry::zone {

// The text of the file as it is; nullopt when there is none.
Result<std::optional<std::string>> ReadKeySet(const std::string& path);
// The same for whoever may read it, whosever it is.
Result<std::optional<std::string>> ReadKeySetUnjudged(const std::string& path);

// `change` gets the text that is there now and answers the set to be there next; an error of it changes nothing.
using KeySetChange = std::function<Result<KeySet>(const std::optional<std::string>& text)>;
Result<KeySet> ChangeKeySet(const std::string& path, const KeySetChange& change);

// While it lives nobody changes the set, so that every key file that the set names stays: for whoever reads both as one.
// Hold it for moments: registryd waits for it with its next step.
Result<Descriptor> HoldKeySet(const std::string& path);

// A new key beside the set, 0600, as "zsk-12345.pem" after role and tag; no tag that `known` knows. Its name.
// The same file stays there as "new-zsk.pem", too (link(2)), until SettleNewKeys: so a key that no set came to name, because
// its maker ended in between, can be told from all other files.
struct NewKey {
  std::uint16_t tag = 0;
  std::string file;  // in the set's folder
};
Result<NewKey> MakeKey(const std::string& folder, KeyRole role, std::uint8_t algorithm,
                       const std::function<bool(std::uint16_t)>& known);

// The set is stored, and names what MakeKey has made, or will not: removes each second name, and the keys that the set does
// not know with it. Nobody has signed with them. What cannot be removed stays for the next call.
void SettleNewKeys(const std::string& folder, const KeySet& set);

std::string FolderOfKeySet(const std::string& path);
bool IsTokenKey(const std::string& file);  // RFC 7512: named by a URI, not by a path
// A key's file as it is opened, from the name in the set.
std::string KeyPath(const std::string& folder, const std::string& file);
// The set that two files are, before there is a key set: both active since `now`, and of one algorithm. One file: a CSK.
Result<KeySet> KeySetOfFiles(const std::string& folder, const std::string& ksk_file,
                             const std::string& zsk_file, UtcTime now);

}  // namespace registry::zone
