// clients/mosquitto/registry_plugin.cc: a plug-in for a stock Mosquitto 2.0 at an ASP. Through a listener with client
// certificates come exactly the registry's active devices that are this ASP's, each as the owner of its own topic space.
// It hears the registry's notifications when a bridge brings them here, and ends the connection of a device that may not be
// served any more.
// It leaves every client without a certificate to the broker's other rules. One with a certificate is a device, or refused.
// Configuration: plugin_opt_<key> for each key of the client library (clients/verdict/README.md), and topic.
// Threads: Mosquitto's only one. A look-up holds up the whole broker, so only this ASP's own devices cause one, and at most
//   once in the record's TTL.
// Interface: mosquitto_plugin.h, version 5. It uses of this project the installed C interface alone.
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <array>
#include <ctime>
#include <memory>
#include <optional>
#include <vector>

#include "clients/mosquitto/sessions.h"
#include "clients/verdict/registry_client.h"

namespace {

using registry::clients::Sessions;
using registry::clients::TopicSpace;

struct FreePeer {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Peer = std::unique_ptr<X509, FreePeer>;

struct Plugin {
  mosquitto_plugin_id_t* id = nullptr;
  registry_client* client = nullptr;
  TopicSpace space;
  Sessions sessions;
  std::time_t said_at = 0;
  bool reloading = false;  // from SIGHUP until Mosquitto goes on with its loop
  ~Plugin() { registry_client_close(client); }
};

// One line a second: whoever is refused may come as often as it likes, and would fill the disk.
void SayRefused(Plugin& plugin, const char* device, const char* why) {
  const std::time_t now = std::time(nullptr);
  if (now == plugin.said_at) return;
  plugin.said_at = now;
  mosquitto_log_printf(MOSQ_LOG_NOTICE, "registry: %s refused: %s", *device != '\0' ? device : "a client",
                       why);
}

// Whoever connects with a client id in use ends the other's session: so a device's begins with its own id.
bool OwnClientId(const std::string& client_id, const std::string& device) {
  return client_id.starts_with(device);
}

// Null: accepted. Who is not this ASP's causes no look-up.
const char* WhyRefused(Plugin& plugin, X509* certificate, char device[37], const std::string& client_id) {
  if (registry_client_device_in(plugin.client, certificate, device) == 0) {
    if (!OwnClientId(client_id, device)) return "its client id does not begin with its own id";
    if (registry_client_is_mine(plugin.client, device) == 0) {
      return registry_verdict_symbol(REGISTRY_DEVICE_NOT_CLAIMED);
    }
  }
  const registry_verdict verdict = registry_client_judge(plugin.client, certificate, nullptr, device);
  return verdict == REGISTRY_ACCEPTED ? nullptr : registry_verdict_symbol(verdict);
}

bool IsDevice(std::string_view name) {
  return name.size() == 36 && name.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

// A session that Mosquitto has read from its file at the start: nobody has connected to it since, so that it has no address.
// Its user name, which OnBasicAuth gave it, is the device. Empty: it is none of a device that is this ASP's.
std::string RestoredDevice(const Plugin& plugin, const mosquitto* client, const std::string& client_id) {
  const char* const user = mosquitto_client_username(client);
  if (user == nullptr || mosquitto_client_address(client) != nullptr) return {};
  const bool own = IsDevice(user) && OwnClientId(client_id, user);
  return own && registry_client_is_mine(plugin.client, user) != 0 ? user : "";
}

std::string ClientIdOf(const mosquitto* client) {
  const char* const id = mosquitto_client_id(client);
  return id != nullptr ? id : "";
}

// SIGHUP has Mosquitto ask about each session again, connected or not. One that was accepted here needs no look-up: it would
// hold up the broker once for every device. nullopt: it was not.
std::optional<int> AskedAgain(const Plugin& plugin, const mosquitto* client) {
  if (!plugin.reloading) return std::nullopt;
  const std::string client_id = ClientIdOf(client);
  const Sessions::Session* const session = plugin.sessions.Find(client);
  if (session != nullptr && session->client_id == client_id) {
    return registry_client_is_mine(plugin.client, session->device.c_str()) != 0 ? MOSQ_ERR_SUCCESS
                                                                                : MOSQ_ERR_AUTH;
  }
  return RestoredDevice(plugin, client, client_id).empty() ? std::nullopt : std::optional(MOSQ_ERR_SUCCESS);
}

// Nothing may be thrown into Mosquitto: noexcept ends it, which is better than letting somebody in.
int OnBasicAuth(int, void* event, void* self) noexcept {
  auto& plugin = *static_cast<Plugin*>(self);
  auto* const client = static_cast<mosquitto_evt_basic_auth*>(event)->client;
  if (const auto answer = AskedAgain(plugin, client)) return *answer;
  plugin.sessions.Forget(client);  // whoever was at that address before
  const Peer certificate(static_cast<X509*>(mosquitto_client_certificate(client)));
  if (!certificate) return MOSQ_ERR_PLUGIN_DEFER;
  const std::string client_id = ClientIdOf(client);
  std::array<char, 37> device{};
  if (const char* const why = WhyRefused(plugin, certificate.get(), device.data(), client_id);
      why != nullptr) {
    SayRefused(plugin, device.data(), why);
    return MOSQ_ERR_AUTH;
  }
  // Without a name the client would be anonymous, and those Mosquitto ends on SIGHUP where `allow_anonymous` is false.
  if (const int code = mosquitto_set_username(client, device.data()); code != MOSQ_ERR_SUCCESS) return code;
  plugin.sessions.Begin(client, {device.data(), client_id});
  return MOSQ_ERR_SUCCESS;
}

// Messages for a device that has not come back since Mosquitto's start are kept for it. When it comes, it is asked about
// anew.
bool KeepsFor(const Plugin& plugin, const mosquitto_evt_acl_check& asked) {
  if (asked.access != MOSQ_ACL_READ) return false;
  const std::string device = RestoredDevice(plugin, asked.client, ClientIdOf(asked.client));
  return !device.empty() && plugin.space.Holds(device, asked.topic);
}

int OnAclCheck(int, void* event, void* self) noexcept {
  const auto& plugin = *static_cast<Plugin*>(self);
  const auto* const asked = static_cast<mosquitto_evt_acl_check*>(event);
  const Sessions::Session* const session = plugin.sessions.Find(asked->client);
  if (session == nullptr) {
    const Peer certificate(static_cast<X509*>(mosquitto_client_certificate(asked->client)));
    if (certificate) return MOSQ_ERR_ACL_DENIED;
    return KeepsFor(plugin, *asked) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
  }
  return plugin.space.Holds(session->device, asked->topic) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

void EndUnlessMine(Plugin& plugin, const std::string& device) {
  for (const Sessions::Session& session : plugin.sessions.Of(device)) {
    if (registry_client_is_mine(plugin.client, session.device.c_str()) != 0) continue;
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "registry: %s may not be served any more", session.device.c_str());
    mosquitto_kick_client_by_clientid(session.client_id.c_str(), false);
  }
}

int OnMessage(int, void* event, void* self) noexcept {
  auto& plugin = *static_cast<Plugin*>(self);
  const auto* const said = static_cast<mosquitto_evt_message*>(event);
  if (registry_client_is_notification(plugin.client, said->topic) == 0) return MOSQ_ERR_SUCCESS;
  std::vector<std::string> about;
  const int heard = registry_client_hear(
      plugin.client, said->payload, said->payloadlen,
      [](void* list, const char* device) {
        static_cast<std::vector<std::string>*>(list)->emplace_back(device);
      },
      &about);
  if (heard < 0)
    mosquitto_log_printf(MOSQ_LOG_WARNING, "registry: a notification cannot be read: %s", said->topic);
  for (const std::string& device : about) EndUnlessMine(plugin, device);
  return MOSQ_ERR_SUCCESS;
}

int OnDisconnect(int, void* event, void* self) noexcept {
  static_cast<Plugin*>(self)->sessions.End(static_cast<mosquitto_evt_disconnect*>(event)->client);
  return MOSQ_ERR_SUCCESS;
}

void LogMetrics(const Plugin& plugin) {
  std::string text(registry_client_metrics(plugin.client, nullptr, 0) + 256, '\0');
  text.resize(registry_client_metrics(plugin.client, text.data(), text.size()));
  for (std::size_t from = 0; from < text.size(); from = text.find('\n', from) + 1) {
    const std::string line = text.substr(from, text.find('\n', from) - from);
    if (!line.starts_with('#') && !line.ends_with(" 0")) {
      mosquitto_log_printf(MOSQ_LOG_INFO, "registry: %s", line.c_str());
    }
  }
}

// SIGHUP: the list of claims again, and what was counted into the log.
int OnReload(int, void*, void* self) noexcept {
  auto& plugin = *static_cast<Plugin*>(self);
  plugin.reloading = true;
  if (registry_client_reload(plugin.client) != 0) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "registry: claims_file cannot be read; the old list stays");
  }
  EndUnlessMine(plugin, "");
  LogMetrics(plugin);
  return MOSQ_ERR_SUCCESS;
}

// Mosquitto's loop: OnReload, OnBasicAuth of every session, and this before it hears any client.
int OnTick(int, void*, void* self) noexcept {
  static_cast<Plugin*>(self)->reloading = false;
  return MOSQ_ERR_SUCCESS;
}

// A stock Mosquitto cannot ask for dane_clientid, so loading this is to ask for the certificate's name.
std::vector<const char*> LibraryOptions(const mosquitto_opt* options, int count) {
  std::vector<const char*> pairs = {"client_name", "certificate"};
  for (int i = 0; i < count; ++i) {
    if (std::string_view(options[i].key) == "topic") continue;
    pairs.push_back(options[i].key);
    pairs.push_back(options[i].value);
  }
  pairs.push_back(nullptr);
  return pairs;
}

bool Configure(Plugin& plugin, const mosquitto_opt* options, int count) {
  for (int i = 0; i < count; ++i) {
    if (std::string_view(options[i].key) == "topic" && !plugin.space.Set(options[i].value)) {
      mosquitto_log_printf(MOSQ_LOG_ERR, "registry: plugin_opt_topic is no …/%%d/…/#: %s", options[i].value);
      return false;
    }
  }
  std::array<char, 512> why{};
  plugin.client = registry_client_open(LibraryOptions(options, count).data(), why.data(), why.size());
  if (plugin.client == nullptr) mosquitto_log_printf(MOSQ_LOG_ERR, "registry: %s", why.data());
  return plugin.client != nullptr;
}

constexpr std::array<std::pair<int, MOSQ_FUNC_generic_callback>, 6> kHandlers = {
    {{MOSQ_EVT_BASIC_AUTH, &OnBasicAuth},
     {MOSQ_EVT_ACL_CHECK, &OnAclCheck},
     {MOSQ_EVT_MESSAGE, &OnMessage},
     {MOSQ_EVT_DISCONNECT, &OnDisconnect},
     {MOSQ_EVT_RELOAD, &OnReload},
     {MOSQ_EVT_TICK, &OnTick}}};

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): names that Mosquitto looks for
extern "C" {

__attribute__((visibility("default"))) int mosquitto_plugin_version(int count, const int* versions) {
  for (int i = 0; i < count; ++i) {
    if (versions[i] == 5) return 5;
  }
  return -1;
}

__attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t* id, void** self,
                                                                 mosquitto_opt* options, int count) {
  auto plugin = std::make_unique<Plugin>();
  plugin->id = id;
  if (!Configure(*plugin, options, count)) return MOSQ_ERR_INVAL;
  for (const auto& [event, handler] : kHandlers) {
    const int code = mosquitto_callback_register(id, event, handler, nullptr, plugin.get());
    if (code != MOSQ_ERR_SUCCESS) return code;
  }
  *self = plugin.release();
  return MOSQ_ERR_SUCCESS;
}

__attribute__((visibility("default"))) int mosquitto_plugin_cleanup(void* self, mosquitto_opt*, int) {
  const std::unique_ptr<Plugin> plugin(static_cast<Plugin*>(self));
  for (const auto& [event, handler] : kHandlers) {
    mosquitto_callback_unregister(plugin->id, event, handler, nullptr);
  }
  return MOSQ_ERR_SUCCESS;
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
