// schemas/wire/event_id.h: the id of a message that cannot be read as a whole, so that its sender learns which of its
// messages is meant. Room-internal. Builds nothing, looks at every octet once; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "schemas/ids/ids.h"

namespace registry::wire {

// The one member "id" at the top of an object whose strings and brackets close. nullopt when there is none, when it is
// there twice, or when it is no id. Numbers and words are not judged, nor what brackets hold.
std::optional<EventId> ScanEventId(std::string_view text);

}  // namespace registry::wire
