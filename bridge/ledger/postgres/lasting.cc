#include "bridge/ledger/postgres/lasting.h"

#include "bridge/ledger/postgres/pause.h"

namespace registry::ledger {
namespace {

Failure Elsewhere() { return {true, "", "the server is not the one that the ledger is written to"}; }

}  // namespace

Answers Lasting::Run(const std::vector<Request>& requests) {
  for (const auto until = std::chrono::steady_clock::now() + options_.retry_for;;) {
    auto answers = RunOnce(requests);
    const auto* const failed = std::get_if<Failure>(&answers);
    if (failed == nullptr) return answers;
    connection_.reset();
    if (!failed->MayPass() || std::chrono::steady_clock::now() >= until) return answers;
    PauseBetweenAttempts();
  }
}

Answers Lasting::RunOnce(const std::vector<Request>& requests) {
  if (connection_ && !IsWhereTheWriterIs()) connection_.reset();
  if (!connection_) {
    if (auto failed = Connect()) return std::move(*failed);
  }
  auto answers = connection_->Run(requests, std::chrono::steady_clock::now() + options_.answer_within);
  if (std::holds_alternative<Failure>(answers)) return answers;
  if (auto warned = connection_->Warned()) return std::move(*warned);
  // It may have gone away while this server answered.
  if (!IsWhereTheWriterIs()) return Elsewhere();
  return answers;
}

std::optional<Failure> Lasting::Connect() {
  auto made = Connection::Open(options_, Connection::Server::kWritable);
  if (auto* const failed = std::get_if<Failure>(&made)) return std::move(*failed);
  connection_ = std::get<std::unique_ptr<Connection>>(std::move(made));
  if (IsWhereTheWriterIs()) return std::nullopt;
  return Elsewhere();
}

bool Lasting::IsWhereTheWriterIs() const { return !written_ || connection_->server() == written_->server; }

}  // namespace registry::ledger
