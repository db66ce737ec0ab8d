#include "schemas/document/life_cycle.h"

#include "schemas/document/page.h"

namespace registry::document {
namespace {

// From `from` to `to`: the new state, "stays", or a dash where it is refused.
std::string Cell(const Json& from, const Json& to) {
  if (to.is_null()) return "–";
  return from == to ? "stays" : to.get<std::string>();
}

std::string Cells(const Json& states, const Json& row) {
  std::string cells;
  for (std::size_t column = 0; column < states.size(); ++column) {
    cells += " | " + Cell(states.at(column), row.at("to").at(column));
  }
  return cells;
}

std::string Names(const Json& row, const std::string& member) {
  std::string names;
  for (const Json& name : row.value(member, Json::array())) {
    names += (names.empty() ? "`" : ", `") + name.get<std::string>() + '`';
  }
  return names;
}

std::string Heading(const Json& states, const std::string& first, const std::string& more) {
  std::string heading = "| " + first;
  for (const Json& state : states) heading += " | " + state.get<std::string>();
  return heading + more + " |";
}

std::string Commands(const Json& life_cycle) {
  std::string rows;
  for (const Json& row : life_cycle.at("commands")) {
    rows += "| " + row.at("command").get<std::string>() + Cells(life_cycle.at("states"), row) + " | " +
            Names(row, "refusedWhile") + " | " + Names(row, "onlyWhile") + " |\n";
  }
  return rows;
}

std::string Facts(const Json& life_cycle) {
  std::string rows;
  for (const Json& row : life_cycle.at("facts")) {
    rows += "| " + row.at("fact").get<std::string>() + Cells(life_cycle.at("states"), row) + " |\n";
  }
  return rows;
}

}  // namespace

std::string WithLifeCycle(const std::string& page, const Json& life_cycle) {
  const Json& states = life_cycle.at("states");
  std::string made = page;
  ReplaceRows(made, Heading(states, "command", " | refused while | only while"), Commands(life_cycle));
  ReplaceRows(made, Heading(states, "fact", ""), Facts(life_cycle));
  return made;
}

}  // namespace registry::document
