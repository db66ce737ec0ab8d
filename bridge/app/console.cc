#include "bridge/app/console.h"

#include "bridge/app/http_message.h"
#include "bridge/app/http_tls.h"
#include "bridge/app/ledger_place.h"
#include "bridge/console/assets.h"

namespace registry::app {
namespace {

// Nothing but the program's own files runs or is asked for; nobody frames it.
constexpr char kHeaders[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";
constexpr std::string_view kApi = "/api/";

Page JsonPage(int status, std::string json) {
  return {status, "application/json", std::move(json), kHeaders};
}

// Without its port; an address of IPv6 stands in brackets (RFC 3986 §3.2.2).
std::string_view NameOfHost(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool IsLoopbackName(std::string_view name) {
  return name == "localhost" || name == "[::1]" || IsLoopback(std::string(name));
}

}  // namespace

domain::Policy PolicyToShow(const Config& config) {
  domain::Policy policy;
  policy.retry = config.retry;
  policy.renewal = config.renewal;
  policy.certificate.validity = config.pki.validity();
  return policy;
}

TlsServerFiles ConsoleTlsFiles(const Config& config) {
  return {config.console.certificate_file, config.console.key_file, config.mqtt.ca_file,
          config.mqtt.crl_file};
}

Console::Console(const Config& config, ConsoleServices services)
    : services_(std::move(services)),
      zone_(config.zone),
      node_(NodeName(config.ledger)),
      policy_(PolicyToShow(config)),
      reads_(services_.ledger, services_.clock, {config.console.private_identifiers, [this] {
                                                   const MutexLock lock(mutex_);
                                                   return policy_;
                                                 }}) {}

Console::~Console() {
  thread_.Stop();
  server_.reset();
}

Result<std::unique_ptr<Console>> Console::Start(const Config& config, ConsoleServices services, LogLine log) {
  std::unique_ptr<Console> console(new Console(config, std::move(services)));
  if (auto watching = console->WatchNodes(config); !watching) return watching.error();
  console->Look();
  if (auto listening = console->Listen(config, std::move(log)); !listening) return listening.error();
  Console& self = *console;
  console->thread_.Start("console", [&self] { self.Run(); });
  return console;
}

Status Console::WatchNodes(const Config& config) {
  const auto place = LedgerPlaceOf(config.ledger, config.ledger_folder);
  if (!place) return place.error();
  if (place->postgres) nodes_ = std::make_unique<NodesWatch>(*place->postgres);
  return Done{};
}

Status Console::Listen(const Config& config, LogLine log) {
  HttpSite site;
  site.asked = [this](const HttpRequest& request) { return Asked(request); };
  site.refuse = [this](const HttpRequest& request) { return Refuse(request); };
  site.stream = "/api/events";
  site.stream_headers = kHeaders;
  if (!config.console.certificate_file.empty()) {
    auto tls = HttpTls::Load(ConsoleTlsFiles(config));
    if (!tls) return tls.error();
    site.tls = std::move(*tls);
  }
  auto server =
      HttpServer::Serve(config.console.address, config.console.port, std::move(site), std::move(log));
  if (!server) return server.error();
  server_ = std::move(*server);
  return Done{};
}

void Console::SetPolicy(domain::Policy policy) {
  const MutexLock lock(mutex_);
  policy_ = std::move(policy);
}

void Console::Run() {
  MutexLock lock(mutex_);
  while (thread_.Rest(lock, kEvery)) {
    lock.Unlock();
    Look();
    lock.Lock();
  }
}

void Console::Look() {
  Counted now{services_.clock.Now(), services_.look(), services_.metrics.totals()};
  const auto lines = services_.log.recent();
  const nlohmann::json nodes = nodes_ ? NodesOf(nodes_->seen(), node_, now.sample) : nlohmann::json();
  std::string said;
  {
    const MutexLock lock(mutex_);
    const Counted& last = counted_.empty() ? now : counted_.back();
    const Counted& oldest = counted_.empty() ? now : counted_.front();
    overview_ = OverviewOf(now, last, oldest, lines);
    overview_["zone"]["name"] = zone_;
    overview_["version"] = REGISTRY_VERSION;
    overview_["nodes"] = nodes;
    points_.push_back(overview_["point"]);
    if (points_.size() > kPointsMax) points_.pop_front();
    counted_.push_back(std::move(now));
    if (counted_.size() > kCountedMax) counted_.pop_front();
    said = "data: " + overview_.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n\n";
  }
  if (server_) server_->Say(std::move(said));
}

std::string Console::OverviewText() const {
  nlohmann::json whole;
  {
    const MutexLock lock(mutex_);
    whole = overview_;
    whole["points"] = points_;
  }
  return whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Page> Console::Refuse(const HttpRequest& request) const {
  if (!request.in_tls) {
    if (IsLoopbackName(NameOfHost(request.host))) return std::nullopt;
    return Page{421, "text/plain", "ask for it as localhost\n", kHeaders};
  }
  if (services_.parties.RoleOf(request.peer) == wire::Role::kOperator) return std::nullopt;
  return Page{403, "text/plain", "the certificate is not one of a party with the role operator\n", kHeaders};
}

Page Console::Asked(const HttpRequest& request) const {
  if (const console::Asset* asset = console::FindAsset(request.path)) {
    const std::string type(asset->type);
    return {200, type + (type.starts_with("text/") ? "; charset=utf-8" : ""), std::string(asset->octets),
            kHeaders};
  }
  if (!request.path.starts_with(kApi)) return {404, "text/plain", "not here\n", kHeaders};
  const std::string what = request.path.substr(kApi.size());
  if (what == "overview") return JsonPage(200, OverviewText());
  if (what == "parties") {
    const MutexLock lock(mutex_);
    return JsonPage(200, PartiesOf(counted_.back().sample).dump());
  }
  const auto answer =
      reads_.Get(what, [&](std::string_view name) { return QueryValue(request.query, name); });
  return JsonPage(answer.status, answer.json);
}

}  // namespace registry::app
