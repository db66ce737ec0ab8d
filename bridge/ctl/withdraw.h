// bridge/ctl/withdraw.h: a party's certificate is withdrawn: it stands on interface/crl.pem from now on, and the broker,
// once it has read that again (SIGHUP), lets nobody in with it and ends what is connected (bridge/guard/withdrawn.h).
// By name: every certificate of the party that is recorded (issued.txt), and the one in parties/NAME.pem; that one and its
//   key go to interface/withdrawn/, so that AddParty makes a new pair. By serial: one, of anybody, its files here or not.
// May be repeated: what a crash left undone is finished then. Threads, lock: the folder's (folder_lock.h).
// Errors (2400): party_name, folder_locked, file_failed, those of interface_ca.h; certificate_file_invalid when a name has
//   no certificate here and none that is accepted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/ctl/interface_ca.h"

namespace registry::ctl {

struct Withdrawal {
  std::string serial;
  std::optional<std::string> party;     // by what was recorded, or the name it was withdrawn by
  bool before = false;                  // it was on the list already
  std::vector<IssuedToParty> accepted;  // the same party's other certificates, which are not withdrawn
  std::vector<std::string> also;        // by name: serials of its other certificates, withdrawn with it
};
Result<Withdrawal> WithdrawByName(const std::string& folder, const std::string& name, UtcTime now);
Result<Withdrawal> WithdrawBySerial(const std::string& folder, const Bytes& serial, UtcTime now);

// With the folder locked, for what else ends certificates. The serials that were not on the list before.
Result<std::vector<std::string>> WithdrawAllOf(const std::string& interface, const std::string& name,
                                               UtcTime now);
// The party's key and certificate, if they are here, to interface/withdrawn/.
Status PutAside(const std::string& interface, const std::string& name);

// What was issued to the party and is not withdrawn, the newest last.
Result<std::vector<IssuedToParty>> AcceptedOf(const std::string& folder, const std::string& party);

// 1 to 20 octets in hexadecimal (RFC 5280 §4.1.2.2), colons allowed; without leading zeros.
std::optional<Bytes> ParseSerial(std::string text);

}  // namespace registry::ctl
