// schemas/wire/parts.h: the parts messages are made of, declared once for every table that nests them.
// Room-internal.
#pragma once

#include <array>

#include "schemas/wire/fields.h"

namespace registry::wire {

struct StateWords {
  static constexpr std::array<std::string_view, 7> kWords{
      "registered", "attached", "certified", "published", "active", "deactivated", "deleted"};
};

// Statuses beside the state.
struct HoldWords {
  static constexpr std::array<std::string_view, 7> kWords{
      "pendingTransfer", "clientHold",   "serverHold", "transferProhibited",
      "sponsorHold",     "disconnected", "expired"};
};
using Holds = ListOf<Word<HoldWords>, 0, 8>;
using ProfileNumber = Integer<std::uint32_t, 1, 1000000>;

// The `next` of a page of devices: "<device>", or "<microseconds>/<device>".
bool ValidCursor(std::string_view text);
inline constexpr TextKind kCursor{
    36,
    55,
    "^([0-9]{1,18}/)?[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "bad_cursor",
    "must be the `next` of a page",
    ValidCursor};
using Cursor = TextForm<kCursor>;

struct LimitWords {
  static constexpr std::array<std::string_view, 4> kWords{"write", "read", "bulk", "authorise"};
};

// Error is older than the wire (schemas/base).
struct ErrorStem {
  static constexpr std::string_view kName = "error";
};

template <>
const Fields<Resolver>& Table<Resolver>();
template <>
const Fields<Bootstrap>& Table<Bootstrap>();
template <>
const Fields<EndpointTrust>& Table<EndpointTrust>();
template <>
const Fields<Wifi>& Table<Wifi>();
template <>
const Fields<Endpoint>& Table<Endpoint>();
template <>
const Fields<Container>& Table<Container>();
template <>
const Fields<Error>& Table<Error>();
// Every member of it names the same service.
template <>
Fault Consistent<Endpoint>(const Endpoint& endpoint);
// Either a certificate or the owner name of a TLSA RRset, as `kind` says.
template <>
Fault Consistent<EndpointTrust>(const EndpointTrust& trust);

using ResolverPart = Part<Resolver>;
using BootstrapPart = Part<Bootstrap>;
using TrustPart = Part<EndpointTrust>;
using WifiPart = Part<Wifi>;
using EndpointPart = Part<Endpoint>;
using ContainerPart = Part<Container>;
using ErrorPart = Part<Error, ErrorStem>;

}  // namespace registry::wire
