// bridge/app/CAPACITY.md computes what so many devices need from figures that were measured. Its second table is what this
// says that follows from the first: who measures anew changes one number, and the test says what else changes.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <sstream>

#include "tests/tidy/tree.h"

namespace registry::tidy {
namespace {

constexpr double kDay = 86'400, kYear = 365 * kDay, kMonth = kYear / 12;
const std::array<double, 3> kSizes = {1e6, 1e7, 1e9};

using Cells = std::vector<std::string>;

Cells CellsOf(const std::string& line) {
  Cells cells;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    const auto from = cell.find_first_not_of(' '), to = cell.find_last_not_of(' ');
    cells.push_back(from == std::string::npos ? "" : cell.substr(from, to - from + 1));
  }
  return cells;
}

// The rows of the table behind this heading, without its own two.
std::vector<Cells> TableBehind(const std::string& heading) {
  std::vector<Cells> rows;
  bool here = false;
  for (const std::string& line :
       ReadLines(std::filesystem::path(REGISTRY_SOURCE_DIR) / "bridge/app/CAPACITY.md")) {
    if (line.starts_with("#")) here = line == heading;
    if (here && line.starts_with("|")) rows.push_back(CellsOf(line));
  }
  if (rows.size() >= 2) rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

// Three digits that count, and a unit that people read.
std::string Short(double value, const std::vector<std::pair<double, const char*>>& units) {
  auto unit = units.front();
  for (const auto& one : units) {
    if (value >= one.first) unit = one;
  }
  const double scaled = value / unit.first;
  std::ostringstream out;
  out.precision(scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2);
  out << std::fixed << scaled;
  return out.str() + unit.second;
}
std::string Octets(double value) { return Short(value, {{1e6, " MB"}, {1e9, " GB"}, {1e12, " TB"}}); }
std::string Time(double value) {
  return Short(value, {{1, " s"}, {60, " min"}, {3600, " h"}, {kDay, " days"}});
}
std::string Number(double value) { return Short(value, {{1, ""}}); }

class Capacity : public testing::Test {
 protected:
  void SetUp() override {
    for (const Cells& row : TableBehind("## Figures")) {
      ASSERT_GE(row.size(), 2u);
      figures_[row[0]] = std::stod(row[1]);
    }
    ASSERT_FALSE(figures_.empty());
  }
  double F(const std::string& name) {
    EXPECT_TRUE(figures_.contains(name)) << "no figure is called " << name;
    return figures_[name];
  }
  // Devices that begin or end to exist, a second.
  double Churn(double devices) { return devices * F("churn a month, percent") / 100 / kMonth; }
  double Renewals(double devices) { return devices * F("renewals of a device a year") / kYear; }
  double Decided(double devices) { return Churn(devices) + Renewals(devices); }
  double Live(double devices, const std::string& backend) {
    return devices * F("octets a device, " + backend) +
           Decided(devices) * F("days that marks stay") * kDay * F("octets of marks an activation leaves");
  }
  // What a year adds and nothing takes away: history, and a tombstone for each device that went.
  double Growth(double devices, const std::string& backend) {
    return kYear * (Decided(devices) * F("history entries of an activation") *
                        F("octets of a history entry, " + backend) +
                    Churn(devices) * F("octets a device, " + backend));
  }

  std::map<std::string, double> figures_;
};

TEST_F(Capacity, ThePageSaysWhatFollowsFromItsFigures) {
  using Formula = std::function<std::string(double devices)>;
  const std::vector<std::pair<std::string, Formula>> wanted = {
      {"renewals and new devices, a second", [&](double n) { return Number(Decided(n)); }},
      {"the same in a peak of ten times that", [&](double n) { return Number(10 * Decided(n)); }},
      {"processors for registryd at the peak",
       [&](double n) { return Number(10 * Decided(n) * F("CPU of registryd, us") / 1e6); }},
      {"processors for registryd and PostgreSQL at the peak",
       [&](double n) { return Number(10 * Decided(n) * F("CPU of registryd and PostgreSQL, us") / 1e6); }},
      {"processors for broker and DNS at the peak",
       [&](double n) { return Number(10 * Decided(n) * F("CPU of broker and DNS, us") / 1e6); }},
      {"ledger in RocksDB", [&](double n) { return Octets(Live(n, "RocksDB")); }},
      {"ledger in PostgreSQL", [&](double n) { return Octets(Live(n, "PostgreSQL")); }},
      {"what a year adds, RocksDB", [&](double n) { return Octets(Growth(n, "RocksDB")); }},
      {"what a year adds, PostgreSQL", [&](double n) { return Octets(Growth(n, "PostgreSQL")); }},
      {"log that is written a day",
       [&](double n) { return Octets(Decided(n) * kDay * F("octets an activation writes")); }},
      {"memory of registryd",
       [&](double n) {
         return Octets(F("memory of registryd without a zone, MB") * 1e6 + n * F("memory of a name, octets"));
       }},
      {"memory of a secondary", [&](double n) { return Octets(n * F("memory of a name in BIND, octets")); }},
      {"start of registryd", [&](double n) { return Time(n * F("start a name, us") / 1e6); }},
      {"first filling", [&](double n) { return Time(n / F("activations a second")); }},
  };
  const auto rows = TableBehind("## What follows");
  ASSERT_EQ(rows.size(), wanted.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Cells expected = {wanted[i].first};
    for (const double devices : kSizes) expected.push_back(wanted[i].second(devices));
    EXPECT_EQ(rows[i], expected);
  }
}

}  // namespace
}  // namespace registry::tidy
