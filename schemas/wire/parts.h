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

struct ResolverStem {
  static constexpr std::string_view kStem = "resolver";
};
struct BootstrapStem {
  static constexpr std::string_view kStem = "bootstrap";
};
struct TrustStem {
  static constexpr std::string_view kStem = "endpoint-trust";
};
struct WifiStem {
  static constexpr std::string_view kStem = "wifi";
};
struct EndpointStem {
  static constexpr std::string_view kStem = "endpoint";
};
struct ContainerStem {
  static constexpr std::string_view kStem = "container";
};
struct ErrorStem {
  static constexpr std::string_view kStem = "error";
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

using ResolverPart = Part<Resolver, ResolverStem>;
using BootstrapPart = Part<Bootstrap, BootstrapStem>;
using TrustPart = Part<EndpointTrust, TrustStem>;
using WifiPart = Part<Wifi, WifiStem>;
using EndpointPart = Part<Endpoint, EndpointStem>;
using ContainerPart = Part<Container, ContainerStem>;
using ErrorPart = Part<Error, ErrorStem>;

}  // namespace registry::wire
