// simulators/euicc/layout.h: how a card is laid out before anybody has it: under which names its applet is selected, which
// objects there are, and which habits of cards in the field it has. Data; a card is made from it (euicc.h).
// Layouts that have a name:
//   registry  the default, what the registry's own flow needs: GSMA's name; 01 and 02 signing pairs, so that one works while
//             the other is made; 0B static key-agreement pair, 0C the slot for a peer's public key. No labels.
//   field     what software by others expects besides: the names of Thales, of CIRA's pilot and of NTT; 04 an ephemeral
//             pair, 05 a peer's key to agree with and to verify by; secrets 0D (HMAC) and 0E (AES-128), random on each card;
//             labels; a channel opened by SELECT alone.
// Threads: values, any thread. Spec: GSMA IoT.05 as clients speak it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "simulators/euicc/memory.h"

namespace registry::sim {

inline constexpr std::array<std::uint8_t, 7> kGsmaAid = {0xa0, 0x00, 0x00, 0x05, 0x59, 0x00, 0x10};

// A name (AID) under which the applet is selected.
struct AppletName {
  Bytes aid;
  // READ FILE answers full parts, with 00 behind the end of the file, at any offset: the pilot's middleware reads on so far.
  bool pads_files = false;
};

// What cards in the field do differently; off unless said otherwise.
struct Habits {
  bool select_opens_channel = false;  // SELECT on channel 1 to 3 opens it: wolfSSL sends no MANAGE CHANNEL
  bool always_get_response =
      false;  // every answer to a command with data waits for GET RESPONSE (61xx), as over T=0
  // GET DATA application with a length of the AID one too large, and hash functions of one octet: Orange's library reads
  // no other.
  bool short_application = false;
  // Slots that hold no key are said to be volatile (type 14): Thales's PKCS#11 module ends when it asks another for its key.
  bool empty_is_volatile = false;
  bool tells_remote_over = false;  // the first answer after an OTA session is 63CF for 9000
};

struct CardLayout {
  struct Key {
    Bytes id;
    std::string label;
    std::uint8_t functions = 0;
    bool foreign = false, ephemeral = false;
    bool made = false;  // the pair is made at the factory
  };
  struct SecretKey {
    Bytes id;
    std::string label;
    std::uint8_t functions = 0, type = kHmacSecret;
    std::size_t size = 32;  // random octets
  };
  struct FileKind {
    Bytes id;
    std::string label;
    std::uint8_t usage = 0;
    Bytes content = {};  // written at the factory; empty: the issuer writes it
  };
  std::string name;
  std::vector<AppletName> applets;
  std::vector<Key> keys;
  std::vector<SecretKey> secrets;
  std::vector<FileKind> files;  // what is said of a file once it is written
  Habits habits;
};

const CardLayout& DefaultLayout();
const CardLayout* FindLayout(std::string_view name);  // null: there is none of that name

// The memory of a new card; nullopt only when the machine has no randomness.
std::optional<CardMemory> LayOut(const CardLayout& layout);

}  // namespace registry::sim
