#include "schemas/wire/strict_json.h"

#include <optional>
#include <vector>

#include "schemas/wire/eight_octets.h"

namespace registry::wire {
namespace {

using nlohmann::json;

// Length of the sequence a lead octet opens and the bounds of its second octet (RFC 3629 §4, the UTF8-octets
// table).
struct Sequence {
  std::size_t length = 0;  // 0: not a lead octet
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xbf;
};

Sequence SequenceOf(unsigned char lead) {
  if (lead < 0x80) return {1};
  if (lead >= 0xc2 && lead <= 0xdf) return {2};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead >= 0xe1 && lead <= 0xef) return {3};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead >= 0xf1 && lead <= 0xf3) return {4};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {};
}

bool ValidTail(std::string_view tail, const Sequence& sequence) {
  for (std::size_t i = 0; i < tail.size(); ++i) {
    const auto octet = static_cast<unsigned char>(tail[i]);
    const unsigned char low = i == 0 ? sequence.second_min : 0x80;
    const unsigned char high = i == 0 ? sequence.second_max : 0xbf;
    if (octet < low || octet > high) return false;
  }
  return true;
}

Error NotJson() { return Error::Make(Code::kSyntax, "bad_json", "the message is not JSON (RFC 8259)"); }

// nlohmann's lexer (3.11.2, scan()) takes U+0000 for the end of the text: whatever stands behind it is never looked at. No
// JSON text holds the octet 0x00 (RFC 8259 §7: inside a string it is written \u0000).
bool OneJsonText(std::string_view text) { return text.find('\0') == std::string_view::npos; }

// RFC 8259 §8.1: nobody may send one, and only UTF-8 may be sent. Some editors and libraries write one unasked and show
// none, so its sender is told of it by name. nlohmann's lexer would skip the one of UTF-8.
bool HasByteOrderMark(std::string_view text) {
  return text.starts_with(kByteOrderMark) || text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
}

class Builder final : public nlohmann::json_sax<json> {
 public:
  explicit Builder(const JsonLimits& limits)
      : depth_max_(static_cast<std::size_t>(limits.depth_max)),
        values_max_(limits.values_max),
        values_left_(limits.values_max) {}

  bool null() override { return Scalar(nullptr); }
  bool boolean(bool value) override { return Scalar(value); }
  bool number_integer(number_integer_t value) override { return Scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return Scalar(value); }
  bool number_float(number_float_t value, const string_t&) override { return Scalar(value); }
  bool string(string_t& value) override { return Scalar(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(json::object()); }
  bool start_array(std::size_t) override { return Open(json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    const auto [slot, inserted] = open_.back()->get_ref<json::object_t&>().emplace(std::move(name), nullptr);
    if (!inserted) return Fail(Code::kSyntax, "duplicate_member", "an object names a member twice");
    slot_ = &slot->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& why) override {
    constexpr int kNumberOverflow = 406;  // nlohmann's out_of_range for a number beyond double
    if (why.id == kNumberOverflow)
      return Fail(Code::kRange, "number_too_large", "a number is beyond a double");
    error_ = NotJson();
    return false;
  }

  Result<json> Take() && {
    if (error_) return *std::move(error_);
    return std::move(root_);
  }

 private:
  json* Put(json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_object()) return &(*slot_ = std::move(value));
    open_.back()->push_back(std::move(value));
    return &open_.back()->back();
  }
  bool Scalar(json value) {
    if (!Count()) return false;
    Put(std::move(value));
    return true;
  }
  bool Open(json empty) {
    if (!Count()) return false;
    if (open_.size() >= depth_max_)
      return Fail(Code::kSyntax, "too_deep",
                  "the message nests deeper than " + std::to_string(depth_max_) + " levels");
    open_.push_back(Put(std::move(empty)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  bool Count() {
    if (values_left_-- > 0) return true;
    return Fail(Code::kRange, "too_many_values",
                "the message has more than " + std::to_string(values_max_) + " values");
  }
  bool Fail(Code code, std::string_view symbol, std::string_view message) {
    error_ = Error::Make(code, symbol, message);
    return false;
  }

  std::size_t depth_max_, values_max_, values_left_;
  json root_;
  std::vector<json*> open_;  // stays valid: a container grows only while it is the innermost one
  json* slot_ = nullptr;
  std::optional<Error> error_;
};

}  // namespace

bool ValidUtf8(std::string_view text) {
  while (true) {
    // Most octets are below 0x80; of those before another one at most seven go the slow way.
    text.remove_prefix(EightsAtStart(text, [](std::uint64_t octets) { return (octets & kHighBits) == 0; }));
    if (text.empty()) return true;
    const Sequence sequence = SequenceOf(static_cast<unsigned char>(text.front()));
    if (sequence.length == 0 || sequence.length > text.size()) return false;
    if (!ValidTail(text.substr(1, sequence.length - 1), sequence)) return false;
    text.remove_prefix(sequence.length);
  }
}

Result<json> ParseStrict(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.octets_max) {
    return Error::Make(Code::kRange, "message_too_large",
                       "the message is larger than " + std::to_string(limits.octets_max) + " octets");
  }
  if (HasByteOrderMark(text)) {
    return Error::Make(Code::kSyntax, "byte_order_mark",
                       "the message begins with a byte order mark; JSON is sent as UTF-8 without one");
  }
  if (!ValidUtf8(text)) return Error::Make(Code::kSyntax, "bad_utf8", "the message is not UTF-8 (RFC 3629)");
  if (!OneJsonText(text)) return NotJson();
  Builder builder(limits);
  json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder).Take();
}

}  // namespace registry::wire
