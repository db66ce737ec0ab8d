// workers/domain/standing.h: what a device's parts come to, for decisions that ask "who sponsors it", "whose is it" or
// "what does it authenticate with". Pure, any thread; pointers and references are into the device that was given.
#pragma once

#include "workers/domain/device.h"

namespace registry::domain {

// The profile the device is reached through: that of the live credential, else the enabled one, else the newest that is
// disabled, else the first that is not deleted, else the newest. nullptr for a value without any, no registered device.
const Profile* Serving(const Device& device);
Profile* Serving(Device& device);
const PartyId& Sponsor(const Device& device);  // MNO of the serving profile
const Iccid& IccidOf(const Device& device);    // of the serving profile
bool EverSeen(const Device& device);  // the serving profile was enabled, or seen on the network, at some time
bool Attached(const Device& device);  // it is on the network, as far as its MNO has said
// It was seen before and is off the network: what waits for it waits until it is back.
bool IsAway(const Device& device);
const Bytes& AgreementKey(const Device& device);  // of the serving profile; empty before its first CSR

// nullptr: none.
const Credential* Live(const Device& device);
const IssuedCertificate* LiveCertificate(const Device& device);
const Credential* NextCredential(const Device& device);  // the one that will be live
const Profile* ProfileOf(const Device& device, std::uint32_t number);

// The binding that came live first; nullptr: none.
const Binding* LiveBinding(const Device& device);
std::optional<PartyId> Claimer(const Device& device);          // its ASP
std::optional<EndpointName> EndpointOf(const Device& device);  // its endpoint
std::uint64_t DeliveredVersion(const Device& device);  // of the payload delivered last for it; 0: none
// What the payload composed last says is not delivered yet, or none was composed for the live binding. What it says is that
// of the live binding, or that there is none any more.
bool PayloadOwed(const Device& device);
std::uint64_t PayloadVersion(
    const Device& device);  // of the payload composed last, for whichever binding; 0: none

// The one that becomes live when its payload is delivered; nullptr: none.
const Binding* NextBinding(const Device& device);
// Whom the payload made next is for: the next binding, else the live one. nullptr: nobody.
const Binding* ToBeTold(const Device& device);

// Whether a transfer has begun that is neither refused nor carried out.
bool InTransfer(const Device& device);
// Whether it is on its way from one MNO's profile to another's.
bool ChangesProfile(const Device& device);
// Whether one more profile has its place, or can take that of a deleted one.
bool HasRoomForProfile(const Device& device);
// Deleted, without a certificate, and not the newest: its number is not given again.
bool MayBeForgotten(const Device& device, const Profile& profile);
// Whether a share of the device is this party's now: a profile that is not deleted, a binding that has not ended. An open
// transfer gives its gaining party none before it is approved.
bool HasShare(const Device& device, const PartyId& party);
// Whether it has, or is about to get, a payload that another could take the place of.
bool HasPayloadToReplace(const Device& device);

// nullptr: none was set.
const AuthorisationCode* CodeFor(const Device& device, CodePurpose purpose);

}  // namespace registry::domain
