// simulators/ota/parcel.h: what an operator's platform writes on a card for one job, and how the device's software finds it
// there: one issuer script (euicc/issuer_script.h), carried out whole or not at all.
//   payload  02 deleted, the pilot's files in their order, 02 last (or none of them any more), 10 the registry payload
//            (CMS), 11 the head
//   wipe     everything cleared, then 11 the head
// The head is JSON: {"t": "payload" or "wipe", "job", "version", "containers": [ids in hex]}. It is written last.
// Threads: pure functions, any thread. Errors: nullopt when the job's members are not what its schema says.
// Limits: the head has at most 255 octets, so that the card can read it back in one answer.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "schemas/base/bytes.h"

namespace registry::sim::ota {

inline constexpr std::uint8_t kPayloadFile = 0x10, kHeadFile = 0x11;
inline constexpr std::size_t kHeadMax = 255;

struct Parcel {
  Bytes script;
  Bytes head;  // what is in kHeadFile once the script was carried out
};

// `action` is the data of payload.push: version, cms, containers.
std::optional<Parcel> PayloadParcel(const std::string& job, const nlohmann::json& action);
Parcel WipeParcel(const std::string& job);

Bytes ReadHeadScript();  // answers the head
Bytes MakeRoomScript();  // what an earlier parcel has left, without the pilot's files

// The frame (simulators/link/frames.h, payload) that the files say. `read` answers a file's content, nullopt when it cannot
// be read. Null when the head is none.
nlohmann::json FrameFromCard(const std::function<std::optional<Bytes>(std::uint8_t file)>& read);

}  // namespace registry::sim::ota
