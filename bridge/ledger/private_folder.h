// bridge/ledger/private_folder.h: the folders of ledger and intake hold EIDs and authorisation codes, so they are their
// user's alone. A folder that others may enter may have been read already, which an operator should know: it is refused.
// A file others may read inside a folder they may not enter has been read by nobody: its mode is put right in silence.
// Threads: any, one at a time per folder. Errors: kFolderPermissions, a sentence that says the command that mends it.
#pragma once

#include <string>

#include "schemas/base/result.h"

namespace registry::ledger {

inline constexpr std::string_view kFolderPermissions = "folder_permissions";

// Makes the folder if it is not there, for nobody else.
Status MakePrivateFolder(const std::string& folder);
// Whether the folder and every file in it are ours, and the folder nobody else's. Changes nothing.
Status CheckPrivate(const std::string& folder);
// The same, and takes from group and others what they may do with the files.
Status KeepPrivate(const std::string& folder);

}  // namespace registry::ledger
