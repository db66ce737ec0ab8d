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
