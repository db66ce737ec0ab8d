#include "simulators/page/page.h"

#include "simulators/page/chart.h"
#include "simulators/page/text.h"

namespace registry::page {
namespace {

// Six colours that are told apart on both grounds, also by most who do not see all colours.
constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--ground:#f7f8fa;--card:#fff;--ink:#1b2430;--soft:#5a6675;--rule:#dde2e8;
--good:#18794e;--bad:#b42318;--c0:#1f6feb;--c1:#c2570c;--c2:#0f8a6a;--c3:#8250df;--c4:#b0851b;--c5:#bf3989}
@media (prefers-color-scheme:dark){:root{--ground:#10151c;--card:#18202a;--ink:#e6ebf1;--soft:#9aa7b5;--rule:#2d3845;
--good:#4cc38a;--bad:#ff8a80;--c0:#6cb0ff;--c1:#ffa657;--c2:#56d4ad;--c3:#c297ff;--c4:#e3c04f;--c5:#ff8fcb}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0}
h2{font-size:1.1rem;margin:0 0 .25rem}
p{margin:.25rem 0 .75rem;color:var(--soft);max-width:46rem}
.outcome{color:var(--ink);border-left:4px solid var(--bad);padding-left:.75rem}
.outcome.good{border-color:var(--good)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1rem 0}
.tile,section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:1rem}
.tile dt{color:var(--soft);font-size:.85rem}
.tile dd{margin:0;white-space:nowrap;font-size:1.6rem;font-weight:600;line-height:1.3}
.tile dd small{display:block;white-space:normal;font-size:.8rem;font-weight:400;color:var(--soft)}
.sections{display:grid;grid-template-columns:minmax(0,1fr);gap:.75rem}
@media (min-width:60rem){.sections{grid-template-columns:repeat(2,minmax(0,1fr))}.wide{grid-column:1/-1}}
figure{margin:0}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:0 0 .5rem;padding:0;font-size:.85rem}
.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin-right:.4rem;vertical-align:-1px}
.plot{display:grid;grid-template-columns:3.5rem minmax(0,1fr);font-size:.75rem;color:var(--soft)}
.plot .y{position:relative;height:13rem}
.plot .y span{position:absolute;right:.5rem;transform:translateY(50%);white-space:nowrap}
.plot svg{width:100%;height:13rem;overflow:visible}
.plot .x{grid-column:2;display:flex;justify-content:space-between;padding-top:.4rem}
polyline{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.grid{stroke:var(--rule);stroke-width:1;vector-effect:non-scaling-stroke}
.rows{display:grid;grid-template-columns:minmax(4.5rem,max-content) minmax(0,1fr) max-content;gap:.2rem .6rem;
align-items:center;font-size:.8rem}
.rows svg{width:100%;height:1.35rem;overflow:visible}
.rows .value{text-align:right;white-space:nowrap}
.rows .span{stroke:var(--soft);stroke-width:2}
.ticks{position:relative;height:1.4rem;color:var(--soft);font-size:.7rem}
.ticks span{position:absolute;transform:translateX(-50%);white-space:nowrap}
@media (max-width:30rem){.ticks span:nth-child(even){display:none}
.rows{grid-template-columns:minmax(4rem,max-content) minmax(0,1fr)}
.rows .value{grid-column:2;margin-top:-.3rem;text-align:left}
.rows .value:empty,.rows>div:last-child:empty{display:none}}
i.c0{background:var(--c0)}i.c1{background:var(--c1)}i.c2{background:var(--c2)}
i.c3{background:var(--c3)}i.c4{background:var(--c4)}i.c5{background:var(--c5)}
polyline.c0{stroke:var(--c0)}polyline.c1{stroke:var(--c1)}polyline.c2{stroke:var(--c2)}
polyline.c3{stroke:var(--c3)}polyline.c4{stroke:var(--c4)}polyline.c5{stroke:var(--c5)}
rect.c0,circle.c0{fill:var(--c0)}circle.c1{fill:var(--c1)}
details{margin-top:.75rem;font-size:.85rem}
summary{cursor:pointer;color:var(--soft)}
.scroll{overflow:auto}details .scroll{max-height:24rem}
table{border-collapse:collapse;font-size:.85rem;min-width:100%}
th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid var(--rule);font-variant-numeric:tabular-nums}
th:first-child{text-align:left}thead th{font-weight:600;color:var(--soft)}tbody th{font-weight:400}
.words td,.words th{text-align:left;overflow-wrap:anywhere}
.kept{color:var(--good)}.broken{color:var(--bad)}
@media (max-width:30rem){.tile dd{font-size:1.25rem}th,td{padding:.3rem .25rem;font-size:.8rem}
.word{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}
.none{font-style:italic}
)css";

std::string Tiles(const Page& page) {
  if (page.tiles.empty()) return {};
  std::string html = "<dl class=\"tiles\">";
  for (const Tile& tile : page.tiles) {
    html += "<div class=\"tile\"><dt>" + Escaped(tile.label) + "</dt><dd>" + Escaped(tile.value) + "<small>" +
            Escaped(tile.about) + "</small></dd></div>";
  }
  return html + "</dl>\n";
}

std::string Judged(const Verdict& verdict) {
  if (!verdict.kept) return "<td>–</td>";
  const std::string word = *verdict.kept ? "kept" : "broken";
  return "<td class=\"" + word + "\">" + (*verdict.kept ? "✓" : "✗") + "<span class=\"word\"> " + word +
         "</span></td>";
}

std::string Verdicts(const Page& page) {
  if (page.verdicts.empty()) return {};
  std::string html =
      "<section class=\"wide\"><h2>Beside the budgets</h2>\n<p>What this run reached, and what is wanted of "
      "two cores. "
      "A budget for full load is not broken by a run that offered less.</p>\n<div class=\"scroll\" "
      "tabindex=\"0\">"
      "<table><thead><tr><th scope=\"col\">figure</th><th scope=\"col\">this run</th><th "
      "scope=\"col\">budget</th>"
      "<th scope=\"col\">verdict</th></tr></thead>"
      "<tbody>\n";
  for (const Verdict& verdict : page.verdicts) {
    html += "<tr><th scope=\"row\">" + Escaped(verdict.what) + "</th><td>" + Escaped(verdict.value) +
            "</td><td>" + Escaped(verdict.budget) + "</td>" + Judged(verdict) + "</tr>\n";
  }
  return html + "</tbody></table></div></section>\n";
}

std::string ToHtml(const Table& table) {
  return "<section class=\"wide words\"><h2>" + Escaped(table.title) + "</h2>\n<p>" + Escaped(table.about) +
         "</p>\n" + TableOf(table.columns, table.rows) + "</section>\n";
}

}  // namespace

std::string ToHtml(const Page& page) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<title>" +
      Escaped(page.title) + "</title>\n<style>" + kStyle + "</style></head>\n<body><main>\n<h1>" +
      Escaped(page.title) + "</h1>\n<p class=\"outcome" + (page.good ? " good" : "") + "\">" +
      Escaped(page.about) + "</p>\n" + Tiles(page) + "<div class=\"sections\">\n" + Verdicts(page);
  for (const Section& section : page.sections)
    html += std::visit([](const auto& part) { return ToHtml(part); }, section);
  return html + "</div>\n</main></body></html>\n";
}

}  // namespace registry::page
