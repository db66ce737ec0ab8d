// simulators/page/chart.h: the charts of a page as inline SVG, each in a figure with its table behind it. What has a text is
// HTML, and only shapes are SVG: so a chart may be as wide as the screen, and its texts keep their size.
// Plain functions, any thread.
#pragma once

#include <string>

#include "simulators/page/page.h"

namespace registry::page {

std::string ToHtml(const LineChart& chart);
std::string ToHtml(const SpanChart& chart);
std::string ToHtml(const BarChart& chart);
// What a linear axis from 0 says so that it holds `most`: a step of 1, 2 or 5 times a power of ten, four to six ticks.
double StepFor(double most);

}  // namespace registry::page
