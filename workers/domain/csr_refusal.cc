#include "workers/domain/csr_refusal.h"

#include <algorithm>

#include "workers/domain/compose.h"

namespace registry::domain {
namespace {

constexpr std::string_view kRefused = "csr.submit refused: ";  // DO NOT CHANGE: ledgers hold it

std::string OfAttempt(std::uint32_t attempt) { return ", attempt " + std::to_string(attempt); }

bool IsRefusal(const TraceStep& step) { return step.step.starts_with(kRefused); }

std::vector<TraceStep>::const_iterator Find(const Device& device) {
  const auto& trace = device.trace;
  for (auto step = trace.rbegin(); step != trace.rend(); ++step) {
    if (IsRefusal(*step)) return std::prev(step.base());
    if (step->step == wire::KeyGenerate::kName || step->step == "certified") break;
  }
  return trace.end();
}

}  // namespace

bool NoteCsrRefused(Device& device, std::string_view symbol, std::uint32_t attempt, UtcTime now) {
  const std::string step = std::string(kRefused) + std::string(symbol) + OfAttempt(attempt);
  const auto former = Find(device);
  const bool said = former != device.trace.end() && former->step == step;
  if (former != device.trace.end()) device.trace.erase(former);
  NoteStep(device, step, now);
  return !said;
}

bool CsrRefusal::IsOfAttempt(std::uint32_t attempt) const { return why.ends_with(OfAttempt(attempt)); }

std::optional<CsrRefusal> LastCsrRefusal(const Device& device) {
  const auto step = Find(device);
  if (step == device.trace.end()) return std::nullopt;
  return CsrRefusal{step->step.substr(kRefused.size()), step->at};
}

}  // namespace registry::domain
