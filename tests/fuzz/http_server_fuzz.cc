// Attacked: the operator's pages by whatever connects to their port: the head of a request.
// A fault: a crash; a request taken that is not whole, or has no path; an answer that depends on what comes behind the
// head.
#include "bridge/app/http_message.h"
#include "schemas/base/check.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry::app;
  const auto text = registry::fuzz::AsText(data, size);
  for (std::size_t whole = 0; whole <= size;
       whole = whole == size ? size + 1 : std::min(size, whole * 2 + 1)) {
    const auto request = ReadHttpRequest(text.substr(0, whole));
    if (!request) {
      REG_CHECK(whole <= kHeadMax);
      continue;
    }
    REG_CHECK(request->status == 200 || request->status == 400 || request->status == 405 ||
              request->status == 431);
    REG_CHECK(request->status != 200 || request->path.starts_with('/'));
    REG_CHECK(request->path.find_first_of("? \n") == std::string::npos);
    const auto more = ReadHttpRequest(std::string(text.substr(0, whole)) + "x: y\r\n\r\n");
    REG_CHECK(request->status == 431 ||
              (more && more->status == request->status && more->path == request->path &&
               more->query == request->query && more->host == request->host));
    REG_CHECK(request->host.find_first_of("\r\n") == std::string::npos);
    REG_CHECK(QueryValue(request->query, "a").size() <= request->query.size());
    const std::string answer = HttpAnswer({request->status, "text/plain", "body"}, request->head_only);
    REG_CHECK(answer.starts_with("HTTP/1.1 ") &&
              answer.ends_with(request->head_only ? "\r\n\r\n" : "\r\n\r\nbody"));
  }
  return 0;
}
