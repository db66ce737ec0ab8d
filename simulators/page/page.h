// simulators/page/page.h: one HTML file about a run: what came of it, figures beside their budgets, charts with the table
// behind each, settings. It needs no network and no script, follows the reader's light or dark, and reads on a phone.
// Plain values; any thread.
// Safety: every text is escaped here, so the caller gives texts as they are. What is no number (not finite) is left out.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace registry::page {

// A big figure at the top.
struct Tile {
  std::string label, value, about;
};

// `kept`: whether the value is within its budget; nullopt: it has none, or this run says nothing of it.
struct Verdict {
  std::string what, value, budget;
  std::optional<bool> kept;
};

struct Line {
  std::string name;
  std::vector<double> y;  // one for each x
};

// Lines over a common x that grows. Without two points there is a sentence in place of the chart.
struct LineChart {
  std::string title, about, x_name, y_name;
  std::vector<double> x;
  std::vector<Line> lines;
};

// Two times per row on a logarithmic axis, in milliseconds.
struct SpanChart {
  std::string title, about, from_name, to_name;
  struct Row {
    std::string name;
    double from = 0, to = 0;
    std::vector<std::string> more;  // further cells of the table
  };
  std::vector<std::string> more_names;
  std::vector<Row> rows;
};

// One bar per row, from 0.
struct BarChart {
  std::string title, about, value_name;
  struct Row {
    std::string name;
    double value = 0;
    std::vector<std::string> more;
  };
  std::vector<std::string> more_names;
  std::vector<Row> rows;
};

struct Table {
  std::string title, about;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

using Section = std::variant<LineChart, SpanChart, BarChart, Table>;

struct Page {
  std::string title, about;  // the outcome in a sentence
  bool good = false;
  std::vector<Tile> tiles;
  std::vector<Verdict> verdicts;
  std::vector<Section> sections;
};

std::string ToHtml(const Page& page);

}  // namespace registry::page
