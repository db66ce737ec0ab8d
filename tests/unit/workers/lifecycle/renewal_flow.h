// tests/unit/workers/lifecycle/renewal_flow.h: the steps of a renewal, one sentence each, of a device that mno-a serves and
// asp-a has. The registry's policy is the default one: a certificate of a year, a TLSA TTL of a minute, another try a day
// after a failure.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {

inline constexpr std::chrono::seconds kTlsaTtl{60}, kAgain{86'400}, kYear{365 * 86'400};

class RenewalTest : public testing::Test {
 protected:
  explicit RenewalTest(TestRegistry::Setup setup = {})
      : registry_(std::move(setup)), device_(registry_.Activate()) {
    ForgetSaid();
  }

  void ForgetSaid() {
    for (const std::string to : {"registry/v1/to/mno-a/event/", "registry/v1/to/asp-a/event/"}) {
      for (const char* what : {"device.certified", "device.renewed", "device.failed", "device.expired"})
        registry_.Heard(to + what);
    }
  }
  domain::Device Device() const { return registry_.Device(device_); }
  Said Rekey(const std::string& party, const std::string& reason = "") {
    json data = {{"device", device_}};
    if (!reason.empty()) data["reason"] = reason;
    return registry_.Ask(party, "device.rekey", data);
  }
  domain::Job JobOf(domain::JobKind kind) { return test::JobOf(registry_, device_, kind); }
  bool HasJob(domain::JobKind kind) {
    const auto jobs = registry_.ledger().JobsOf(*DeviceId::Parse(device_));
    REG_CHECK(jobs.ok());
    return std::any_of(jobs->begin(), jobs->end(), [kind](const auto& job) { return job.kind == kind; });
  }
  // The applet has made another key, and its CSR answers the open job.
  Said Submit() {
    return registry_.Ask(
        "mno-a", "csr.submit",
        {{"device", device_}, {"csr", NewCsrPem()}, {"job", JobOf(domain::JobKind::kKeyGenerate).id.text()}});
  }
  // The next certificate is shown, and everybody knows it.
  void Show() {
    registry_.ServeZone();
    registry_.RunDueJobs(kTlsaTtl);
  }
  Said Push(const json& what) { return Report(registry_, JobOf(domain::JobKind::kPayloadPush), what); }
  std::size_t Shown() {  // records of the content wanted last
    const auto wanted = registry_.ledger().ZoneAfter(std::nullopt, 10);
    REG_CHECK(wanted.ok());
    for (const domain::ZoneChange& one : *wanted) {
      if (one.device.text() == device_) return one.tlsa.size();
    }
    return 0;
  }
  std::optional<domain::Revocation> Revocation(const Bytes& serial) {
    const auto all = registry_.ledger().Revocations();
    REG_CHECK(all.ok());
    for (const auto& one : *all) {
      if (one.serial == serial) return one;
    }
    return std::nullopt;
  }

  TestRegistry registry_;
  const std::string device_;
};

}  // namespace registry::test
