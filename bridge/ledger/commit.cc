#include "bridge/ledger/answer.h"
#include "bridge/ledger/ledger.h"

namespace registry::ledger {

Status Ledger::Commit(domain::Changeset changeset) {
  Answer answer;
  CommitLater(std::move(changeset), [&answer](Status status) { answer.Give(std::move(status)); });
  return answer.Wait();
}

}  // namespace registry::ledger
