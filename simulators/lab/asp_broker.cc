#include "simulators/lab/asp_broker.h"

#include <openssl/rand.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "schemas/base/bytes.h"
#include "simulators/lab/process.h"
#include "simulators/lab/registry_setup.h"

namespace registry::lab {
namespace {

Error BrokerError(const std::string& what) { return Error::Make(Code::kFailed, "lab_failed", what); }

std::string FolderOf(const Layout& layout, int asp) {
  return layout.In(std::string("asp-broker/") + kAsps[asp]);
}

std::string ReadFile(const std::string& file) {
  std::ifstream in(file);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Status WriteFile(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::trunc);
  if (::chmod(file.c_str(), 0600) != 0) return BrokerError("cannot write " + file);
  out << text;
  return out.flush() ? Status(Done{}) : Status(BrokerError("cannot write " + file));
}

// The plug-in judges devices as asp-sim does: the same zone, certificates, resolver and trust anchor.
std::string PluginPart(const Layout& layout, int asp, const std::string& plugin) {
  return "plugin " + plugin + "\nplugin_opt_zone " + kZone + "\nplugin_opt_root_file " +
         layout.Registry("pki/root.pem") + "\nplugin_opt_issuing_file " + IssuingTrust(layout) +
         "\nplugin_opt_resolver " + kAddress + ":" + std::to_string(layout.dot) +
         "\nplugin_opt_resolver_certificate_file " + layout.In("tls/resolver.pem") +
         "\nplugin_opt_trust_anchor_file " + layout.TrustAnchor() + "\nplugin_opt_party " + kAsps[asp] +
         "\nplugin_opt_topic devices/%d/#\nplugin_opt_timeout_ms 1000\n";
}

// Events come one by one or in batches. Nothing is retained at the registry's broker, so the bridge must not say there that
// it is up.
std::string BridgePart(const Layout& layout, int asp) {
  const std::string party = kAsps[asp];
  return "connection registry\naddress " + std::string(kAddress) + ":" + std::to_string(layout.mqtt) +
         "\ntopic registry/v1/to/" + party + "/event/# in 1\ntopic registry/v1/to/" + party +
         "/batch in 1\nbridge_protocol_version mqttv50\nremote_clientid " + party +
         "-bridge\nlocal_clientid registry-bridge\ncleansession false\nnotifications_local_only true\n"
         "restart_timeout 1\nbridge_cafile " +
         layout.BrokerCa() + "\nbridge_certfile " + layout.PartyCertificate(party) + "\nbridge_keyfile " +
         layout.PartyKey(party) + "\n";
}

std::string ConfigText(const Layout& layout, int asp, const std::string& plugin) {
  const std::string folder = FolderOf(layout, asp), tls = layout.In(std::string("tls/") + kAsps[asp]);
  return "log_dest file " + AspBrokerOf(layout, asp).log_file +
         "\nlog_type error\nlog_type warning\nlog_type notice\nlog_type information\nlog_timestamp true\n"
         "log_timestamp_format %Y-%m-%dT%H:%M:%S%z\nconnection_messages true\nuser root\n"
         "allow_anonymous false\npassword_file " +
         folder + "/passwords\nacl_file " + folder + "/acl\nset_tcp_nodelay true\n" +
         PluginPart(layout, asp, plugin) + "listener " + std::to_string(layout.asp_back_end[asp]) + " " +
         kAddress + "\nlistener " + std::to_string(layout.asp_mqtt[asp]) + " " + kAddress + "\ncertfile " +
         tls + ".pem\nkeyfile " + tls + ".key\ncafile " + folder +
         "/chain.pem\nrequire_certificate true\ntls_version tlsv1.3\n" + BridgePart(layout, asp);
}

Status MakePasswords(const std::string& plain_file, const std::string& hashed_file) {
  Bytes random(24);
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return BrokerError("no randomness");
  const std::string password = ToHex(random);
  if (auto written = WriteFile(plain_file, password + "\n"); !written) return written;
  if (auto written = WriteFile(hashed_file, std::string(kBackEndUser) + ":" + password + "\n"); !written)
    return written;
  const auto hashed = RunToEnd({"mosquitto_passwd", "-U", hashed_file});
  return hashed ? Status(Done{}) : Status(hashed.error());
}

}  // namespace

AspBroker AspBrokerOf(const Layout& layout, int asp) {
  const std::string folder = FolderOf(layout, asp);
  return {folder + "/mosquitto.conf", layout.LogFile(std::string("mosquitto-") + kAsps[asp]),
          folder + "/back-end"};
}

Status PrepareAspBroker(const Layout& layout, int asp, const std::string& plugin) {
  const std::string folder = FolderOf(layout, asp);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return BrokerError(folder + ": " + error.message());
  const AspBroker broker = AspBrokerOf(layout, asp);
  std::filesystem::remove(broker.log_file, error);  // of an earlier run: it says that Mosquitto is there
  const std::string chain = ReadFile(IssuingTrust(layout)) + ReadFile(layout.Registry("pki/root.pem"));
  if (auto made = MakePasswords(broker.password_file, folder + "/passwords"); !made) return made;
  if (auto written = WriteFile(folder + "/chain.pem", chain); !written) return written;
  const std::string access = std::string("user ") + kBackEndUser + "\ntopic readwrite #\n";
  if (auto written = WriteFile(folder + "/acl", access); !written) return written;
  return WriteFile(broker.config_file, ConfigText(layout, asp, plugin));
}

}  // namespace registry::lab
