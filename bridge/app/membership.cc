#include "bridge/app/membership.h"

#include <algorithm>

#include "bridge/app/ingest_options.h"
#include "bridge/ingest/backlog.h"
#include "bridge/ledger/postgres/kept.h"
#include "bridge/ledger/postgres/members.h"

namespace registry::app {
namespace {

using std::chrono::milliseconds;

// A member that does not get through gives up, and joins anew: the broker keeps what it was not told that we have.
constexpr milliseconds kMemberAnswerWithin{5000}, kMemberRetryFor{10'000};
constexpr milliseconds kRepliesWithin{300};  // the active one moves its cursor each 100 ms

std::uint64_t Unconfirmed(const ledger::LedgerReader& ledger) {
  const auto backlog = ingest::MqttBacklog(ledger);
  return backlog ? *backlog : 0;
}

}  // namespace

Membership::Membership(const Config& config, Around around)
    : around_(around),
      node_(std::make_shared<Node>(config.ledger, REGISTRY_VERSION, false, around.log.For("node"))) {}

Membership::~Membership() { Stop(); }

void Membership::Stop() {
  if (pipeline_) pipeline_->Stop();
  if (!aside_) return;
  aside_->Finish(kRepliesWithin);
  aside_->Stop();
}

Result<std::unique_ptr<Membership>> Membership::Join(const Config& config, Around around) {
  std::unique_ptr<Membership> joined(new Membership(config, around));
  auto place = LedgerPlaceOf(config.ledger, config.ledger_folder);
  if (!place) return place.error();
  joined->place_ = std::move(*place);
  ledger::PostgresOptions& options = *joined->place_.postgres;
  joined->node_->Complete(options);
  options.answer_within = kMemberAnswerWithin;
  options.retry_for = std::min(options.retry_for, kMemberRetryFor);
  options.log = around.log.For("ledger");
  auto ledger = ledger::JoinPostgresLedger(options);
  if (!ledger) return ledger.error();
  joined->ledger_ = std::move(*ledger);
  auto kept = ledger::OpenPostgresKept(options, *joined->ledger_);
  if (!kept) return kept.error();
  joined->kept_ = std::move(*kept);
  return joined;
}

Result<std::string> Membership::DiffersFrom(const DecidingTerms& own) const {
  const auto terms = KeptTerms(*kept_);
  if (!terms) return terms.error();
  return Differing(own, *terms ? **terms : DecidingTerms());
}

Status Membership::Beat() { return ledger::SayMember(*ledger_); }

Status Membership::Start(const Config& config) {
  auto beside = BesideLedger::Open(IntakeOptionsOf(config, around_.material, around_.log.For("intake")),
                                   place_, *ledger_);
  if (!beside) return beside.error();
  beside_.emplace(std::move(*beside));
  ingest::Services services = ServicesOf(config, around_.material);
  services.aside = [this](const PartyId& party, domain::OutgoingMessage reply) {
    aside_->Offer(party, std::move(reply));
  };
  services.backlog = [this] { return Unconfirmed(*ledger_); };
  ingest::PipelineOptions options = PipelineOptionsOf(config);
  options.stop_deadline = kStopWithin;
  options.own_work = false;
  options.intake_may_refuse = true;
  outbox::Aside::Outbox durable;
  durable.last = [this] {
    const auto last = ledger_->OutboxLast(ledger::Sink::kMqtt);
    return last ? *last : 0;
  };
  durable.depth = [this] { return Unconfirmed(*ledger_); };
  durable.of_another = true;
  aside_ = std::make_unique<outbox::Aside>(around_.publisher, std::move(durable));
  pipeline_ = std::make_unique<ingest::Pipeline>(options, *ledger_, beside_->intake(), around_.clock,
                                                 std::move(services), around_.metrics);
  pipeline_->Start();
  aside_->Start();
  return Done{};
}

void Membership::Fill(Sample& sample) const {
  sample.intake_undone = beside_->intake().undone();
  sample.intake_unerased = beside_->intake().unerased();
  sample.pipeline_queued = pipeline_->queued();
  sample.reads_said = aside_->said();
  sample.reads_dropped = aside_->dropped();
  sample.changesets = ledger_->changesets();
}

}  // namespace registry::app
