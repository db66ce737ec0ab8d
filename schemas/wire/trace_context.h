// schemas/wire/trace_context.h: what of a sender's trace context goes on (W3C Trace Context, Recommendation of
// 23 November 2021). Whatever does not have the form is dropped, never echoed: a trace that cannot be read is restarted
// (§3.2.2.3, §3.2.3), and text of the sender's choosing would else travel to other parties.
// Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace registry::wire {

inline constexpr std::size_t kTracestateMax = 512;  // octets; §3.3.1.5 asks for no more to be carried

// Version 00 as it is. A later version as version 00, from the fields this one knows (§3.2.3 "Versioning of traceparent"):
// what stands behind them is nobody's here. nullopt for every other text.
std::optional<std::string> PropagatedTraceparent(std::string_view text);
// The list as it is, when it has the form of §3.3.1 and at most kTracestateMax octets; nullopt otherwise.
std::optional<std::string> PropagatedTracestate(std::string_view text);

}  // namespace registry::wire
