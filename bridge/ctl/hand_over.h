// bridge/ctl/hand_over.h: what a partner is given so that its first command is answered: interface/hand-over/NAME/,
// with the CA, its certificate (and its key, where that was made here), where the broker and the resolver are, what
// devices trust, ready options for mosquitto_pub, mosquitto_sub and mosquitto_rr, and a README.md whose commands work
// as they stand.
//   README.md registry.json config/mosquitto_{pub,sub,rr} ca.pem NAME.pem [NAME.key] quota.json trust-anchors.txt
//   [registry-root.pem registry-issuing.pem resolver.pem]: those that the configuration names and that are there;
//   registry-issuing.pem has all issuing CAs, also former ones and those to come
// The folder is 0700, the key in it 0600. One that is there is replaced whole, so it can be made again when the
// configuration has changed.
// Threads: one at a time per folder (folder_lock.h, taken here). Errors (2400): folder_locked, party_missing, file_failed,
//   certificate_file_invalid, those of bridge/app/config.h.
#pragma once

#include <string>

#include "schemas/base/result.h"

namespace registry::ctl {

// The folder it made.
Result<std::string> HandOver(const std::string& registry_folder, const std::string& party);

}  // namespace registry::ctl
