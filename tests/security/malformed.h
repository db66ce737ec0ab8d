// tests/security/malformed.h: messages nobody may send, one family a fault, each with the symbols its refusal may have.
// Everything but the one fault is good, so that what is refused is what the family says. Randomness comes from the
// caller's generator alone: one seed, one flood. Values, any thread.
#pragma once

#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace registry::test {

using Random = std::mt19937_64;

struct Malformed {
  std::string command;  // what follows registry/v1/from/{party}/
  std::string payload;
};

struct Family {
  std::string name;
  std::set<std::string> symbols;
  std::function<Malformed(const std::string& id, Random& random)> make;
  int share = 1;              // how many of them come to one of another family, out of kShare
  bool names_command = true;  // else the answer comes on the party's topic for what names none
};
inline constexpr int kShare = 100;

// For an MNO called `party`.
std::vector<Family> Families(const std::string& party);

}  // namespace registry::test
