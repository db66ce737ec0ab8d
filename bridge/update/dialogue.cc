#include "bridge/update/dialogue.h"

#include <algorithm>

namespace registry::update {

Dialogue::Dialogue(std::string address, std::uint16_t port, zone::SecondaryKeys keys, const Clock& clock,
                   std::function<bool()> stopping)
    : address_(std::move(address)), port_(port), keys_(keys), clock_(clock), stopping_(std::move(stopping)) {}

Status Dialogue::Open(zone::Conversation::Clock::time_point until) {
  if (open_) {
    open_->Until(until);
    return Done{};
  }
  auto socket = zone::ConnectTcp(address_, port_);
  if (!socket) return UpdateFailed(socket.error().message);
  open_.emplace(std::move(*socket), until, stopping_, &UpdateFailed);
  return Done{};
}

Result<std::vector<Answer>> Dialogue::Ask(std::vector<Bytes> requests, std::chrono::milliseconds within) {
  std::vector<Answer> answers;
  answers.reserve(requests.size());
  for (std::size_t at = 0; at < requests.size(); at += kUnanswered) {
    const std::span<Bytes> some =
        std::span(requests).subspan(at, std::min(kUnanswered, requests.size() - at));
    const bool kept = open_.has_value();
    const auto until = zone::Conversation::Clock::now() + within;
    const std::vector<Bytes> again(some.begin(), some.end());
    Status asked = AskSome(some, answers, until);
    if (!asked && (TakeOtherKey() || kept) && !stopping_()) {
      // The server may know the other key alone. Or it may have closed a connection that was idle (RFC 7766 §6.2.3), or
      // have been restarted.
      std::ranges::copy(again, some.begin());
      answers.resize(at);
      asked = AskSome(some, answers, until);
    }
    if (!asked) return asked.error();
  }
  return answers;
}

bool Dialogue::TakeOtherKey() {
  if (!refused_ || keys_.former == nullptr) return false;
  refused_ = false;
  former_ = !former_;
  return true;
}

Status Dialogue::AskSome(std::span<Bytes> requests, std::vector<Answer>& answers,
                         zone::Conversation::Clock::time_point until) {
  if (auto opened = Open(until); !opened) return opened;
  std::vector<Asked> asked;
  Bytes framed;
  std::uint16_t id = zone::FreshId();
  for (Bytes& request : requests) {
    zone::SetU16(request, 0, ++id);
    asked.push_back({id, zone::SignRequest(request, key(), clock_.Now())});
    zone::PutFramed(framed, request);
  }
  const std::size_t first = answers.size();
  answers.resize(first + requests.size());
  const auto talk = [&]() -> Status {
    if (auto sent = open_->Send(framed); !sent) return sent;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto octets = open_->ReceiveMessage();
      if (!octets) return octets.error();
      std::size_t place = 0;
      auto answer = Check(std::move(*octets), asked, place);
      if (!answer) return answer.error();
      answers[first + place] = std::move(*answer);
      asked[place].mac.clear();  // answered
    }
    return Done{};
  };
  const Status talked = talk();
  if (!talked) open_.reset();
  return talked;
}

Result<Answer> Dialogue::Check(Bytes octets, std::span<const Asked> asked, std::size_t& place) {
  auto message = zone::ParseMessage(octets);
  if (!message || !message->response()) return UpdateFailed("its answer cannot be read");
  const auto fits = [&](const Asked& each) { return each.id == message->id && !each.mac.empty(); };
  const auto found = std::ranges::find_if(asked, fits);
  if (found == asked.end()) return UpdateFailed("its answer is none to a request");
  place = static_cast<std::size_t>(found - asked.begin());
  const zone::TsigVerdict verdict = zone::VerifyTsig(octets, *message, key(), clock_.Now(), found->mac);
  if (verdict.error != zone::TsigError::kNone) {
    const zone::TsigError why = verdict.told != 0 ? zone::TsigError{verdict.told} : verdict.error;
    refused_ = why == zone::TsigError::kBadKey || why == zone::TsigError::kBadSig;
    return UpdateFailed("it answers " + zone::RcodeName(message->rcode()) + ", " + zone::TsigErrorName(why));
  }
  return Answer{std::move(octets), std::move(*message)};
}

}  // namespace registry::update
