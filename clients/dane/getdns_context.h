// clients/dane/getdns_context.h: one libgetdns context in stub mode over TLS, and owners for libgetdns' C
// values. Only this room includes getdns.h. Threads: a context belongs to one thread at a time; its
// connection lasts.
// Errors: as in resolver.h.
#pragma once

#include <getdns/getdns_extra.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "clients/dane/resolver.h"

namespace registry::clients {

struct GetdnsFree {
  void operator()(getdns_dict* dict) const { getdns_dict_destroy(dict); }
  void operator()(getdns_list* list) const { getdns_list_destroy(list); }
  void operator()(getdns_context* context) const { getdns_context_destroy(context); }
};
using List = std::unique_ptr<getdns_list, GetdnsFree>;

inline constexpr std::uint32_t kTypeA = 1, kTypeRrsig = 46, kTypeDnskey = 48, kTypeTlsa = 52;

Result<List> ParseAnchors(const std::vector<std::string>& anchors);

class GetdnsContext {
 public:
  static Result<std::unique_ptr<GetdnsContext>> Open(const ResolverTrust& trust);

  // What is asked from now on must be answered by then. Without it, each question has the whole of its time.
  void Until(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  // With signatures, unjudged (DO and CD set, RFC 4035 §3.2.2): the caller validates.
  Result<Dict> AskUnjudged(const std::string& name, std::uint32_t type);
  // Judged by libgetdns, which fetches the chain from the anchors each time.
  Result<Dict> AskJudged(const std::string& name, std::uint32_t type);

 private:
  GetdnsContext() = default;
  Result<Dict> Ask(const std::string& name, std::uint32_t type, const getdns_dict* extensions);
  std::unique_ptr<getdns_context, GetdnsFree> context_;
  Dict unjudged_, judged_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool InTime() const;  // false: there is none left
};

// Whether it is the reply to (name, type). libgetdns goes by the message id alone, and proves a reply by the question that
// stands in it: so the proof that some other name is absent would be taken for this one's (RFC 5452 §9.1).
bool IsReplyTo(const getdns_dict* reply, const std::string& name, std::uint32_t type);

// ---- reading answers; all "absent" results are empty or zero ----
std::uint32_t IntAt(const getdns_dict* dict, const char* path);
Bytes OctetsAt(const getdns_dict* dict, const char* path);
std::string NameAt(const getdns_dict* dict, const char* path);  // lower case, no trailing dot
const getdns_list* ListAt(const getdns_dict* dict, const char* path);
// How long the records (name, type) of a proved reply may be kept: RFC 4035 §5.3.3, and never longer than 300 s, which
// also bounds how long a withdrawn key or record is believed. Of several signatures the least generous counts, since
// which one proved them is not known here.
std::chrono::seconds KeepFor(const getdns_dict* reply, const std::string& name, std::uint32_t type,
                             std::time_t now);
// Every record of a section, in order.
std::vector<const getdns_dict*> Records(const getdns_list* list);

}  // namespace registry::clients
