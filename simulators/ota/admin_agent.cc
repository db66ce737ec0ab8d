#include "simulators/ota/admin_agent.h"

#include "simulators/ota/psk_stream.h"

namespace registry::sim::ota {
namespace {

constexpr const char* kAnswerType = "application/vnd.globalplatform.card-content-mgt-response;version=1.0";

}  // namespace

Status AdminAgent::Run(const std::string& socket_path, std::chrono::milliseconds deadline, int tries_most) {
  for (int i = 0; i < tries_most; ++i) {
    if (Try(socket_path, deadline)) return Done{};
  }
  return Error::Make(Code::kFailed, "session_broken", "the session broke off, and is to be gone on with");
}

bool AdminAgent::Try(const std::string& socket_path, std::chrono::milliseconds deadline) {
  card_.PowerOn();
  const auto stream = PskStream::Connect(socket_path, identity_, card_.keys().psk, deadline);
  return stream && Converse(*stream);
}

HttpMessage AdminAgent::Request(bool resumes) const {
  HttpMessage request;
  request.first_line = "POST " + (next_uri_.empty() ? std::string(kAdminUri) : next_uri_) + " HTTP/1.1";
  request.headers = {{"host", "ota"}, {"x-admin-protocol", kAdminProtocol}, {"x-admin-from", identity_}};
  if (resumes) request.headers["x-admin-resume"] = "true";
  if (!next_uri_.empty()) {
    request.headers["content-type"] = kAnswerType;
    request.headers["x-admin-script-status"] = "ok";
    request.body = answer_;
  }
  return request;
}

bool AdminAgent::Converse(PskStream& stream) {
  bool resumes = !next_uri_.empty();
  HttpMessage said;
  while (stream.Say(Request(std::exchange(resumes, false))) && stream.Hear(said)) {
    if (said.first_line.starts_with("204")) {
      next_uri_.clear();
      answer_.clear();
      return true;
    }
    const auto script = ReadScript(said.body);
    const std::string next = said.Header("x-admin-next-uri");
    if (!said.first_line.starts_with("200") || next.empty() || !script) {
      next_uri_.clear();  // what it does not understand it does not go on with
      return false;
    }
    answer_ = WriteAnswer(card_.CarryOut(*script), script->form);
    next_uri_ = next;
    if (card_.powered()) continue;
    card_.ExpireSession();
    next_uri_.clear();  // it knows nothing of the session any more
    answer_.clear();
    return false;
  }
  return false;
}

}  // namespace registry::sim::ota
