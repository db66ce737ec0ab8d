#include "clients/dane/getdns_context.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

namespace registry::clients {
namespace {

// Unbound ends idle connections after 30 s; leaving first avoids asking on a connection that is going away.
constexpr std::uint64_t kIdleMs = 20'000;
constexpr std::int64_t kKeptMax = 300;  // seconds
// The resolver is known by its pinned key and by nothing else. Without a folder of our own, libgetdns reads the
// system's whole CA bundle for every context: 240 million instructions, more than ten activations.
constexpr const char* kNoCertificates = "/dev/null";

getdns_bindata View(const Bytes& octets) { return {octets.size(), const_cast<std::uint8_t*>(octets.data())}; }
getdns_bindata View(const char* text) {
  return {std::char_traits<char>::length(text), reinterpret_cast<std::uint8_t*>(const_cast<char*>(text))};
}

Error Malformed(std::string_view what) { return Error::Make(Code::kValueSyntax, "trust_malformed", what); }

// Four octets or sixteen; empty: the text is no address.
Bytes AddressOctets(const std::string& text) {
  Bytes octets(16);
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  octets.resize(4);
  return inet_pton(AF_INET, text.c_str(), octets.data()) == 1 ? octets : Bytes{};
}

Result<List> Upstreams(const ResolverTrust& trust) {
  const Bytes address = AddressOctets(trust.address);
  if (address.empty()) return Malformed("resolver address");
  if (trust.spki_pin.size() != 32) return Malformed("resolver key pin");
  Dict pin(getdns_dict_create()), upstream(getdns_dict_create());
  List pins(getdns_list_create()), upstreams(getdns_list_create());
  getdns_bindata digest = View("sha256"), value = View(trust.spki_pin),
                 family = View(address.size() == 4 ? "IPv4" : "IPv6"), where = View(address);
  getdns_dict_set_bindata(pin.get(), "digest", &digest);
  getdns_dict_set_bindata(pin.get(), "value", &value);
  getdns_list_set_dict(pins.get(), 0, pin.get());
  getdns_dict_set_bindata(upstream.get(), "address_type", &family);
  getdns_dict_set_bindata(upstream.get(), "address_data", &where);
  getdns_dict_set_int(upstream.get(), "tls_port", trust.port);
  getdns_dict_set_list(upstream.get(), "tls_pubkey_pinset", pins.get());
  getdns_list_set_dict(upstreams.get(), 0, upstream.get());
  return upstreams;
}

bool Configure(getdns_context* context, const ResolverTrust& trust, const getdns_list* upstreams,
               const getdns_list* anchors) {
  getdns_transport_list_t tls = GETDNS_TRANSPORT_TLS;
  return getdns_context_set_resolution_type(context, GETDNS_RESOLUTION_STUB) == GETDNS_RETURN_GOOD &&
         getdns_context_set_dns_transport_list(context, 1, &tls) == GETDNS_RETURN_GOOD &&
         // RFC 8310 strict: no answer is better than one from somebody else.
         getdns_context_set_tls_authentication(context, GETDNS_AUTHENTICATION_REQUIRED) ==
             GETDNS_RETURN_GOOD &&
         getdns_context_set_tls_ca_path(context, kNoCertificates) == GETDNS_RETURN_GOOD &&
         getdns_context_set_upstream_recursive_servers(context, const_cast<getdns_list*>(upstreams)) ==
             GETDNS_RETURN_GOOD &&
         getdns_context_set_dnssec_trust_anchors(context, const_cast<getdns_list*>(anchors)) ==
             GETDNS_RETURN_GOOD &&
         getdns_context_set_idle_timeout(context, kIdleMs) == GETDNS_RETURN_GOOD &&
         getdns_context_set_timeout(context, static_cast<std::uint64_t>(trust.timeout.count())) ==
             GETDNS_RETURN_GOOD;
}

std::string Lower(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

Dict UnjudgedExtensions() {
  Dict header(getdns_dict_create()), edns(getdns_dict_create()), extensions(getdns_dict_create());
  getdns_dict_set_int(header.get(), "rd", 1);
  getdns_dict_set_int(header.get(), "cd", 1);
  getdns_dict_set_int(edns.get(), "do_bit", 1);
  getdns_dict_set_dict(extensions.get(), "header", header.get());
  getdns_dict_set_dict(extensions.get(), "add_opt_parameters", edns.get());
  return extensions;
}

}  // namespace

Result<List> ParseAnchors(const std::vector<std::string>& anchors) {
  List list(getdns_list_create());
  std::size_t count = 0;
  for (const std::string& anchor : anchors) {
    getdns_dict* record = nullptr;
    if (getdns_str2rr_dict(anchor.c_str(), &record, nullptr, 3600) != GETDNS_RETURN_GOOD ||
        record == nullptr) {
      return Malformed("trust anchor");
    }
    getdns_list_set_dict(list.get(), count++, record);
    getdns_dict_destroy(record);
  }
  if (count == 0) return Malformed("no trust anchor");
  return list;
}

Result<std::unique_ptr<GetdnsContext>> GetdnsContext::Open(const ResolverTrust& trust) {
  auto anchors = ParseAnchors(trust.anchors);
  if (!anchors) return anchors.error();
  auto upstreams = Upstreams(trust);
  if (!upstreams) return upstreams.error();
  std::unique_ptr<GetdnsContext> made(new GetdnsContext());
  getdns_context* context = nullptr;
  if (getdns_context_create(&context, 0) != GETDNS_RETURN_GOOD) {
    return Error::Make(Code::kFailed, "resolver_unreachable", "no libgetdns context");
  }
  made->context_.reset(context);
  if (!Configure(context, trust, upstreams->get(), anchors->get())) return Malformed("libgetdns refuses it");
  made->unjudged_ = UnjudgedExtensions();
  made->judged_.reset(getdns_dict_create());
  getdns_dict_set_int(made->judged_.get(), "dnssec_return_status", GETDNS_EXTENSION_TRUE);
  return made;
}

bool GetdnsContext::InTime() const {
  if (!deadline_) return true;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - std::chrono::steady_clock::now());
  return left.count() > 0 &&
         getdns_context_set_timeout(context_.get(), static_cast<std::uint64_t>(left.count())) ==
             GETDNS_RETURN_GOOD;
}

Result<Dict> GetdnsContext::Ask(const std::string& name, std::uint32_t type, const getdns_dict* extensions) {
  if (!InTime()) return Error::Make(Code::kFailed, "resolver_unreachable", "no time left to ask");
  getdns_dict* raw = nullptr;
  const auto code =
      getdns_general_sync(context_.get(), (name + ".").c_str(), static_cast<std::uint16_t>(type),
                          const_cast<getdns_dict*>(extensions), &raw);
  const Error unreachable =
      Error::Make(Code::kFailed, "resolver_unreachable", "no answer over TLS from the pinned key");
  if (code != GETDNS_RETURN_GOOD) return unreachable;  // `raw` is not set then
  Dict answer(raw);
  const auto replies = Records(ListAt(answer.get(), "replies_tree"));
  // libgetdns keeps what it could not prove to itself: answered, but nothing to show.
  if (replies.empty() && IntAt(answer.get(), "status") != GETDNS_RESPSTATUS_ALL_TIMEOUT) {
    return Error::Make(Code::kPolicy, "dns_bogus", "no chain of signatures from a trust anchor");
  }
  if (replies.empty()) return unreachable;
  const std::uint32_t rcode = IntAt(answer.get(), "/replies_tree/0/header/rcode");
  if (rcode != GETDNS_RCODE_NOERROR && rcode != GETDNS_RCODE_NXDOMAIN) return unreachable;
  if (!IsReplyTo(answer.get(), name, type)) {
    return Error::Make(Code::kPolicy, "dns_bogus", "the reply is to another question");
  }
  return answer;
}

Result<Dict> GetdnsContext::AskUnjudged(const std::string& name, std::uint32_t type) {
  return Ask(name, type, unjudged_.get());
}
Result<Dict> GetdnsContext::AskJudged(const std::string& name, std::uint32_t type) {
  return Ask(name, type, judged_.get());
}

bool IsReplyTo(const getdns_dict* reply, const std::string& name, std::uint32_t type) {
  return NameAt(reply, "/replies_tree/0/question/qname") == Lower(name) &&
         IntAt(reply, "/replies_tree/0/question/qtype") == type;
}

std::uint32_t IntAt(const getdns_dict* dict, const char* path) {
  std::uint32_t value = 0;
  return getdns_dict_get_int(dict, path, &value) == GETDNS_RETURN_GOOD ? value : 0;
}

Bytes OctetsAt(const getdns_dict* dict, const char* path) {
  getdns_bindata* value = nullptr;
  if (getdns_dict_get_bindata(dict, path, &value) != GETDNS_RETURN_GOOD) return {};
  return Bytes(value->data, value->data + value->size);
}

std::string NameAt(const getdns_dict* dict, const char* path) {
  getdns_bindata* value = nullptr;
  char* text = nullptr;
  if (getdns_dict_get_bindata(dict, path, &value) != GETDNS_RETURN_GOOD ||
      getdns_convert_dns_name_to_fqdn(value, &text) != GETDNS_RETURN_GOOD) {
    return {};
  }
  std::string name = text;
  free(text);
  if (name.ends_with('.')) name.pop_back();
  return Lower(std::move(name));
}

const getdns_list* ListAt(const getdns_dict* dict, const char* path) {
  getdns_list* list = nullptr;
  return getdns_dict_get_list(dict, path, &list) == GETDNS_RETURN_GOOD ? list : nullptr;
}

std::chrono::seconds KeepFor(const getdns_dict* reply, const std::string& name, std::uint32_t type,
                             std::time_t now) {
  std::int64_t keep = kKeptMax;
  const auto at_most = [&keep](std::int64_t seconds) { keep = std::min(keep, seconds); };
  for (const getdns_dict* record : Records(ListAt(reply, "/replies_tree/0/answer"))) {
    if (NameAt(record, "name") != name) continue;
    const std::uint32_t is = IntAt(record, "type");
    if (is == type) at_most(IntAt(record, "ttl"));
    if (is != kTypeRrsig || IntAt(record, "/rdata/type_covered") != type) continue;
    at_most(IntAt(record, "/rdata/original_ttl"));
    // RFC 4034 §3.1.5: serial number arithmetic, so the difference is signed and 32 bits wide.
    const std::uint32_t left = IntAt(record, "/rdata/signature_expiration") - static_cast<std::uint32_t>(now);
    at_most(static_cast<std::int32_t>(left));
  }
  return std::chrono::seconds(std::max<std::int64_t>(keep, 0));
}

std::vector<const getdns_dict*> Records(const getdns_list* list) {
  std::vector<const getdns_dict*> records;
  std::size_t count = 0;
  if (list == nullptr || getdns_list_get_length(list, &count) != GETDNS_RETURN_GOOD) return records;
  for (std::size_t i = 0; i < count; ++i) {
    getdns_dict* record = nullptr;
    if (getdns_list_get_dict(list, i, &record) == GETDNS_RETURN_GOOD) records.push_back(record);
  }
  return records;
}

}  // namespace registry::clients
