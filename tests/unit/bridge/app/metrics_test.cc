#include "bridge/app/metrics.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>

namespace registry::app {
namespace {

using std::chrono::microseconds;

class MetricsTest : public ::testing::Test {
 protected:
  bool Has(const std::string& line) {
    return metrics_.Text(sample_).find("\n" + line + "\n") != std::string::npos;
  }
  Metrics metrics_{"1.2.3", [this](int, const std::string& line) { logged_ = line; }};
  Sample sample_;
  std::string logged_;
};

TEST_F(MetricsTest, EachTokenIsUpOrNot) {
  EXPECT_EQ(metrics_.Text(sample_).find("registry_token_up{"), std::string::npos);
  sample_.tokens = {{"pkcs11:token=a", true}, {"pkcs11:token=b", false}};
  EXPECT_TRUE(Has(R"(registry_token_up{token="pkcs11:token=a"} 1)"));
  EXPECT_TRUE(Has(R"(registry_token_up{token="pkcs11:token=b"} 0)"));
}

TEST_F(MetricsTest, CommandsAreCountedByOutcomeAndSymbol) {
  for (int i = 0; i < 3; ++i) metrics_.CommandDone("csr.submit", "accepted", "", microseconds(900));
  metrics_.CommandDone("csr.submit", "rejected", "csr_key_type", microseconds(200));
  EXPECT_TRUE(Has(R"(registry_commands_total{command="csr.submit",outcome="accepted",symbol=""} 3)"));
  EXPECT_TRUE(
      Has(R"(registry_commands_total{command="csr.submit",outcome="rejected",symbol="csr_key_type"} 1)"));
  EXPECT_TRUE(Has(R"(registry_command_seconds_bucket{command="csr.submit",le="0.0003"} 1)"));
  EXPECT_TRUE(Has(R"(registry_command_seconds_count{command="csr.submit"} 4)"));
}

TEST_F(MetricsTest, RefusalsOfALimitAreCountedByPartyAndClass) {
  for (int i = 0; i < 2; ++i) metrics_.Limited("asp-a", "write");
  metrics_.Limited("unknown", "read");
  EXPECT_TRUE(Has(R"(registry_limited_total{limit="write",party="asp-a"} 2)"));
  EXPECT_TRUE(Has(R"(registry_limited_total{limit="read",party="unknown"} 1)"));
}

TEST_F(MetricsTest, WhatPartiesInventDoesNotBecomeALabel) {
  metrics_.CommandDone("made.up", "rejected", "unknown_command", microseconds(1));
  metrics_.CommandDone("", "dead_letter", "topic_invalid", microseconds(1));
  EXPECT_TRUE(
      Has(R"(registry_commands_total{command="unknown",outcome="rejected",symbol="unknown_command"} 1)"));
  EXPECT_EQ(metrics_.Text(sample_).find("made.up"), std::string::npos);
}

TEST_F(MetricsTest, StepsHaveTheirOwnHistogram) {
  metrics_.StepDone("published", microseconds(250000));
  EXPECT_TRUE(Has(R"(registry_step_seconds_bucket{step="published",le="0.1"} 0)"));
  EXPECT_TRUE(Has(R"(registry_step_seconds_bucket{step="published",le="0.3"} 1)"));
}

TEST_F(MetricsTest, TransfersAreCountedByKindAndOutcome) {
  for (const char* outcome : {"requested", "approved", "failed"}) metrics_.TransferMoved("mno", outcome);
  metrics_.TransferMoved("mno", "requested");
  EXPECT_TRUE(Has(R"(registry_transfers_total{kind="mno",outcome="requested"} 2)"));
  EXPECT_TRUE(Has(R"(registry_transfers_total{kind="mno",outcome="failed"} 1)"));
}

TEST_F(MetricsTest, RenewalsAreCountedByOutcomeAndLookedUpWhereTheyAreDue) {
  for (const char* outcome : {"begun", "begun", "rekey", "done", "failed"}) metrics_.RenewalMoved(outcome);
  EXPECT_TRUE(Has(R"(registry_renewals_total{outcome="begun"} 2)"));
  EXPECT_TRUE(Has(R"(registry_renewals_total{outcome="failed"} 1)"));
  EXPECT_TRUE(Has("registry_renewals_due 0"));
  sample_.renewals_due = 3;
  sample_.renewals_under_way = 2;
  sample_.renewals_oldest = 1796083200;
  EXPECT_TRUE(Has("registry_renewals_due 3"));
  EXPECT_TRUE(Has("registry_renewals_under_way 2"));
  EXPECT_TRUE(Has("registry_renewals_oldest_due_timestamp_seconds 1796083200"));
}

TEST_F(MetricsTest, WhatIsLookedUpIsAsOfNow) {
  sample_.outbox_depth = 7;
  sample_.zone_serial = 2026112301;
  sample_.zone_first_expiry = 1796083200;
  sample_.zone_key_rolls = 2;
  sample_.zone_ds_due = true;
  sample_.secondaries = {{"nsd", 1.5, 2026112300, true, true, 0, 61.5}};
  EXPECT_TRUE(Has("registry_outbox_depth 7"));
  EXPECT_TRUE(Has("registry_zone_serial 2026112301"));
  EXPECT_TRUE(Has("registry_zone_key_rolls 2"));
  EXPECT_TRUE(Has("registry_zone_ds_due 1"));
  EXPECT_TRUE(Has("registry_zone_first_signature_expiry_timestamp_seconds 1796083200"));
  EXPECT_TRUE(Has(R"(registry_zone_lag_seconds{secondary="nsd"} 1.5)"));
  EXPECT_TRUE(Has(R"(registry_zone_secondary_left_behind{secondary="nsd"} 1)"));
  EXPECT_TRUE(Has(R"(registry_zone_secondary_left_behind_seconds{secondary="nsd"} 61.5)"));
  EXPECT_TRUE(Has("registry_mqtt_connected 0"));
  sample_.mqtt_connected = true;
  sample_.outbox_depth = 0;
  EXPECT_TRUE(Has("registry_mqtt_connected 1"));
  EXPECT_TRUE(Has("registry_outbox_depth 0"));
  EXPECT_TRUE(Has(R"(registry_build_info{version="1.2.3"} 1)"));
}

TEST_F(MetricsTest, RevocationsAreMeasuredAtEachSecondary) {
  metrics_.RevocationServed("nsd", microseconds(150'000));
  metrics_.RevocationServed("nsd", std::chrono::seconds(400));
  metrics_.SetZoneTtl("tlsa", 60);
  sample_.secondaries = {{"nsd", 0, 1, true, false, 2.5}, {"knot", 0, 1, true}};
  EXPECT_TRUE(Has(R"(registry_zone_revocation_served_seconds_bucket{secondary="nsd",le="0.1"} 0)"));
  EXPECT_TRUE(Has(R"(registry_zone_revocation_served_seconds_bucket{secondary="nsd",le="0.2"} 1)"));
  EXPECT_TRUE(Has(R"(registry_zone_revocation_served_seconds_bucket{secondary="nsd",le="1800"} 2)"));
  EXPECT_TRUE(Has(R"(registry_zone_revocation_waiting_seconds{secondary="nsd"} 2.5)"));
  EXPECT_TRUE(Has(R"(registry_zone_revocation_waiting_seconds{secondary="knot"} 0)"));
  EXPECT_TRUE(Has(R"(registry_zone_ttl_seconds{record="tlsa"} 60)"));
}

TEST_F(MetricsTest, WhatTheCensusCountedIsSaidOnceThereWasOne) {
  EXPECT_EQ(metrics_.Text(sample_).find("registry_devices"), std::string::npos) << "none is not nothing";
  sample_.census.taken = {1'790'000'000'000'000};
  sample_.census.states = {{domain::State::kActive, 7}, {domain::State::kDeleted, 0}};
  sample_.census.ends = {0, 2, 0, 0, 0, 5};
  sample_.census.on_hold = 3;
  EXPECT_TRUE(Has(R"(registry_devices{state="active"} 7)"));
  EXPECT_TRUE(Has(R"(registry_devices{state="deleted"} 0)"));
  EXPECT_TRUE(Has(R"(registry_certificates{ends="1d"} 2)"));
  EXPECT_TRUE(Has("registry_devices_on_hold 3"));
  EXPECT_TRUE(Has("registry_census_timestamp_seconds 1790000000"));
}

TEST_F(MetricsTest, EveryMnoHasItsJobsAndEveryPartyWhenItWasHeard) {
  sample_.heard_last = {{*PartyId::Parse("asp-a"), wire::Role::kAsp, {1'790'000'000'000'000}},
                        {*PartyId::Parse("mno-a"), wire::Role::kMno, {}}};
  sample_.jobs = {{*PartyId::Parse("mno-gone"), {2, 40}}};
  EXPECT_TRUE(Has(R"(registry_jobs{mno="mno-a",stage="open"} 0)"));
  EXPECT_TRUE(Has(R"(registry_jobs{mno="mno-gone",stage="unsent"} 40)"));
  EXPECT_EQ(metrics_.Text(sample_).find(R"(registry_jobs{mno="asp-a")"), std::string::npos);
  EXPECT_TRUE(Has(R"(registry_party_last_heard_timestamp_seconds{party="asp-a"} 1790000000)"));
  EXPECT_TRUE(Has(R"(registry_party_last_heard_timestamp_seconds{party="mno-a"} 0)"));
}

TEST_F(MetricsTest, AlarmsAreLoggedAndCounted) {
  metrics_.Log(3, "ledger: refused");
  metrics_.Log(1, "nothing special");
  EXPECT_EQ(logged_, "nothing special");
  EXPECT_TRUE(Has(R"(registry_alarms_total{level="error"} 1)"));
}

TEST_F(MetricsTest, WhatIsCountedElsewhereIsACounterAsOfNow) {
  sample_.mqtt_reconnects = 2;
  sample_.axfr = 3;
  EXPECT_TRUE(Has("registry_mqtt_reconnects_total 2"));
  EXPECT_TRUE(Has("registry_zone_axfr_total 3"));
  EXPECT_TRUE(Has("registry_zone_axfr_total 3")) << "asking does not count";
}

// name -> type, of every row in OPERATIONS.md's table of metrics.
std::map<std::string, std::string> Documented() {
  static const std::regex kRow(R"(^\| (`registry_.*`) \| (\w+) \|)"), kName(R"(`(registry_\w+))");
  std::map<std::string, std::string> documented;
  std::ifstream page(REGISTRY_SOURCE_DIR "/bridge/app/OPERATIONS.md");
  for (std::string line; std::getline(page, line);) {
    std::smatch row;
    if (!std::regex_search(line, row, kRow)) continue;
    const std::string names = row[1];
    for (std::sregex_iterator at(names.begin(), names.end(), kName), end; at != end; ++at) {
      documented[(*at)[1]] = row[2];
    }
  }
  return documented;
}

TEST_F(MetricsTest, ANodeThatDecidesSaysWhatItDoesItselfAndNothingElse) {
  metrics_.CommandDone("csr.submit", "accepted", "", microseconds(1));
  sample_.node.one_of_several = sample_.node.shared = sample_.node.deciding = true;
  sample_.mqtt_connected = true;
  sample_.heard = 5;
  const std::string text = metrics_.MemberText(sample_, std::nullopt);
  EXPECT_NE(text.find("\nregistry_commands_total{command=\"csr.submit\",outcome=\"accepted\""),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nregistry_node_deciding 1"), std::string::npos);
  EXPECT_NE(text.find("\nregistry_mqtt_heard_total 5"), std::string::npos);
  EXPECT_NE(text.find("\nregistry_build_info{"), std::string::npos);
  for (const char* const other :
       {"registry_zone_", "registry_outbox_depth", "registry_crl_", "registry_devices"})
    EXPECT_EQ(text.find(other), std::string::npos) << "an alarm for what another node does: " << other;
}

TEST_F(MetricsTest, ThePageDocumentsExactlyTheMetricsThereAre) {
  static const std::regex kType(R"(# TYPE (\w+) (\w+))");
  metrics_.CommandDone("csr.submit", "accepted", "", microseconds(1));
  metrics_.StepDone("published", microseconds(1));
  metrics_.OrderItemDone("deactivate", "done");
  metrics_.TransferMoved("asp", "completed");
  metrics_.RenewalMoved("done");
  metrics_.RevocationServed("nsd", microseconds(1));
  metrics_.SetZoneTtl("tlsa", 60);
  metrics_.Limited("asp-a", "write");
  metrics_.Log(2, "");
  sample_.secondaries = {{"nsd", 0, 1, true}};
  sample_.free_bytes = {{"ledger", 1}};
  sample_.tokens = {{"pkcs11:token=a", true}};
  sample_.census.taken = {1};
  sample_.census.states[domain::State::kActive] = 1;
  sample_.node.one_of_several = sample_.node.shared = true;
  sample_.heard_last = {{*PartyId::Parse("mno-a"), wire::Role::kMno, {}}};
  // Those of a node that stands by are on the same page.
  const std::string text = metrics_.Text(sample_) + StandbyText("0.1.0", sample_.node, ZoneCopySample{});
  std::map<std::string, std::string> there;
  for (std::sregex_iterator at(text.begin(), text.end(), kType), end; at != end; ++at) {
    there[(*at)[1]] = (*at)[2];
  }
  EXPECT_GT(there.size(), 15u);
  EXPECT_EQ(there, Documented());
  // OpenMetrics 1.0 "Counter": a total only grows, and what only grows is called one; promtool says the same.
  for (const auto& [name, type] : there) EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
}

}  // namespace
}  // namespace registry::app
