// workers/domain/device_steps.h: the ways in which a device's parts come, change and go. Each keeps what standing.h and
// invariants.h say of them; who calls it has decided that it may be. Pure, any thread.
#pragma once

#include "workers/domain/changeset.h"

namespace registry::domain {

// One more profile, installed; one that was deleted makes room for it. HasRoomForProfile says whether there is any.
void AddProfile(Device& device, const PartyId& mno, const Iccid& iccid);
// The serving profile was seen on the network, which only an enabled one can be.
void SeeOnNetwork(Device& device);
// So was this one.
void SeeOnNetwork(Device& device, std::uint32_t number);
// The MNO did it. Enabling one disables the one that was: an eUICC has one enabled (SGP.22 §2.4.5.2).
void SetProfileState(Device& device, std::uint32_t number, ProfileState state);
// A profile of this number is off the network; what waits for the device waits until it is back.
void LeaveNetwork(Device& device, std::uint32_t number);
// With its key-agreement key, which is nobody's from then on.
void DeleteProfile(Device& device, std::uint32_t number);
// The key-agreement key of the serving profile; empty: gone.
void SetAgreementKey(Device& device, Bytes key);

// The certificate is the live one from now on, of the serving profile. The device must have none.
void GoLive(Device& device, IssuedCertificate certificate, UtcTime now);
// Of all phases; the caller revokes them.
void DropCredentials(Device& device);

// ---- a certificate after the first (workers/domain/renewal.h). The caller has seen that there is none under way.

// Beside the live one, of this profile, with the key-agreement key that its request named.
void AddNext(Device& device, IssuedCertificate certificate, std::uint32_t profile, const Bytes& agreement_key,
             UtcTime now);
// Every secondary shows these from now on. Whether the next one is among them for the first time.
bool NoteServed(Device& device, const std::vector<TlsaRecord>& shown, UtcTime now);
// A payload of this version brings the certificate, which is worth knowing of the next one.
void NoteCarried(Device& device, std::uint64_t version, const Credential& carried);
// The next one is live from now on, and the live one retires. What the profile's key-agreement key was before, where it
// changes: empty otherwise.
Bytes SwitchOver(Device& device, UtcTime now);
// The TLSA of all that retire is wanted no more.
void WithdrawRetiring(Device& device, UtcTime now);
// Those are gone; the caller revokes them.
std::vector<Credential> TakeCredentials(Device& device, CredentialPhase phase);

// Replaces what was set for the same purpose and role.
void SetCode(Device& device, AuthorisationCode code);
// The one with this hash works once.
void UseUpCode(Device& device, const Bytes& hash);
// A wrong code was given: it counts against every code there is, lest who guesses at one goes on with another.
void CountWrongCode(Device& device, UtcTime now);

void DropCode(Device& device, CodePurpose purpose);

// A live binding, beside those there are.
void Bind(Device& device, const PartyId& asp, const EndpointName& endpoint);
// The network sealed for this device, in the live binding, which must be there; nullopt: none, the endpoint's holds.
void SetWifi(Device& device, std::optional<wire::Wifi> wifi);
// The live bindings have ended. The last few are kept, as many as kEndedBindingsMax says.
void Unbind(Device& device);
// The live binding is to another endpoint of the same ASP from now on. The device must have one.
void MoveTo(Device& device, const EndpointName& endpoint);
// One that becomes live when its payload is delivered. There must be none.
void BindNext(Device& device, const PartyId& asp, const EndpointName& endpoint);
// The next binding is live from now on, and the live one of `former` has ended.
void PassOn(Device& device, const PartyId& former);
// Ends the next binding, if there is one: it never becomes live.
void DropNextBinding(Device& device);
// A payload is made for the next binding or, without one, names every live binding; or was delivered. The first answers its
// version. Where there is neither, the payload names nobody, and counts for the binding that ended last.
std::uint64_t ComposeNext(Device& device);
void Deliver(Device& device, std::uint64_t version);

}  // namespace registry::domain
