#include "bridge/ctl/config_template.h"

#include <string_view>
#include <utility>

namespace registry::ctl {
namespace {

constexpr std::string_view kTemplate =
    R"(# The registry's configuration; bridge/app/CONFIG.md explains every key. Relative paths are relative to this file.
# registryd --check-config --config registry.toml says what is wrong with it.

[registry]
zone = "@ZONE@"
profile = "iot-registry-1"
# What devices trust, as DS or DNSKEY records: the zone's own key for a private ecosystem, the IANA root's for a public one.
trust_anchors = ["@ANCHOR@"]

[mqtt]
host = "@HOST@"
port = 8883
ca_file = "interface/ca.pem"
certificate_file = "interface/registryd.pem"
key_file = "interface/registryd.key"
crl_file = "interface/crl.pem"
# What makes the broker read its files again; `registryctl party` runs it when a party's certificate was withdrawn.
# broker_reload = ["systemctl", "reload", "mosquitto"]
# Keep it to yourself: a client that connects under this id throws registryd out, whoever it is.
client_id = "@CLIENT_ID@"

[ledger]
folder = "ledger"

[intake]
folder = "intake"

[pki]
root_certificate = "pki/root.pem"
issuing_certificate = "pki/issuing.pem"
issuing_key = "pki/issuing.key"
crl_file = "pki/crl.pem"
crl_url = ""
blocked_keys = "pki/blocked-keys.txt"
validity_days = 365
tlsa = "3 0 1"

[payload]
validity_days = 30

# Authorisation codes are computed under this key; `registryctl authorisation key` makes another.
[authorisation]
key_file = "authorisation.key"
validity_days = 14

# The DNS-over-TLS resolver devices are told to use. Until its certificate is here, registryd does not start.
[resolver]
address = "127.0.0.1"
port = 853
name = "resolver.@ZONE@"
certificate = "interface/resolver.pem"

[zone]
listen_address = "127.0.0.1"
listen_port = 5300
ksk = "zone/ksk.pem"
zsk = "zone/zsk.pem"
tsig_name = "registry-transfer"
tsig_secret = "zone/tsig.key"
name_servers = ["ns1.@ZONE@"]
glue = [["ns1.@ZONE@", "127.0.0.1"]]
contact = "hostmaster.@ZONE@"
tlsa_ttl = 60
negative_ttl = 60

[http]
address = "127.0.0.1"
port = 9180

[log]
level = "info"
file = ""

[pipeline]
queue = 8192

# registryctl finds the running registryd by it.
[run]
file = "run.json"

# When an MNO is asked again, and how many actions one may have open at once. In a [[party]] of role "mno" the keys
# retry_first_seconds, retry_attempts, retry_progress_seconds, retry_reported_seconds and retry_open say it for that one.
[retry]
first_seconds = 30
attempts = 6
progress_seconds = 600
reported_seconds = 604800
open = 10000

# How long a party has to answer that is to lose a device, and what becomes of the transfer without an answer: "rejected" or
# "approved". A [[party]] with auto_approve = true is not asked: whoever shows a code that it has set gets the device.
[transfer]
decide_within_seconds = 432000
auto = "rejected"

# One per secondary; a change counts as visible once every one of them serves it.
# [[secondary]]
# name = "ns1"
# address = "192.0.2.53"
# port = 53
)";

std::string Replace(std::string text, std::string_view placeholder, std::string_view value) {
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + value.size())) {
    text.replace(at, placeholder.size(), value);
  }
  return text;
}

}  // namespace

std::string ConfigText(const ConfigValues& values) {
  std::string text(kTemplate);
  text = Replace(std::move(text), "@ZONE@", values.zone);
  text = Replace(std::move(text), "@HOST@", values.broker_host);
  text = Replace(std::move(text), "@CLIENT_ID@", values.client_id);
  return Replace(std::move(text), "@ANCHOR@", values.trust_anchor);
}

}  // namespace registry::ctl
