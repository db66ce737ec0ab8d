#include <nlohmann/json.hpp>

#include "schemas/wire/envelope.h"

namespace registry::wire {
namespace {

using nlohmann::json;

// Ends the parsing (every handler's false does) at the top-level member "id", or after kValuesMax values.
class IdFinder final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return Value(); }
  bool boolean(bool) override { return Value(); }
  bool number_integer(number_integer_t) override { return Value(); }
  bool number_unsigned(number_unsigned_t) override { return Value(); }
  bool number_float(number_float_t, const string_t&) override { return Value(); }
  bool string(string_t& value) override {
    if (here_) id_ = EventId::Parse(value);
    return Value();
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(); }
  bool start_array(std::size_t) override { return depth_ > 0 && Open(); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    here_ = depth_ == 1 && name == "id";
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
  std::optional<EventId> id() const { return id_; }

 private:
  bool Value() { return !here_ && ++values_ < kValuesMax; }
  bool Open() {
    ++depth_;
    return Value() && depth_ <= kDepthMax;
  }
  bool Close() {
    --depth_;
    return true;
  }

  int depth_ = 0;
  std::size_t values_ = 0;
  bool here_ = false;
  std::optional<EventId> id_;
};

}  // namespace

std::optional<EventId> GlimpseEventId(std::string_view payload) {
  const std::string_view head = payload.substr(0, kGlimpseMax);
  IdFinder finder;
  json::sax_parse(head.begin(), head.end(), &finder);
  return finder.id();
}

}  // namespace registry::wire
