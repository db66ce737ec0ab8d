// tests/support/device_maker.h: a device as a test wants it, with one of each part at most: the part that is there, or a new
// one. Plain functions, any thread.
#pragma once

#include "workers/domain/standing.h"

namespace registry::test {

// Of number 1, enabled as soon as it is attached.
inline domain::Profile& ProfileOf(domain::Device& device) {
  if (device.profiles.empty()) device.profiles.emplace_back();
  return device.profiles.front();
}

inline void SetAttached(domain::Device& device, bool attached = true) {
  ProfileOf(device).attached = attached;
  ProfileOf(device).state = attached ? domain::ProfileState::kEnabled : domain::ProfileState::kInstalled;
}

// Live.
inline domain::Binding& BindingOf(domain::Device& device) {
  if (device.bindings.empty()) device.bindings.emplace_back();
  return device.bindings.front();
}

inline void Bind(domain::Device& device, const PartyId& asp, const EndpointName& endpoint) {
  BindingOf(device).asp = asp;
  BindingOf(device).endpoint = endpoint;
}

// The live one.
inline domain::IssuedCertificate& CertificateOf(domain::Device& device) {
  if (device.credentials.empty()) device.credentials.emplace_back();
  return device.credentials.front().certificate;
}

}  // namespace registry::test
