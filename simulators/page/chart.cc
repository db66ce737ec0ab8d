#include "simulators/page/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "simulators/page/text.h"

namespace registry::page {
namespace {

constexpr double kBoard = 1000;      // of the SVG of a line chart, both ways; it is stretched to its place
constexpr std::size_t kColours = 6;  // page.cc
constexpr std::size_t kPointsMax = 600, kTableRowsMax = 120;

std::string Decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", std::isfinite(value) ? value : 0);
  return text;
}

std::string Percent(double share) { return Decimal(std::clamp(share, 0.0, 1.0) * 100) + "%"; }

std::string Colour(std::size_t number) { return "c" + std::to_string(number % kColours); }

std::string Figure(const std::string& title, const std::string& about, const std::string& body,
                   const std::string& table, bool wide = false) {
  return "<section" + std::string(wide ? " class=\"wide\"" : "") + "><h2>" + Escaped(title) + "</h2>\n<p>" +
         Escaped(about) + "</p>\n<figure>" + body +
         "</figure>\n<details><summary>The figures as a table</summary>\n" + table + "</details></section>\n";
}

std::string Nothing(const std::string& title) {
  return "<section><h2>" + Escaped(title) +
         "</h2>\n<p class=\"none\">The run was too short for this.</p></section>\n";
}

// Every how manieth point is kept so that at most `most` are left.
std::size_t Stride(std::size_t points, std::size_t most) { return (points + most - 1) / most; }

double MostOf(const LineChart& chart) {
  double most = 0;
  for (const Line& line : chart.lines) {
    for (const double y : line.y) most = std::isfinite(y) ? std::max(most, y) : most;
  }
  return most;
}

std::string LineTable(const LineChart& chart) {
  std::vector<std::string> columns{chart.x_name};
  for (const Line& line : chart.lines) columns.push_back(line.name);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < chart.x.size(); i += Stride(chart.x.size(), kTableRowsMax)) {
    std::vector<std::string> row{Number(chart.x[i])};
    for (const Line& line : chart.lines) row.push_back(i < line.y.size() ? Number(line.y[i]) : "–");
    rows.push_back(std::move(row));
  }
  return TableOf(columns, rows);
}

std::string Polyline(const LineChart& chart, const Line& line, double top, std::size_t number) {
  const double first = chart.x.front(), width = std::max(chart.x.back() - first, 1e-9);
  std::string points;
  const std::size_t size = std::min(chart.x.size(), line.y.size());
  for (std::size_t i = 0; i < size; i += Stride(size, kPointsMax)) {
    if (!std::isfinite(line.y[i])) continue;
    points += Decimal((chart.x[i] - first) / width * kBoard) + "," +
              Decimal(kBoard - std::clamp(line.y[i] / top, 0.0, 1.0) * kBoard) + " ";
  }
  return "<polyline class=\"" + Colour(number) + "\" points=\"" + points + "\"/>";
}

std::string Legend(const std::vector<std::string>& names) {
  std::string html = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < names.size(); ++i)
    html += "<li><i class=\"" + Colour(i) + "\"></i>" + Escaped(names[i]) + "</li>";
  return html + "</ul>";
}

std::string LegendOf(const LineChart& chart) {
  std::vector<std::string> names;
  for (const Line& line : chart.lines) names.push_back(line.name);
  return Legend(names);
}

// What a reader who does not see the chart is told.
std::string InWords(const LineChart& chart) {
  std::string words = chart.title + ", " + chart.y_name + " over " + chart.x_name + ".";
  for (const Line& line : chart.lines) {
    if (line.y.empty()) continue;
    words += " " + line.name + ": at most " + Number(*std::max_element(line.y.begin(), line.y.end())) +
             ", at the end " + Number(line.y.back()) + ".";
  }
  return words;
}

constexpr double kFirstMs = 0.1;  // where the axis of spans begins

// Decades from kFirstMs.
double Decades(double ms) { return std::log10(std::max(ms, kFirstMs) / kFirstMs); }

std::string SpanRow(const SpanChart::Row& row, double decades) {
  const std::string from = Percent(Decades(row.from) / decades), to = Percent(Decades(row.to) / decades);
  return "<div class=\"name\">" + Escaped(row.name) +
         "</div><svg aria-hidden=\"true\"><line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"50%\" y2=\"50%\"/>" +
         "<line class=\"span\" x1=\"" + from + "\" x2=\"" + to + "\" y1=\"50%\" y2=\"50%\"/>" +
         "<circle class=\"c0\" cx=\"" + from + "\" cy=\"50%\" r=\"5\"/><circle class=\"c1\" cx=\"" + to +
         "\" cy=\"50%\" r=\"5\"/></svg><div class=\"value\">" + Duration(row.from) + " · " +
         Duration(row.to) + "</div>\n";
}

std::string SpanTable(const SpanChart& chart) {
  std::vector<std::string> columns{"step", chart.from_name, chart.to_name};
  columns.insert(columns.end(), chart.more_names.begin(), chart.more_names.end());
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : chart.rows) {
    rows.push_back({row.name, Duration(row.from), Duration(row.to)});
    rows.back().insert(rows.back().end(), row.more.begin(), row.more.end());
  }
  return TableOf(columns, rows);
}

std::string BarTable(const BarChart& chart) {
  std::vector<std::string> columns{"what", chart.value_name};
  columns.insert(columns.end(), chart.more_names.begin(), chart.more_names.end());
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : chart.rows) {
    rows.push_back({row.name, Number(row.value)});
    rows.back().insert(rows.back().end(), row.more.begin(), row.more.end());
  }
  return TableOf(columns, rows);
}

}  // namespace

double StepFor(double most) {
  if (!(most > 0) || !std::isfinite(most)) return 1;
  const double raw = most / 5, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

std::string ToHtml(const LineChart& chart) {
  if (chart.x.size() < 2) return Nothing(chart.title);
  const double step = StepFor(MostOf(chart));
  const double top = std::max(std::ceil(MostOf(chart) / step), 1.0) * step;
  std::string labels, shapes;
  for (double y = 0; y <= top * 1.001; y += step) {
    labels += "<span style=\"bottom:" + Percent(y / top) + "\">" + Number(y) + "</span>";
    const std::string at = Decimal(kBoard - y / top * kBoard);
    shapes += "<line class=\"grid\" x1=\"0\" x2=\"1000\" y1=\"" + at + "\" y2=\"" + at + "\"/>";
  }
  for (std::size_t i = 0; i < chart.lines.size(); ++i) shapes += Polyline(chart, chart.lines[i], top, i);
  const std::string body =
      LegendOf(chart) + "<div class=\"plot\"><div class=\"y\" aria-hidden=\"true\">" + labels +
      "</div><svg role=\"img\" viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" aria-label=\"" +
      Escaped(InWords(chart)) + "\">" + shapes + "</svg><div class=\"x\" aria-hidden=\"true\"><span>" +
      Number(std::round(chart.x.front())) + "</span><span>" + Escaped(chart.x_name) + "</span><span>" +
      Number(std::round(chart.x.back())) + "</span></div></div>";
  return Figure(chart.title, chart.about + " (" + chart.y_name + ")", body, LineTable(chart));
}

std::string ToHtml(const SpanChart& chart) {
  if (chart.rows.empty()) return Nothing(chart.title);
  double most = 1;
  for (const auto& row : chart.rows) most = std::max({most, row.from, row.to});
  const double decades = std::ceil(Decades(most) + 0.001);
  std::string body = Legend({chart.from_name, chart.to_name}) + "<div class=\"rows\">";
  for (const auto& row : chart.rows) body += SpanRow(row, decades);
  body += "<div></div><div class=\"ticks\" aria-hidden=\"true\">";
  for (int i = 0; i <= static_cast<int>(decades); ++i) {
    body += "<span style=\"left:" + Percent(i / decades) + "\">" + Duration(kFirstMs * std::pow(10, i)) +
            "</span>";
  }
  return Figure(chart.title, chart.about, body + "</div><div></div></div>", SpanTable(chart), true);
}

std::string ToHtml(const BarChart& chart) {
  if (chart.rows.empty()) return Nothing(chart.title);
  double most = 0;
  for (const auto& row : chart.rows) most = std::max(most, row.value);
  std::string body = "<div class=\"rows\">";
  for (const auto& row : chart.rows) {
    body += "<div class=\"name\">" + Escaped(row.name) +
            "</div><svg aria-hidden=\"true\"><rect class=\"c0\" x=\"0\" y=\"15%\" height=\"70%\" rx=\"2\" "
            "width=\"" +
            Percent(most > 0 ? row.value / most : 0) + "\"/></svg><div class=\"value\">" + Number(row.value) +
            "</div>\n";
  }
  return Figure(chart.title, chart.about + " (" + chart.value_name + ")", body + "</div>", BarTable(chart));
}

}  // namespace registry::page
