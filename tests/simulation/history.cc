#include "tests/simulation/history.h"

#include <algorithm>
#include <numeric>

#include "tests/simulation/rules.h"

namespace registry::simulation {
namespace {

constexpr std::size_t kVerifyEvery = 16;  // moves: reading everything takes longer than all the rest
constexpr std::size_t kLinesAtTheEnd = 12;
constexpr int kPlaysToShorten = 400;

std::size_t AnyStep(Dice& dice) {
  const auto& steps = Steps();
  const std::size_t sum =
      std::accumulate(steps.begin(), steps.end(), std::size_t{0},
                      [](std::size_t so_far, const StepKind& step) { return so_far + step.weight; });
  std::size_t at = dice.Below(sum);
  std::size_t step = 0;
  while (at >= steps[step].weight) at -= steps[step++].weight;
  return step;
}

std::string Line(std::size_t number, const std::string& name, const World& world) {
  std::string line = std::to_string(number) + " " + ToRfc3339(world.clock.now) + " " + name;
  for (const std::string& note : world.notes) line += " | " + note;
  return line;
}

void Count(const World& world, std::size_t sent_before, Played& played) {
  for (std::size_t i = sent_before; i < world.sent.size(); ++i) {
    ++played.seen[world.sent[i].command + " " + world.sent[i].outcome];
  }
  const auto devices = world.ledger().DevicesAfter(std::nullopt, ~std::size_t{0});
  for (const auto& device : *devices) ++played.seen["state " + std::string(domain::StateName(device.state))];
}

void PlayOne(const Move& move, std::size_t number, World& world, Played& played) {
  const StepKind& step = Steps()[move.step];
  const std::size_t sent_before = world.sent.size();
  Dice dice(move.seed);
  world.Seed(dice.Roll());
  world.notes.clear();
  step.play(world, dice);
  played.lines.push_back(Line(number, step.name, world));
  ++played.seen[std::string("step ") + step.name];
  played.fault = FirstFault(world);
  if (!played.fault && number % kVerifyEvery == 0) played.fault = VerifyFault(world);
  Count(world, std::min(sent_before, world.sent.size()), played);
}

std::string RuleOf(const std::string& fault) { return fault.substr(0, fault.find(':')); }

}  // namespace

History Generate(std::uint64_t seed, std::size_t moves) {
  Dice dice(seed);
  History history(moves);
  for (Move& move : history) move = {AnyStep(dice), dice.Roll()};
  return history;
}

Played Play(const History& history, MeddledLedger::Mutation mutation) {
  World world(std::move(mutation));
  Played played;
  for (std::size_t i = 0; i < history.size() && !played.fault; ++i) PlayOne(history[i], i + 1, world, played);
  if (played.fault) return played;
  for (const auto& [query, times] : world.reads) played.seen[query + " accepted"] += times;
  world.notes.clear();
  LetEverythingEnd(world);
  played.lines.push_back(Line(history.size() + 1, "the end", world));
  played.fault = FirstFault(world);
  if (!played.fault) played.fault = VerifyFault(world);
  return played;
}

// Leaves out a half, a quarter … a single move, as long as the same rule is broken without it.
History Shorten(History history, const std::string& fault, const MeddledLedger::Mutation& mutation) {
  int plays = kPlaysToShorten;
  for (std::size_t size = std::max<std::size_t>(history.size() / 2, 1); size > 0; size /= 2) {
    for (std::size_t at = 0; at < history.size() && plays > 0;) {
      History shorter = history;
      const auto from = shorter.begin() + static_cast<std::ptrdiff_t>(at);
      const auto to = shorter.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, shorter.size()));
      shorter.erase(from, to);
      --plays;
      const auto again = Play(shorter, mutation).fault;
      if (again && RuleOf(*again) == RuleOf(fault)) {
        history = std::move(shorter);
      } else {
        at += size;
      }
    }
  }
  return history;
}

std::string Describe(std::uint64_t seed, const History& history, const Played& played,
                     const MeddledLedger::Mutation& mutation) {
  std::string text = "seed " + std::to_string(seed) + ": " + *played.fault + "\nits end:\n";
  const std::size_t from = played.lines.size() - std::min(played.lines.size(), kLinesAtTheEnd);
  for (std::size_t i = from; i < played.lines.size(); ++i) text += "  " + played.lines[i] + "\n";
  const Played shorter = Play(Shorten(history, *played.fault, mutation), mutation);
  text += "shortened:\n";
  for (const std::string& line : shorter.lines) text += "  " + line + "\n";
  return text + "  " + shorter.fault.value_or("") + "\n";
}

}  // namespace registry::simulation
