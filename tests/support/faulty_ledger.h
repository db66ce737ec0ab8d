// tests/support/faulty_ledger.h: a ledger that does what it is told before it does its work: fail, wait, count.
// Hooks are set while nothing runs, or are thread-safe themselves; an empty one does nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "tests/support/wrapped_ledger.h"

namespace registry::test {

class FaultyLedger final : public WrappedLedger {
 public:
  using Fault = std::optional<Error>;
  struct Hooks {
    std::function<Fault(const domain::Changeset&)> commit = nullptr;
    std::function<Fault()> find_event = nullptr;
    std::function<Fault()> load_device = nullptr;
    std::function<Fault()> load_endpoint = nullptr;
    std::function<Fault()> load_of = nullptr;
    std::function<Fault()> load_feed = nullptr;
    std::function<Fault()> catch_up = nullptr;
  };
  FaultyLedger(std::unique_ptr<ledger::Ledger> real, Hooks hooks)
      : WrappedLedger(*real), real_(std::move(real)), hooks_(std::move(hooks)) {}

  void CommitLater(domain::Changeset changes, WhenDone done) override {
    if (hooks_.commit) {
      if (Fault fault = hooks_.commit(changes)) return done(*fault);
    }
    WrappedLedger::CommitLater(std::move(changes), std::move(done));
  }
  Result<std::optional<domain::EventMark>> FindEvent(const PartyId& source,
                                                     const EventId& id) const override {
    if (hooks_.find_event) {
      if (Fault fault = hooks_.find_event()) return *fault;
    }
    return WrappedLedger::FindEvent(source, id);
  }
  Result<std::optional<domain::Device>> LoadDevice(const DeviceId& id) const override {
    if (hooks_.load_device) {
      if (Fault fault = hooks_.load_device()) return *fault;
    }
    return WrappedLedger::LoadDevice(id);
  }
  Result<std::optional<domain::EndpointRecord>> LoadEndpoint(const PartyId& asp,
                                                             const EndpointName& name) const override {
    if (hooks_.load_endpoint) {
      if (Fault fault = hooks_.load_endpoint()) return *fault;
    }
    return WrappedLedger::LoadEndpoint(asp, name);
  }
  Result<domain::JobLoad> LoadOf(const PartyId& mno) const override {
    if (hooks_.load_of) {
      if (Fault fault = hooks_.load_of()) return *fault;
    }
    return WrappedLedger::LoadOf(mno);
  }
  Result<ledger::FeedState> LoadFeed(const PartyId& party) const override {
    if (hooks_.load_feed) {
      if (Fault fault = hooks_.load_feed()) return *fault;
    }
    return WrappedLedger::LoadFeed(party);
  }
  Status CatchUp() override {
    if (hooks_.catch_up) {
      if (Fault fault = hooks_.catch_up()) return *fault;
    }
    return WrappedLedger::CatchUp();
  }

 private:
  const std::unique_ptr<ledger::Ledger> real_;  // what WrappedLedger passes on to
  const Hooks hooks_;
};

}  // namespace registry::test
