// workers/lifecycle/transfer_told.h: what is said of a transfer, and how it is approved: a share of transfer.h. Pure, any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "workers/domain/compose.h"
#include "workers/lifecycle/transfer.h"

namespace registry::lifecycle {

wire::TransferState ToldOf(const domain::Device& device);
// In the device's trace and history.
void RecordTransfer(domain::Device& device, std::string_view what, const std::string& reason, Case& at);

// To both parties, the one that caused it too: its own copies of the registry's feed are then whole.
template <class Message>
void TellTransfer(domain::Device& device, std::string_view what, const std::string& reason, Case& at) {
  const wire::TransferState told = ToldOf(device);
  const Message message{told.transfer,  told.device,     told.kind,    told.state,      told.from, told.to,
                        told.requested, told.decides_at, told.profile, at.origin.party, reason};
  for (const PartyId& party : {told.from, told.to}) {
    at.changes.notifications.push_back(domain::Notify(party, message, at.context, at.origin.id));
  }
  RecordTransfer(device, what, reason, at);
}

// The ICCID is anybody's again, if the device holds it.
Status ReleaseIccid(const domain::Device& device, const Iccid& iccid, Case& at);
bool IsApproved(const domain::Device& device, domain::TransferKind kind);
// It is carried out: nothing of it is open any more, and what the losing party has set is worth nothing.
void CompleteTransfer(domain::Device& device, Case& at);

// From one MNO to another, approved: the gaining one's profile begins.
Status BeginNewProfile(domain::Device& device, const jobs::Waiting& waiting, Case& at);
Status CarryOnNewProfile(domain::Device& device, const jobs::Waiting& waiting, Case& at);
// Whether the gaining profile serves already: nothing leads back from there.
bool HasSwitched(const domain::Device& device);
// Its MNO is asked to disable and delete the former profile, unless it has been asked already.
Status LeaveFormerProfile(domain::Device& device, Case& at);
// The former profile serves on; what there is of the gaining one goes.
Status DropNewProfile(domain::Device& device, const jobs::Waiting& waiting, Case& at);

// The losing party, the operator or the policy has agreed: the gaining party's part begins.
Status ApproveTransfer(domain::Device& device, const std::string& reason, Case& at);

}  // namespace registry::lifecycle
