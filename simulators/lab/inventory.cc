#include "simulators/lab/inventory.h"

#include <openssl/rand.h>

#include <algorithm>

#include "schemas/base/bytes.h"
#include "simulators/lab/asp_broker.h"
#include "simulators/lab/registry_setup.h"

namespace registry::lab {
namespace {

using nlohmann::json;

// AES-128 each. Null without randomness.
json RandomKeys() {
  json keys{{"version", 1}};
  for (const char* name : {"kic", "kid", "kik", "psk"}) {
    Bytes key(16);
    if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) return {};
    keys[name] = ToHex(key);
  }
  return keys;
}

json OtaPart(const Layout& layout, const std::string& party, const OtaSetup& ota, json keys) {
  const json sms{{"lose", ota.faults},
                 {"repeat", ota.faults},
                 {"absent", ota.faults / 10},
                 {"absent_for_ms", 1000},
                 {"delay_max_ms", ota.faults > 0 ? 150 : 0},
                 {"seed", ota.seed}};
  return {{"bearer", ota.bearer},
          {"admin_socket", layout.AdminSocket(party)},
          {"proof_within_ms", 1000},  // nothing on loopback takes longer, and a repetition costs nothing
          {"keys", std::move(keys)},
          {"sms", sms},
          {"http", {{"break_off", ota.faults}, {"seed", ota.seed}}}};
}

std::string RandomDigits(std::mt19937_64& random, std::size_t count) {
  std::uniform_int_distribution<int> digit(0, 9);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text.push_back(static_cast<char>('0' + digit(random)));
  return text;
}

Eid MakeEid(std::mt19937_64& random) {
  std::string digits = "89049032" + RandomDigits(random, 22);
  int rest = 0;
  for (const char digit : digits + "00") rest = (rest * 10 + (digit - '0')) % 97;
  const int check = 98 - rest;  // 1 to 98, so that the whole number mod 97 is 1
  digits += check < 10 ? "0" + std::to_string(check) : std::to_string(check);
  return Eid::Parse(digits).value();
}

Iccid MakeIccid(std::mt19937_64& random) {
  const std::string body = "89" + RandomDigits(random, 16);
  int sum = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    // The check digit follows, so the last digit of the body is one of those that are doubled.
    int digit = body[body.size() - 1 - i] - '0';
    if (i % 2 == 0) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return Iccid::Parse(body + static_cast<char>('0' + (10 - sum % 10) % 10)).value();
}

json MqttPart(const Layout& layout) {
  return {{"host", kAddress}, {"port", layout.mqtt}, {"ca_file", layout.BrokerCa()}};
}

}  // namespace

std::vector<LabEsim> MakeInventory(int devices, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<LabEsim> inventory;
  for (int i = 0; i < devices; ++i) {
    LabEsim esim{MakeEid(random), MakeIccid(random), i % 2, i / 2 % 2, true, {}};
    inventory.push_back(std::move(esim));
  }
  // Behind all others, so that the same seed gives the same devices as ever.
  for (LabEsim& esim : inventory) esim.spare = MakeIccid(random);
  return inventory;
}

bool MakeCardKeys(std::vector<LabEsim>& inventory) {
  for (LabEsim& esim : inventory) {
    esim.ota_keys = RandomKeys();
    esim.spare_ota_keys = RandomKeys();
    if (esim.ota_keys.is_null() || esim.spare_ota_keys.is_null()) return false;
  }
  return true;
}

json MnoConfig(const Layout& layout, int mno, const std::vector<LabEsim>& inventory, const LinkFaults& faults,
               const SlowMno& slow, const OtaSetup& ota) {
  json esims = json::array(), spares = json::array(), desks = json::object(), keys = json::object();
  for (const auto& esim : inventory) {
    const bool here = esim.mno == mno;
    if (ota.on()) keys[(here ? esim.iccid : esim.spare).text()] = here ? esim.ota_keys : esim.spare_ota_keys;
    if (esim.mno != mno) spares.push_back({{"iccid", esim.spare.text()}, {"eid", esim.eid.text()}});
    if (esim.mno != mno) continue;
    esims.push_back({{"iccid", esim.iccid.text()}, {"eid", esim.eid.text()}, {"asp", kAsps[esim.asp]}});
  }
  const std::string party = kMnos[mno];
  for (const char* asp : kAsps) desks[asp] = layout.DeskSocket(asp);
  for (const char* other : kMnos) desks[other] = layout.DeskSocket(other);
  json config{
      {"mqtt", MqttPart(layout)},
      {"party", party},
      {"cert_file", layout.PartyCertificate(party)},
      {"key_file", layout.PartyKey(party)},
      {"radio_socket", layout.RadioSocket(party)},
      {"desk_socket", layout.DeskSocket(party)},
      {"desks", desks},
      {"inventory", esims},
      {"spares", spares},
      {"register_window", 200},
      {"work_after_ms", slow.work_after_ms},
      {"report_every_ms", slow.report_every_ms},
      // Over a radio that loses nothing a repetition only tells that the device is busy, and makes it busier.
      {"repeat_after_ms", faults.lose > 0 ? 2000 : 15000},
      {"faults",
       {{"lose", faults.lose},
        {"repeat", faults.repeat},
        {"delay_max_ms", faults.delay_max_ms},
        {"seed", faults.seed}}}};
  if (ota.on()) config["ota"] = OtaPart(layout, party, ota, std::move(keys));
  return config;
}

json AspBrokerPart(const Layout& layout, int asp) {
  return {{"port", layout.asp_mqtt[asp]},
          {"back_end",
           {{"host", kAddress},
            {"port", layout.asp_back_end[asp]},
            {"user", kBackEndUser},
            {"password_file", AspBrokerOf(layout, asp).password_file}}}};
}

json AspConfig(const Layout& layout, int asp, bool pilot) {
  json desks = json::object();
  for (const char* other : kAsps) desks[other] = layout.DeskSocket(other);
  const std::string party = kAsps[asp];
  const std::string host = Layout::AspHost(party);
  const std::uint16_t port = layout.asp_tls[asp];
  json endpoint{{"name", "main"},
                {"fqdn", host},
                {"url", "tls://" + host + ":" + std::to_string(port)},
                {"port", port},
                {"protocol", "tls"}};
  if (pilot && asp == 0) {
    endpoint["certificate_file"] = layout.In("tls/" + party + ".pem");
  } else {
    endpoint["tlsa_owner"] = layout.TlsaOwner(asp);
  }
  return {{"mqtt", MqttPart(layout)},
          {"party", party},
          {"cert_file", layout.PartyCertificate(party)},
          {"key_file", layout.PartyKey(party)},
          {"desk_socket", layout.DeskSocket(party)},
          {"desks", desks},
          {"endpoint", endpoint},
          {"tls",
           {{"address", kAddress},
            {"port", port},
            {"cert_file", layout.In("tls/" + party + ".pem")},
            {"key_file", layout.In("tls/" + party + ".key")}}},
          {"device_trust",
           {{"root_file", layout.Registry("pki/root.pem")},
            {"issuing_file", IssuingTrust(layout)},
            {"zone", kZone}}},
          {"resolver",
           {{"address", kAddress},
            {"port", layout.dot},
            {"name", kResolverName},
            {"ca_file", layout.In("tls/resolver.pem")},
            {"spki_pin_b64", ""}}},
          {"trust_anchor_file", layout.TrustAnchor()}};
}

// Of what the pilot's software looks for, what nobody has named otherwise.
CardDoorPlan PilotCards(const Layout& layout, CardDoorPlan named, std::size_t devices) {
  if (named.layout.is_null()) named.layout = "field";
  while (named.modems.size() < devices) named.modems.push_back(layout.Modem(named.modems.size()));
  return named;
}

json DeviceConfig(const Layout& layout, const std::vector<LabEsim>& inventory, int threads,
                  const CardDoorPlan& cards, const OtaSetup& ota) {
  json esims = json::array(), radios = json::object();
  for (const auto& esim : inventory) {
    esims.push_back({{"iccid", esim.iccid.text()}, {"eid", esim.eid.text()}, {"mno", kMnos[esim.mno]}});
    esims.back()["spare"] = {{"iccid", esim.spare.text()}, {"mno", kMnos[1 - esim.mno]}};
    if (!esim.checks) esims.back()["checks"] = false;
    if (!ota.on()) continue;
    esims.back()["ota"] = esim.ota_keys;
    esims.back()["spare"]["ota"] = esim.spare_ota_keys;
  }
  for (const char* mno : kMnos) radios[mno] = layout.RadioSocket(mno);
  for (std::size_t i = 0; i < std::min(cards.modems.size(), esims.size()); ++i)
    esims[i]["modem"] = cards.modems[i];
  for (std::size_t i = 0; i < std::min(cards.readers.size(), esims.size()); ++i)
    esims[i]["vpcd"] = cards.readers[i];
  json config{
      {"radio_sockets", radios}, {"inventory", esims}, {"threads", threads}, {"asp_address", kAddress}};
  if (!cards.layout.is_null()) config["card_layout"] = cards.layout;
  if (!ota.on()) return config;
  for (const char* mno : kMnos) config["admin_sockets"][mno] = layout.AdminSocket(mno);
  const double share = ota.faults / 4;  // of what befalls a card itself
  config["card_faults"] = {{"no_room", share}, {"no_memory", share}, {"counter", share}, {"seed", ota.seed}};
  return config;
}

}  // namespace registry::lab
