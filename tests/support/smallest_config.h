// tests/support/smallest_config.h: the least registryd's configuration may say; none of the files it names exists.
#pragma once

namespace registry::test {

inline constexpr char kSmallestConfig[] = R"([registry]
zone = "iotregistry.test"
trust_anchors = [". IN DS 1 13 2 00"]
[mqtt]
host = "127.0.0.1"
ca_file = "ca.pem"
certificate_file = "/etc/r.pem"
key_file = "r.key"
[ledger]
folder = "ledger"
[intake]
folder = "intake"
[pki]
root_certificate = "root.pem"
issuing_certificate = "issuing.pem"
issuing_key = "issuing.key"
crl_file = "../crl.pem"
[resolver]
address = "192.0.2.1"
name = "resolver.iotregistry.test"
certificate = "resolver.pem"
[zone]
ksk = "ksk.pem"
zsk = "zsk.pem"
tsig_name = "transfer"
tsig_secret = "tsig.key"
name_servers = ["ns1.iotregistry.test"]
)";

}  // namespace registry::test
