#include "bridge/ctl/hand_over_text.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "schemas/wire/envelope.h"
#include "schemas/wire/life_messages.h"

namespace registry::ctl {
namespace {

constexpr std::string_view kReadme = R"page(# @PARTY@ at the registry of @ZONE@

This folder is for the engineers of `@PARTY@`. It holds what your system needs to send its first command.
`@PARTY@` is a party of role `@ROLE@`.

| file | what |
|---|---|
| `ca.pem` | the CA that the broker's certificate comes from, and yours. Trust no other one for the broker |
| `@PARTY@.pem` | your client certificate. Its common name, `@PARTY@`, is your user name at the broker |
@KEY_ROW@
| `config/` | options for the Mosquitto clients |
| `quota.json` | a first command |
| `registry.json` | the facts of this page, for programs |
| `trust-anchors.txt` | what devices trust under DNSSEC |
| `registry-root.pem`, `registry-issuing.pem` | the CA certificates of devices, also of CAs to come, if they are here |
| `resolver.pem` | the certificate of the DNS-over-TLS resolver that devices use, if it is here |

| what | value |
|---|---|
| broker | `@HOST@`, port @PORT@, MQTT 5 (or 3.1.1) over TLS 1.3, with your client certificate |
| you write | `registry/v1/from/@PARTY@/COMMAND` |
| you read | `registry/v1/to/@PARTY@/#` |
| messages | CloudEvents 1.0 in JSON, Content Type `application/cloudevents+json`, QoS 1 |
| batches | @BATCHES@ |

## First steps
@KEY_STEP@
Install Mosquitto's clients (Debian: `mosquitto-clients`), and run this in this folder. It asks how fast you may send.
The command changes nothing.

```sh
XDG_CONFIG_HOME="$PWD/config" mosquitto_rr -W 20 -t registry/v1/from/@PARTY@/quota.get \
  -e registry/v1/to/@PARTY@/first -D publish content-type application/cloudevents+json -m "$(cat quota.json)"
```

The reply is one JSON object. Its `type` is `registry.v1.quota.get.accepted`. This hears everything that the
registry says to you:

```sh
XDG_CONFIG_HOME="$PWD/config" mosquitto_sub -t 'registry/v1/to/@PARTY@/#' -v
```

| what you see | what it means |
|---|---|
| `certificate verify failed` | The broker's certificate is not for `@HOST@`, or `ca.pem` is not the one in this folder |
| the connection is closed at once | Your certificate has ended or was withdrawn, or the key is not its own |
| no reply | The registry is away. The broker keeps your command. Send the same `id` again until a reply comes |
| `rejected` with `party_unknown` | The registry has not read its list of parties again. Ask its operator |

## Then
- Keep the key to yourself. Whoever has it is `@PARTY@`. If somebody else may have it, tell the operator at once.
- Give each of your clients an MQTT client identifier that nobody can guess. Whoever connects under the same one
  ends its connection.
- Give every command a new `id`, and repeat it with the same `id` until you have the reply. It is executed once.
- Ask the operator for a new certificate before this one ends. `openssl x509 -in @PARTY@.pem -noout -enddate` says when.
- The contract is in the folder `schemas/` of the registry's software. Begin with its `PARTY.md`.
)page";

std::string Filled(std::string text, std::string_view placeholder, std::string_view value) {
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + value.size())) {
    text.replace(at, placeholder.size(), value);
  }
  return text;
}

std::string ForParty(std::string text, const HandOverFacts& facts) {
  text = Filled(std::move(text), "@PARTY@", facts.party);
  text = Filled(std::move(text), "@ROLE@", facts.role);
  text = Filled(std::move(text), "@ZONE@", facts.zone);
  text = Filled(std::move(text), "@HOST@", facts.broker_host);
  return Filled(std::move(text), "@PORT@", std::to_string(facts.broker_port));
}

}  // namespace

std::string HandOverReadme(const HandOverFacts& facts) {
  std::string text(kReadme);
  text = Filled(
      std::move(text), "@KEY_ROW@",
      facts.has_key
          ? "| `@PARTY@.key` | your private key. The registry's operator has a copy of it |"
          : "| `@PARTY@.key` | not here. It is the key of your request. Put it here under this name |");
  text = Filled(std::move(text), "@KEY_STEP@",
                facts.has_key ? "" : "Copy your private key to `@PARTY@.key` in this folder (mode 0600).\n");
  text = Filled(std::move(text), "@BATCHES@",
                facts.batches ? "what has piled up for you comes in batches on `registry/v1/to/@PARTY@/batch`"
                              : "none are sent to you. You may send them");
  return ForParty(std::move(text), facts);
}

std::string ClientOptions(const HandOverFacts& facts) {
  return ForParty(
      "-h @HOST@\n-p @PORT@\n-V mqttv5\n-q 1\n--cafile ca.pem\n--cert @PARTY@.pem\n--key @PARTY@.key\n"
      "--tls-version tlsv1.3\n",
      facts);
}

std::string FirstCommand(const HandOverFacts& facts) {
  const nlohmann::ordered_json command = {{"specversion", "1.0"},
                                          {"id", "first-1"},
                                          {"source", facts.party},
                                          {"type", wire::CommandType(wire::QuotaGet::kName)},
                                          {"datacontenttype", "application/json"},
                                          {"data", nlohmann::ordered_json::object()}};
  return command.dump() + "\n";
}

}  // namespace registry::ctl
