#include "bridge/ctl/transfer_decisions.h"

#include "bridge/ctl/send.h"
#include "schemas/wire/life_messages.h"

namespace registry::ctl {
namespace {

struct Decision {
  SendOptions options;
  std::string transfer, reason;
};

void Add(CLI::App& transfers, const char* word, const char* what, std::string_view sent) {
  const auto decision = std::make_shared<Decision>();
  auto* command = transfers.add_subcommand(word, what);
  command->add_option("ID", decision->transfer, "transfer id")->required();
  command->add_option("--reason", decision->reason, "told to both parties");
  AddSendOptions(*command, decision->options);
  command->callback([decision, sent] {
    if (!TransferId::Parse(decision->transfer))
      FailWrong("'" + decision->transfer + "' is not the id of a transfer");
    Json data{{"transfer", decision->transfer}};
    if (!decision->reason.empty()) data["reason"] = decision->reason;
    Send(decision->options, sent, data);
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
