#include "simulators/terminal/at_modem.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace registry::sim {
namespace {

constexpr int kNotAllowed = 3, kNotSupported = 4, kNotFound = 22, kWrongParameter = 50;

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& one : upper) {
    if (one >= 'a' && one <= 'z') one = static_cast<char>(one - 'a' + 'A');
  }
  return upper;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view Unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

std::vector<std::string_view> Values(std::string_view list) {
  std::vector<std::string_view> values;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    values.push_back(Unquoted(Trimmed(list.substr(at, comma - at))));
    at = comma + 1;
  }
  return values;
}

std::optional<std::size_t> Number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// <characters>,<command> of +CSIM and +CGLA.
std::optional<Bytes> CommandIn(std::string_view length, std::string_view hex) {
  const auto count = Number(length);
  auto octets = FromHex(hex);
  if (!count || *count != hex.size() || !octets || octets->size() < 4) return std::nullopt;
  return octets;
}

bool IsOk(const Bytes& answer) {
  return answer.size() >= 2 && answer[answer.size() - 2] == 0x90 && answer.back() == 0x00;
}

std::string Line(std::string_view text) { return "\r\n" + std::string(text) + "\r\n"; }

}  // namespace

std::string AtModem::Take(std::string_view characters) {
  std::string said;
  for (const char one : characters) {
    if (echo_) said += one;
    if (one != '\r' && one != '\n') {
      if (line_.size() < kLineMax) {
        line_ += one;
      } else {
        too_long_ = true;
      }
      continue;
    }
    const std::string line = std::exchange(line_, {});
    if (std::exchange(too_long_, false)) {
      said += Finish({"", kWrongParameter});
    } else if (!Trimmed(line).empty()) {
      said += Obey(Trimmed(line));
    }
  }
  return said;
}

void AtModem::HangUp() {
  line_.clear();
  too_long_ = false;
  std::fill(std::begin(sessions_), std::end(sessions_), false);
  card_.Leave();
}

std::string AtModem::Finish(const Answer& answer) const {
  if (answer.error == 0) return answer.lines + Line("OK");
  return answer.lines + Line(errors_ == 0 ? "ERROR" : "+CME ERROR: " + std::to_string(answer.error));
}

// What is no AT command is answered as well: a client that waits for something would wait without end.
std::string AtModem::Obey(std::string_view line) {
  if (line.size() < 2 || Upper(line.substr(0, 2)) != "AT") return Finish({"", kNotSupported});
  const std::string_view command = Trimmed(line.substr(2));
  if (command.empty() || command.front() != '+') return Finish(Basic(command));
  const Wanted wanted = Read(command);
  const Entry* entry = Find(wanted.name);
  if (entry == nullptr) return Finish({"", kNotSupported});
  if (wanted.kind == 't') return Finish({});
  return Finish((this->*entry->handler)({entry->name, wanted.kind, wanted.value}));
}

AtModem::Wanted AtModem::Read(std::string_view command) {
  const std::size_t end = std::min(command.find_first_of("=?"), command.size());
  const std::string_view name = Trimmed(command.substr(0, end));
  if (end == command.size()) return {name, ' ', {}};
  const std::string_view value = Trimmed(command.substr(end + 1));
  if (command[end] == '?') return {name, '?', value};
  return {name, value == "?" ? 't' : '=', value};
}

const AtModem::Entry* AtModem::Find(std::string_view name) {
  static constexpr Entry kEntries[] = {
      {"+CSIM", &AtModem::Csim},         {"+CCHO", &AtModem::OpenSession}, {"+CGLA", &AtModem::UseSession},
      {"+CCHC", &AtModem::CloseSession}, {"+CMEE", &AtModem::Cmee},        {"+CFUN", &AtModem::Cfun},
      {"+CGMI", &AtModem::Identify},     {"+CGMM", &AtModem::Identify},    {"+CGMR", &AtModem::Identify},
      {"+CGSN", &AtModem::Identify},     {"+CIMI", &AtModem::Identify},    {"+CCID", &AtModem::Identify},
      {"+CPIN", &AtModem::State},        {"+CSQ", &AtModem::State},        {"+CREG", &AtModem::State},
      {"+CGREG", &AtModem::State},       {"+CEREG", &AtModem::State}};
  const std::string upper = Upper(name);
  const auto* found = std::find_if(std::begin(kEntries), std::end(kEntries),
                                   [&](const Entry& entry) { return entry.name == upper; });
  return found == std::end(kEntries) ? nullptr : found;
}

AtModem::Answer AtModem::Basic(std::string_view command) {
  const std::string upper = Upper(command);
  if (upper == "E0" || upper == "E1") echo_ = upper == "E1";
  if (upper == "I" || upper == "I0") return {Line("device-sim\r\nIoT SAFE modem")};
  for (const std::string_view known : {"", "E0", "E1", "Z", "&F", "V1", "Q0"}) {
    if (upper == known) return {};
  }
  return {"", kNotSupported};
}

std::string AtModem::Octets(std::string_view command, const Bytes& octets) const {
  const std::string hex = Upper(ToHex(octets)), quote = options_.quotes ? "\"" : "";
  return Line(std::string(command) + ": " + std::to_string(hex.size()) + "," + quote + hex + quote);
}

AtModem::Answer AtModem::Csim(const Wanted& wanted) {
  const auto values = Values(wanted.value);
  const auto command =
      wanted.kind == '=' && values.size() == 2 ? CommandIn(values[0], values[1]) : std::nullopt;
  if (!command) return {"", kWrongParameter};
  return {Octets(wanted.name, card_.Transmit(*command))};
}

AtModem::Answer AtModem::OpenSession(const Wanted& wanted) {
  const auto aid = wanted.kind == '=' ? FromHex(Unquoted(wanted.value)) : std::nullopt;
  if (!aid || aid->empty() || aid->size() > 16) return {"", kWrongParameter};
  const Bytes opened = card_.Transmit({0x00, 0x70, 0x00, 0x00, 0x01});
  if (!IsOk(opened) || opened.front() > 3) return {"", kNotAllowed};
  const std::uint8_t channel = opened.front();
  Bytes select = {channel, 0xa4, 0x04, 0x00, static_cast<std::uint8_t>(aid->size())};
  select.insert(select.end(), aid->begin(), aid->end());
  if (!IsOk(card_.Transmit(select))) {
    card_.Transmit({0x00, 0x70, 0x80, channel});
    return {"", kNotFound};
  }
  sessions_[channel] = true;
  return {Line("+CCHO: " + std::to_string(channel))};
}

// The class says the session's channel, whatever the client has put there.
AtModem::Answer AtModem::UseSession(const Wanted& wanted) {
  const auto values = Values(wanted.value);
  if (wanted.kind != '=' || values.size() != 3) return {"", kWrongParameter};
  const auto session = Number(values[0]);
  auto command = CommandIn(values[1], values[2]);
  if (!session || !command) return {"", kWrongParameter};
  if (*session > 3 || !sessions_[*session]) return {"", kNotFound};
  command->front() = static_cast<std::uint8_t>((command->front() & ~0x03) | *session);
  return {Octets(wanted.name, card_.Transmit(*command))};
}

AtModem::Answer AtModem::CloseSession(const Wanted& wanted) {
  const auto session = Number(Trimmed(wanted.value));
  if (wanted.kind != '=' || !session) return {"", kWrongParameter};
  if (*session > 3 || !std::exchange(sessions_[*session], false)) return {"", kNotFound};
  card_.Transmit({0x00, 0x70, 0x80, static_cast<std::uint8_t>(*session)});
  return {Line("+CCHC")};
}

AtModem::Answer AtModem::Cmee(const Wanted& wanted) {
  if (wanted.kind == '?') return {Line("+CMEE: " + std::to_string(errors_))};
  const auto mode = Number(Trimmed(wanted.value));
  if (wanted.kind != '=' || !mode || *mode > 2) return {"", kWrongParameter};
  errors_ = static_cast<int>(*mode);
  return {};
}

// Without its radio or anew (0, 1,1) the modem takes the power from the card.
AtModem::Answer AtModem::Cfun(const Wanted& wanted) {
  if (wanted.kind == '?') return {Line("+CFUN: 1")};
  const auto values = Values(wanted.value);
  if (wanted.kind != '=' || !Number(values[0])) return {"", kWrongParameter};
  if (*Number(values[0]) == 0 || values.size() == 2) {
    std::fill(std::begin(sessions_), std::end(sessions_), false);
    card_.Reset();
  }
  return {};
}

AtModem::Answer AtModem::Identify(const Wanted& wanted) {
  if (wanted.kind == '=') return {"", kWrongParameter};
  if (wanted.name == "+CGMI") return {Line("iot-registry-bridge")};
  if (wanted.name == "+CGMM") return {Line("device-sim")};
  if (wanted.name == "+CGMR") return {Line("1")};
  if (wanted.name == "+CGSN") return {Line(options_.imei)};
  if (wanted.name == "+CIMI") return {Line(options_.imsi)};
  return {Line("+CCID: " + options_.iccid)};
}

AtModem::Answer AtModem::State(const Wanted& wanted) {
  if (wanted.kind == '=') return {};
  if (wanted.name == "+CPIN") return {Line("+CPIN: READY")};
  if (wanted.name == "+CSQ") return {Line("+CSQ: 20,99")};
  return {Line(std::string(wanted.name) + ": 0,1")};
}

}  // namespace registry::sim
