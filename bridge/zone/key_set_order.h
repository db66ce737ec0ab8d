// bridge/zone/key_set_order.h: which of two key sets of one zone is the later one, by what they say of each other, and
// whether a set can sign a zone that was served with certain keys. No clock is asked: sets may come from two machines or
// from a backup.
// A set is ahead where it has a key, or has removed one, that the other one does not know; has removed what the other one
// still has; or has a key in a later state, or a roll-over in a later step. Requests and waits tell nothing.
// Threads: pure functions.     Spec: RFC 7583 §3.1 (the order of a key's states).
#pragma once

#include "bridge/zone/key_set.h"

namespace registry::zone {

// kAlike: neither is ahead. kApart: each is, so both were changed from what they had in common.
enum class SetOrder : std::uint8_t { kAlike, kEarlier, kLater, kApart };
SetOrder OrderOf(const KeySet& set, const KeySet& other);  // what `set` is, beside the other one

// The keys that the zone is signed with, as the ledger keeps them (serials.h): "ksk/zsk".
std::string TagsOf(const KeySet& set);
// Whether this set has come to where the key signs, or beyond. One that only knows the key to come is from before.
bool HasSigned(const KeySet& set, std::uint16_t tag);

}  // namespace registry::zone
