// Commands of the contract that nothing decides yet.
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/reads.h"

namespace registry::lifecycle {
namespace {

Error NotYet() { return Error::Make(Code::kUnimplemented, "not_yet", "this command is not decided yet"); }

}  // namespace

Result<Reply> Decide(const wire::AuthorisationSet&, Case&) { return NotYet(); }
Result<wire::QuotaTold> Read(const wire::QuotaGet&, const Case&) { return NotYet(); }

}  // namespace registry::lifecycle
