// bridge/guard/subscribe_guard.cc: a plug-in for Mosquitto that refuses, at SUBSCRIBE, what the access list would not let
// the client read. Mosquitto 2.0 grants every subscription and holds the list against each message when it delivers it;
// that is too late for a shared subscription, where each message goes to one member of the group: a stranger in somebody
// else's group takes its share and reads none of it.
// It also spares the registry second copies of what it hears through a party's own session (own_ears.h).
// Everything else is left to acl_file. Configuration: `plugin FILE`, `plugin_opt_acl_file FILE`, the same file as
//   acl_file; SIGHUP reads it again. A list that cannot be read keeps Mosquitto from starting, and leaves the old one in
//   force on SIGHUP.
// Threads: Mosquitto's only one. Interface: mosquitto_plugin.h, version 5.
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <ctime>
#include <fstream>
#include <memory>

#include "bridge/guard/own_ears.h"
#include "bridge/guard/read_rules.h"

namespace {

using registry::guard::OwnEars;
using registry::guard::ReadRules;

struct Guard {
  mosquitto_plugin_id_t* plugin = nullptr;
  std::string acl_file;
  ReadRules rules;
  OwnEars ears;
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

// One line a second: whoever is refused may ask as often as it likes, and would fill the disk.
void Say(Guard& guard, const std::string& user, const char* filter) {
  const std::time_t now = std::time(nullptr);
  if (now == guard.said_at) return;
  guard.said_at = now;
  mosquitto_log_printf(MOSQ_LOG_NOTICE, "subscribe guard: %s may not subscribe to %s", user.c_str(), filter);
}

std::string TextOf(const char* text) { return text != nullptr ? text : ""; }

// Nothing may be thrown into Mosquitto: noexcept ends it, which is better than granting.
int OnAclCheck(int, void* event, void* self) noexcept {
  const auto* const asked = static_cast<mosquitto_evt_acl_check*>(event);
  if (asked->access != MOSQ_ACL_SUBSCRIBE && asked->access != MOSQ_ACL_READ) return MOSQ_ERR_PLUGIN_DEFER;
  const std::string user = TextOf(mosquitto_client_username(asked->client));
  const std::string id = TextOf(mosquitto_client_id(asked->client));
  auto& guard = *static_cast<Guard*>(self);
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
  static_cast<Guard*>(self)->ears.Disconnected(TextOf(mosquitto_client_id(gone->client)));
  return MOSQ_ERR_SUCCESS;
}

int OnReload(int, void*, void* self) noexcept {
  (void)Load(*static_cast<Guard*>(self));
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
  }
  if (!Load(*guard)) return MOSQ_ERR_INVAL;
  for (const auto& [event, handler] : {std::pair(MOSQ_EVT_ACL_CHECK, &OnAclCheck),
                                       {MOSQ_EVT_DISCONNECT, &OnDisconnect},
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
  return mosquitto_callback_unregister(guard->plugin, MOSQ_EVT_RELOAD, &OnReload, nullptr);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
