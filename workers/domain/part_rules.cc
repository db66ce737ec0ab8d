#include "workers/domain/part_rules.h"

#include <algorithm>

#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

class PartJudge {
 public:
  void Must(bool holds, std::string_view else_fault) {
    if (!holds) faults_.push_back(else_fault);
  }
  std::vector<std::string_view> Take() { return std::move(faults_); }

 private:
  std::vector<std::string_view> faults_;
};

template <class Parts, class Which>
std::size_t Count(const Parts& parts, Which which) {
  return static_cast<std::size_t>(std::count_if(parts.begin(), parts.end(), which));
}

template <class Part>
const Part* Numbered(const std::vector<Part>& parts, std::uint32_t number) {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const Part& part) { return part.number == number; });
  return found == parts.end() ? nullptr : &*found;
}

template <class Part>
bool NumbersDiffer(const std::vector<Part>& parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [&](const Part& part) { return Numbered(parts, part.number) == &part; });
}

void JudgeProfiles(const std::vector<Profile>& profiles, PartJudge& judge) {
  judge.Must(profiles.size() <= kProfilesMax, "has too many profiles");
  judge.Must(NumbersDiffer(profiles), "has two profiles of one number");
  const auto enabled = [](const Profile& one) { return one.state == ProfileState::kEnabled; };
  judge.Must(Count(profiles, enabled) <= 1, "has two enabled profiles");
}

void JudgeCredentials(const Device& device, PartJudge& judge) {
  judge.Must(device.credentials.size() <= kCredentialsMax, "has too many certificates");
  const auto in = [&](CredentialPhase phase) {
    return Count(device.credentials, [phase](const Credential& one) { return one.phase == phase; });
  };
  judge.Must(in(CredentialPhase::kLive) <= 1, "has two live certificates");
  judge.Must(in(CredentialPhase::kNext) <= 1, "has two next certificates");
  for (const Credential& one : device.credentials) {
    judge.Must(one.phase == CredentialPhase::kLive || in(CredentialPhase::kLive) == 1,
               "has another certificate and no live one");
    judge.Must(one.carried == 0 || one.served.micros != 0, "is brought a certificate that is not served");
    judge.Must(Numbered(device.profiles, one.profile) != nullptr,
               "has a certificate of a profile that is not there");
  }
}

void JudgeBindings(const std::vector<Binding>& bindings, PartJudge& judge) {
  const std::size_t ended =
      Count(bindings, [](const Binding& one) { return one.phase == BindingPhase::kEnded; });
  judge.Must(bindings.size() - ended <= kBindingsMax && ended <= kEndedBindingsMax, "has too many bindings");
  judge.Must(NumbersDiffer(bindings), "has two bindings of one number");
  const auto next = [](const Binding& one) { return one.phase == BindingPhase::kNext; };
  judge.Must(Count(bindings, next) <= 1, "has two next bindings");
  for (const Binding& one : bindings) {
    judge.Must(one.delivered <= one.composed, "a payload was delivered that was never made");
    judge.Must(!one.asp.empty() && !one.endpoint.empty(),
               "has a claimer without an endpoint, or an endpoint without a claimer");
  }
}

void JudgeCodes(const std::vector<AuthorisationCode>& codes, PartJudge& judge) {
  judge.Must(codes.size() <= kCodesMax, "has too many authorisation codes");
  for (const AuthorisationCode& one : codes) {
    const auto same = [&](const AuthorisationCode& other) {
      return other.purpose == one.purpose && other.role == one.role;
    };
    judge.Must(Count(codes, same) == 1, "has two authorisation codes for one purpose and role");
    judge.Must(one.attempts <= kWrongCodesMax,
               "has an authorisation code with more wrong attempts than lock it");
  }
}

void JudgeTransfer(const Device& device, PartJudge& judge) {
  const bool pending = device.transfer && device.transfer->state == TransferState::kPending;
  judge.Must(pending == device.statuses.contains(DeviceStatus::kPendingTransfer),
             "has a pending transfer without the status pendingTransfer, or the status without one");
  const bool passed_on = device.transfer && device.transfer->state == TransferState::kApproved &&
                         device.transfer->kind == TransferKind::kAsp;
  const Binding* const next = NextBinding(device);
  judge.Must(!passed_on || (next != nullptr && next->asp == device.transfer->to),
             "its approved transfer has no next binding of the gaining ASP");
  judge.Must(passed_on || next == nullptr || next->asp == Claimer(device),
             "has a next binding of another ASP without an approved transfer");
  judge.Must(!device.transfer || device.transfer->device == device.id, "has another device's transfer");
}

}  // namespace

std::vector<std::string_view> FaultsOfParts(const Device& device) {
  PartJudge judge;
  JudgeProfiles(device.profiles, judge);
  JudgeCredentials(device, judge);
  JudgeBindings(device.bindings, judge);
  JudgeCodes(device.codes, judge);
  JudgeTransfer(device, judge);
  return judge.Take();
}

bool SameParts(const Device& was, const Device& is) {
  const auto same_profile = [&](const Profile& before) {
    const Profile* const after = Numbered(is.profiles, before.number);
    if (after == nullptr) return before.state == ProfileState::kDeleted;
    return after->iccid == before.iccid && after->mno == before.mno;
  };
  return std::all_of(was.profiles.begin(), was.profiles.end(), same_profile);
}

bool DeliveriesWentBack(const Device& was, const Device& is) {
  return std::any_of(was.bindings.begin(), was.bindings.end(), [&](const Binding& before) {
    const Binding* const after = Numbered(is.bindings, before.number);
    return after != nullptr && after->delivered < before.delivered;
  });
}

}  // namespace registry::domain
