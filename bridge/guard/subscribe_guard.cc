// bridge/guard/subscribe_guard.cc: a plug-in for Mosquitto that refuses, at SUBSCRIBE, what the access list would not let
// the client read. Mosquitto 2.0 grants every subscription and holds the list against each message when it delivers it;
// that is too late for a shared subscription, where each message goes to one member of the group: a stranger in somebody
// else's group takes its share and reads none of it.
// It also spares the registry second copies of what it hears through a party's own session (own_ears.h), and ends the
// connections that are open with a certificate that has been withdrawn (withdrawn.h): MQTT 5 §3.14.2.1, reason 0x98.
// Everything else is left to acl_file. Configuration: `plugin FILE`, `plugin_opt_acl_file FILE`, the same file as
//   acl_file, and `plugin_opt_crl_file FILE`, the same as crlfile, without which no connection is ended; SIGHUP reads both
//   again. A list that cannot be read keeps Mosquitto from starting, and leaves the old one in force on SIGHUP.
// Threads: Mosquitto's only one. Interface: mosquitto_plugin.h, version 5.
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <openssl/x509.h>

#include <ctime>
#include <fstream>
#include <memory>

#include "bridge/guard/own_ears.h"
#include "bridge/guard/read_rules.h"
#include "bridge/guard/withdrawn.h"

namespace {

using registry::guard::OwnEars;
using registry::guard::ReadRules;

struct Guard {
  mosquitto_plugin_id_t* plugin = nullptr;
  std::string acl_file, crl_file;
  ReadRules rules;
  OwnEars ears;
  registry::guard::Withdrawn withdrawn;
  registry::guard::Certificates certificates;
  bool to_end = false;  // some connection may have to be ended, at the next tick
  std::time_t said_at = 0;
};

bool Load(Guard& guard) {
  std::ifstream file(guard.acl_file);
  if (!file) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "subscribe guard: cannot read plugin_opt_acl_file \"%s\"",
                         guard.acl_file.c_str());
    return false;
  }
  guard.rules = ReadRules::Parse(file);
  return true;
}

bool LoadWithdrawn(Guard& guard) {
  if (guard.crl_file.empty()) return true;
  guard.to_end = true;
  if (guard.withdrawn.Read(guard.crl_file)) return true;
  mosquitto_log_printf(MOSQ_LOG_ERR, "subscribe guard: cannot read plugin_opt_crl_file \"%s\"",
                       guard.crl_file.c_str());
  return false;
}

// One line a second: whoever is refused may ask as often as it likes, and would fill the disk.
void Say(Guard& guard, const std::string& user, const char* filter) {
  const std::time_t now = std::time(nullptr);
  if (now == guard.said_at) return;
  guard.said_at = now;
  mosquitto_log_printf(MOSQ_LOG_NOTICE, "subscribe guard: %s may not subscribe to %s", user.c_str(), filter);
}

std::string TextOf(const char* text) { return text != nullptr ? text : ""; }

// Of a session that nobody is connected to Mosquitto has no certificate, so nothing is noted.
bool IsWithdrawn(Guard& guard, mosquitto* client, const std::string& id) {
  if (guard.crl_file.empty()) return false;
  const std::string* serial = guard.certificates.Find(client, id);
  if (serial == nullptr) {
    const std::unique_ptr<X509, decltype(&X509_free)> shown(
        static_cast<X509*>(mosquitto_client_certificate(client)), &X509_free);
    if (!shown) return false;
    serial = &guard.certificates.Note(client, id, registry::guard::SerialOf(shown.get()));
  }
  return guard.withdrawn.Lists(*serial);
}

// Nothing may be thrown into Mosquitto: noexcept ends it, which is better than granting.
int OnAclCheck(int, void* event, void* self) noexcept {
  const auto* const asked = static_cast<mosquitto_evt_acl_check*>(event);
  const std::string id = TextOf(mosquitto_client_id(asked->client));
  auto& guard = *static_cast<Guard*>(self);
  if (IsWithdrawn(guard, asked->client, id)) {
    guard.to_end = true;
    return MOSQ_ERR_ACL_DENIED;
  }
  if (asked->access != MOSQ_ACL_SUBSCRIBE && asked->access != MOSQ_ACL_READ) return MOSQ_ERR_PLUGIN_DEFER;
  const std::string user = TextOf(mosquitto_client_username(asked->client));
  if (asked->access == MOSQ_ACL_READ) {
    return guard.ears.Spared(id, user, asked->topic) ? MOSQ_ERR_ACL_DENIED : MOSQ_ERR_PLUGIN_DEFER;
  }
  if (guard.rules.Grants(user, asked->topic)) {
    guard.ears.Subscribed(id, user, asked->topic);
    return MOSQ_ERR_PLUGIN_DEFER;
  }
  Say(guard, user, asked->topic);
  return MOSQ_ERR_ACL_DENIED;
}

int OnDisconnect(int, void* event, void* self) noexcept {
  const auto* const gone = static_cast<mosquitto_evt_disconnect*>(event);
  auto& guard = *static_cast<Guard*>(self);
  guard.ears.Disconnected(TextOf(mosquitto_client_id(gone->client)));
  guard.certificates.Gone(gone->client);
  return MOSQ_ERR_SUCCESS;
}

// Between packets: Mosquitto must not lose a client in the midst of one of its packets. Its will is not said either.
int OnTick(int, void*, void* self) noexcept {
  auto& guard = *static_cast<Guard*>(self);
  if (!guard.to_end) return MOSQ_ERR_SUCCESS;
  guard.to_end = false;
  for (const std::string& id : guard.certificates.WithdrawnBy(guard.withdrawn)) {
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "subscribe guard: %s ends, its certificate is withdrawn",
                         id.c_str());
    mosquitto_kick_client_by_clientid(id.c_str(), false);
  }
  return MOSQ_ERR_SUCCESS;
}

int OnReload(int, void*, void* self) noexcept {
  (void)Load(*static_cast<Guard*>(self));
  (void)LoadWithdrawn(*static_cast<Guard*>(self));
  return MOSQ_ERR_SUCCESS;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): names that Mosquitto looks for
extern "C" {

__attribute__((visibility("default"))) int mosquitto_plugin_version(int count, const int* versions) {
  for (int i = 0; i < count; ++i) {
    if (versions[i] == 5) return 5;
  }
  return -1;
}

__attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t* plugin, void** self,
                                                                 mosquitto_opt* options, int count) {
  auto guard = std::make_unique<Guard>();
  guard->plugin = plugin;
  for (int i = 0; i < count; ++i) {
    if (std::string_view(options[i].key) == "acl_file") guard->acl_file = options[i].value;
    if (std::string_view(options[i].key) == "crl_file") guard->crl_file = options[i].value;
  }
  if (!Load(*guard) || !LoadWithdrawn(*guard)) return MOSQ_ERR_INVAL;
  for (const auto& [event, handler] : {std::pair(MOSQ_EVT_ACL_CHECK, &OnAclCheck),
                                       {MOSQ_EVT_DISCONNECT, &OnDisconnect},
                                       {MOSQ_EVT_TICK, &OnTick},
                                       {MOSQ_EVT_RELOAD, &OnReload}}) {
    const int code = mosquitto_callback_register(plugin, event, handler, nullptr, guard.get());
    if (code != MOSQ_ERR_SUCCESS) return code;
  }
  *self = guard.release();
  return MOSQ_ERR_SUCCESS;
}

__attribute__((visibility("default"))) int mosquitto_plugin_cleanup(void* self, mosquitto_opt*, int) {
  const std::unique_ptr<Guard> guard(static_cast<Guard*>(self));
  mosquitto_callback_unregister(guard->plugin, MOSQ_EVT_ACL_CHECK, &OnAclCheck, nullptr);
  mosquitto_callback_unregister(guard->plugin, MOSQ_EVT_DISCONNECT, &OnDisconnect, nullptr);
  mosquitto_callback_unregister(guard->plugin, MOSQ_EVT_TICK, &OnTick, nullptr);
  return mosquitto_callback_unregister(guard->plugin, MOSQ_EVT_RELOAD, &OnReload, nullptr);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
