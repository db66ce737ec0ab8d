#include "bridge/ctl/transfer_decisions.h"

#include "bridge/ctl/change.h"
#include "schemas/wire/life_messages.h"

namespace registry::ctl {
namespace {

struct Decision {
  ChangeOptions options;
  std::string transfer;
};

void Add(CLI::App& transfers, const char* word, const char* what, std::string_view sent) {
  const auto decision = std::make_shared<Decision>();
  auto* command = transfers.add_subcommand(word, what);
  command->add_option("ID", decision->transfer, "transfer id")->required();
  AddChangeOptions(*command, decision->options, Reason::kOptional);
  command->callback([decision, sent] {
    if (!TransferId::Parse(decision->transfer))
      FailWrong("'" + decision->transfer + "' is not the id of a transfer");
    Change(decision->options, sent, Json{{"transfer", decision->transfer}});
  });
}

}  // namespace

void AddTransferDecisions(CLI::App& transfers) {
  Add(transfers, "approve", "let a pending transfer go on, in the losing party's place",
      wire::TransferApprove::kName);
  Add(transfers, "reject", "end a pending transfer, in the losing party's place",
      wire::TransferReject::kName);
}

}  // namespace registry::ctl
