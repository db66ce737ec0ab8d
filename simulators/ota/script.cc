#include "simulators/ota/script.h"

namespace registry::sim::ota {
namespace {

constexpr std::uint8_t kDefiniteScript = 0xaa, kDefiniteAnswer = 0xab, kIndefiniteScript = 0xae,
                       kIndefiniteAnswer = 0xaf, kCApdu = 0x22, kRApdu = 0x23, kCount = 0x80,
                       kBadFormat = 0x90;
constexpr std::uint8_t kIndefinite = 0x80;
constexpr std::size_t kHead = 5;  // CLA INS P1 P2 and P3
constexpr std::uint8_t kGetResponse = 0xc0;

void AppendBer(Bytes& out, std::uint8_t tag, const Bytes& value) {
  out.push_back(tag);
  const std::size_t size = value.size();
  if (size > 0xff) {
    out.insert(out.end(), {0x82, static_cast<std::uint8_t>(size >> 8)});
  } else if (size > 0x7f) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(size));
  out.insert(out.end(), value.begin(), value.end());
}

struct BerTlv {
  std::uint8_t tag = 0;
  Bytes value;
};

// Moves `at` behind it. nullopt: it goes beyond the end, or has a length of another form.
std::optional<BerTlv> ReadBer(const Bytes& octets, std::size_t& at) {
  if (octets.size() - at < 2) return std::nullopt;
  const std::uint8_t tag = octets[at];
  std::size_t size = octets[at + 1];
  at += 2;
  if (size > 0x7f) {
    const std::size_t more = size & 0x7f;
    if (more == 0 || more > 2 || octets.size() - at < more) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < more; ++i) size = size << 8 | octets[at++];
  }
  if (octets.size() - at < size) return std::nullopt;
  const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(at);
  at += size;
  return BerTlv{tag, Bytes(begin, begin + static_cast<std::ptrdiff_t>(size))};
}

// What a template holds, of either form.
std::optional<std::vector<BerTlv>> ReadTemplate(const Bytes& octets, std::uint8_t definite,
                                                std::uint8_t indefinite) {
  Bytes inside;
  if (octets.size() >= 4 && octets[0] == indefinite && octets[1] == kIndefinite) {
    if (octets[octets.size() - 1] != 0 || octets[octets.size() - 2] != 0) return std::nullopt;
    inside.assign(octets.begin() + 2, octets.end() - 2);
  } else {
    std::size_t at = 0;
    auto whole = ReadBer(octets, at);
    if (!whole || whole->tag != definite || at != octets.size()) return std::nullopt;
    inside = std::move(whole->value);
  }
  std::vector<BerTlv> parts;
  for (std::size_t at = 0; at < inside.size();) {
    auto part = ReadBer(inside, at);
    if (!part || parts.size() > kCommandsMost) return std::nullopt;
    parts.push_back(std::move(*part));
  }
  return parts;
}

Bytes WriteTemplate(const Bytes& inside, bool indefinite, std::uint8_t definite_tag,
                    std::uint8_t indefinite_tag) {
  Bytes out;
  if (!indefinite) {
    AppendBer(out, definite_tag, inside);
    return out;
  }
  out = {indefinite_tag, kIndefinite};
  out.insert(out.end(), inside.begin(), inside.end());
  out.insert(out.end(), {0x00, 0x00});
  return out;
}

// TS 102 226 §5.1.1: P3 counts the data of every command, and is Le only of the last one, GET RESPONSE.
std::optional<Script> ReadCompact(const Bytes& octets) {
  Script script{ScriptForm::kCompact, {}};
  for (std::size_t at = 0; at < octets.size();) {
    if (octets.size() - at < kHead || script.commands.size() == kCommandsMost) return std::nullopt;
    const bool asks = octets[at + 1] == kGetResponse;
    const std::size_t size = asks ? 0 : octets[at + 4];
    if (octets.size() - at - kHead < size) return std::nullopt;
    const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(at);
    script.commands.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(kHead + size));
    at += kHead + size;
    if (asks && at != octets.size()) return std::nullopt;
  }
  return script.commands.empty() ? std::nullopt : std::optional(std::move(script));
}

std::optional<ScriptAnswer> ReadCompactAnswer(const Bytes& octets) {
  if (octets.size() < 3) return std::nullopt;
  ScriptAnswer answer;
  answer.count = octets[0];
  Bytes last(octets.begin() + 3, octets.end());
  last.insert(last.end(), {octets[1], octets[2]});
  answer.answers.push_back(std::move(last));
  return answer;
}

}  // namespace

ScriptForm FormOf(const Bytes& octets) {
  if (!octets.empty() && octets[0] == kIndefiniteScript) return ScriptForm::kIndefinite;
  return !octets.empty() && octets[0] == kDefiniteScript ? ScriptForm::kDefinite : ScriptForm::kCompact;
}

Bytes WriteScript(const Script& script) {
  Bytes inside;
  for (const Bytes& command : script.commands) {
    if (script.form == ScriptForm::kCompact) {
      inside.insert(inside.end(), command.begin(), command.end());
    } else {
      AppendBer(inside, kCApdu, command);
    }
  }
  if (script.form == ScriptForm::kCompact) return inside;
  return WriteTemplate(inside, script.form == ScriptForm::kIndefinite, kDefiniteScript, kIndefiniteScript);
}

std::optional<Script> ReadScript(const Bytes& octets) {
  const ScriptForm form = FormOf(octets);
  if (form == ScriptForm::kCompact) return ReadCompact(octets);
  auto parts = ReadTemplate(octets, kDefiniteScript, kIndefiniteScript);
  if (!parts || parts->empty() || parts->size() > kCommandsMost) return std::nullopt;
  Script script{form, {}};
  for (BerTlv& part : *parts) {
    if (part.tag != kCApdu || part.value.size() < 4 || part.value.size() > kCommandMax) return std::nullopt;
    script.commands.push_back(std::move(part.value));
  }
  return script;
}

Bytes WriteAnswer(const ScriptAnswer& answer, ScriptForm form) {
  const auto count = static_cast<std::uint8_t>(answer.count);
  Bytes out;
  if (form == ScriptForm::kCompact) {
    const Bytes last = answer.answers.empty() ? Bytes{0x6f, 0x00} : answer.answers.back();
    out = {count, last[last.size() - 2], last.back()};
    out.insert(out.end(), last.begin(), last.end() - 2);
    return out;
  }
  Bytes inside;
  const bool indefinite = form == ScriptForm::kIndefinite;
  if (!indefinite) AppendBer(inside, kCount, {count});
  for (const Bytes& said : answer.answers) AppendBer(inside, kRApdu, said);
  if (answer.bad_format) AppendBer(inside, kBadFormat, {0x01});
  return WriteTemplate(inside, indefinite, kDefiniteAnswer, kIndefiniteAnswer);
}

std::optional<ScriptAnswer> ReadAnswer(const Bytes& octets, ScriptForm form) {
  if (form == ScriptForm::kCompact) return ReadCompactAnswer(octets);
  auto parts = ReadTemplate(octets, kDefiniteAnswer, kIndefiniteAnswer);
  if (!parts) return std::nullopt;
  ScriptAnswer answer;
  for (BerTlv& part : *parts) {
    if (part.tag == kBadFormat) {
      answer.bad_format = true;
    } else if (part.tag == kRApdu && part.value.size() >= 2) {
      answer.answers.push_back(std::move(part.value));
    } else if (part.tag != kCount || part.value.size() != 1) {
      return std::nullopt;
    }
  }
  answer.count = answer.answers.size();
  if (answer.count > kCommandsMost) return std::nullopt;
  return answer;
}

}  // namespace registry::sim::ota
