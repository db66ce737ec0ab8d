// Random histories over the pure decisions: `simulation_test --seed N` plays one, the same every time, and prints it;
// `--seeds N` says how many are played (default 150), `--first N` with which seed they begin.
#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bridge/ingest/commands.h"
#include "schemas/wire/queries.h"
#include "tests/simulation/history.h"
#include "tests/simulation/mutations.h"

namespace registry::simulation {
namespace {

std::uint64_t seeds = 150, first = 1;
std::optional<std::uint64_t> only;

TEST(Simulation, NoHistoryBreaksARule) {
  if (only) GTEST_SKIP() << "one seed is played, and printed";
  std::map<std::string, std::size_t> seen;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const History history = Generate(seed);
    const Played played = Play(history);
    ASSERT_FALSE(played.fault) << Describe(seed, history, played);
    for (const auto& [what, times] : played.seen) seen[what] += times;
  }
  // What the histories never come to is not checked by them.
  for (const StepKind& step : Steps()) EXPECT_GT(seen[std::string("step ") + step.name], 0u) << step.name;
  for (const char* state :
       {"registered", "attached", "certified", "published", "active", "deactivated", "deleted"}) {
    EXPECT_GT(seen[std::string("state ") + state], 0u) << state;
  }
  for (const wire::MessageName& message : wire::Catalogue()) {
    if (message.kind != wire::MessageName::Kind::kCommand) continue;
    EXPECT_GT(seen[std::string(message.name) + " accepted"], 0u) << message.name;
    if (ingest::FindCommand(message.name)->way == ingest::Way::kReads) continue;  // which has no duplicate
    EXPECT_GT(seen[std::string(message.name) + " duplicate"], 0u) << message.name;
  }
}

TEST(Simulation, ASeedIsTheSameHistoryEveryTime) {
  for (std::uint64_t seed = first; seed < first + 3; ++seed) {
    EXPECT_EQ(Play(Generate(seed)).lines, Play(Generate(seed)).lines) << seed;
  }
}

TEST(Simulation, FindsWhatADecisionForgets) {
  constexpr std::uint64_t kSeedsMax = 50;
  for (const MutationKind& kind : Mutations()) {
    std::optional<std::string> fault;
    std::uint64_t seed = 0;
    while (!fault && seed < kSeedsMax) fault = Play(Generate(++seed), kind.mutate).fault;
    EXPECT_TRUE(fault) << kind.name << " is not found";
    std::printf("%s: found with seed %d (%s)\n", kind.name, static_cast<int>(seed),
                fault.value_or("").c_str());
  }
}

TEST(Simulation, ShortensWhatItFinds) {
  const auto& kind = Mutations().front();
  std::uint64_t seed = 0;
  Played played;
  while (!played.fault) played = Play(Generate(++seed), kind.mutate);
  const History shorter = Shorten(Generate(seed), *played.fault, kind.mutate);
  EXPECT_LE(shorter.size(), 20u);
  EXPECT_TRUE(Play(shorter, kind.mutate).fault);
}

int PlayOnly(std::uint64_t seed) {
  const History history = Generate(seed);
  const Played played = Play(history);
  for (const std::string& line : played.lines) std::printf("%s\n", line.c_str());
  if (!played.fault) return EXIT_SUCCESS;
  std::printf("%s", Describe(seed, history, played).c_str());
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace registry::simulation

int main(int argc, char** argv) {
  using namespace registry::simulation;
  testing::InitGoogleMock(&argc, argv);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = value;
    if (std::strcmp(argv[i], "--first") == 0) first = value;
    if (std::strcmp(argv[i], "--seed") == 0) only = value;
  }
  return only ? PlayOnly(*only) : RUN_ALL_TESTS();
}
