#include "clients/verdict/registry_client.h"

#include <algorithm>
#include <cstring>

#include "clients/verdict/client_options.h"
#include "clients/verdict/notifications.h"
#include "clients/verdict/tls_guard.h"
#include "schemas/ids/ids.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/topics.h"

using registry::DeviceId;
using registry::Error;
using registry::Result;
using registry::Status;
using registry::clients::ClientCheck;
using registry::clients::ClientOptions;
using registry::clients::OptionReader;
using registry::clients::OwnDevices;
using registry::clients::Verdict;
using registry::wire::BatchTopic;
using registry::wire::EventTopic;

// NOLINTBEGIN(readability-identifier-naming): the names of the C interface
struct registry_client {
  ClientOptions options;
  OwnDevices own;
  std::unique_ptr<ClientCheck> check;
};

namespace {

static_assert(REGISTRY_FAILED == static_cast<int>(Verdict::kFailed));
static_assert(REGISTRY_FAILED + 1 == static_cast<int>(registry::clients::kVerdicts));

void Copy(std::string_view from, char* to, std::size_t size) {
  if (to == nullptr || size == 0) return;
  const std::size_t length = std::min(from.size(), size - 1);
  std::memcpy(to, from.data(), length);
  to[length] = '\0';
}

// No exception may leave: what is thrown is a lack of memory, and refuses.
template <class Call, class Value>
Value Guarded(Value otherwise, Call call) noexcept {
  try {
    return call();
  } catch (...) {
    return otherwise;
  }
}

Status ReadOwn(registry_client& client) {
  if (client.options.claims_file.empty()) return registry::Done{};
  const auto claims = registry::clients::ReadClaims(client.options.claims_file);
  if (!claims) return claims.error();
  client.own.Listed(*claims);
  return registry::Done{};
}

Result<std::unique_ptr<registry_client>> Opened(Result<ClientOptions> options) {
  if (!options) return options.error();
  auto client = std::make_unique<registry_client>();
  client->options = std::move(*options);
  auto check = registry::clients::OpenCheck(client->options, &client->own);
  if (!check) return check.error();
  client->check = std::move(*check);
  if (auto read = ReadOwn(*client); !read) return read.error();
  return client;
}

registry_client* Handed(Result<std::unique_ptr<registry_client>> opened, char* why, std::size_t why_size) {
  Copy(opened ? "" : opened.error().message, why, why_size);
  return opened ? std::move(*opened).release() : nullptr;
}

Result<ClientOptions> FromPairs(const char* const* options) {
  OptionReader reader;
  for (; options != nullptr && options[0] != nullptr && options[1] != nullptr; options += 2) {
    if (auto set = reader.Set(options[0], options[1]); !set) return set.error();
  }
  return std::move(reader).Ready();
}

registry_verdict CodeOf(const Status& status) {
  return static_cast<registry_verdict>(registry::clients::VerdictOf(status));
}

}  // namespace

registry_client* registry_client_open_file(const char* file, char* why, size_t why_size) {
  Copy("out of memory", why, why_size);
  return Guarded<>(static_cast<registry_client*>(nullptr), [&] {
    return Handed(Opened(registry::clients::ReadOptions(file != nullptr ? file : "")), why, why_size);
  });
}

registry_client* registry_client_open(const char* const* options, char* why, size_t why_size) {
  Copy("out of memory", why, why_size);
  return Guarded<>(static_cast<registry_client*>(nullptr),
                   [&] { return Handed(Opened(FromPairs(options)), why, why_size); });
}

void registry_client_close(registry_client* client) { delete client; }

int registry_client_guard(registry_client* client, SSL_CTX* context) {
  return Guarded(1, [&] {
    return registry::clients::Guard(context, *client->check, client->options.identity_extension) ? 0 : 1;
  });
}

const char* registry_client_device_of(const SSL* connection) {
  const auto* const judgement = registry::clients::JudgementIn(connection);
  return judgement == nullptr || judgement->device.empty() ? nullptr : judgement->device.c_str();
}

registry_verdict registry_client_verdict_of(const SSL* connection) {
  const auto* const judgement = registry::clients::JudgementIn(connection);
  return judgement == nullptr ? REGISTRY_CERTIFICATE_REQUIRED : CodeOf(judgement->status);
}

registry_verdict registry_client_judge(registry_client* client, X509* certificate, const char* sent_name,
                                       char device[37]) {
  Copy("", device, 37);
  return Guarded(REGISTRY_FAILED, [&] {
    const auto sent = sent_name != nullptr ? std::optional<std::string>(sent_name) : std::nullopt;
    const auto judgement = client->check->Judge(certificate, sent);
    Copy(judgement.device, device, 37);
    return CodeOf(judgement.status);
  });
}

int registry_client_device_in(registry_client* client, X509* certificate, char device[37]) {
  Copy("", device, 37);
  return Guarded(1, [&] {
    if (certificate == nullptr) return 1;
    const auto name = registry::clients::OnlyDnsName(certificate);
    const auto named = name ? client->check->domains().DeviceOf(*name) : name;
    if (named) Copy(*named, device, 37);
    return named ? 0 : 1;
  });
}

int registry_client_is_mine(registry_client* client, const char* device) {
  return Guarded(0, [&] {
    if (device == nullptr) return 0;
    return client->own.MayTalk(device, client->options.check.whose) ? 1 : 0;
  });
}

int registry_client_is_notification(const registry_client* client, const char* topic) {
  return Guarded(0, [&] {
    const auto party = registry::PartyId::Parse(client->options.party);
    if (!party || topic == nullptr) return 0;
    const std::string_view text(topic);
    return text.starts_with(EventTopic(*party, "")) || text == BatchTopic(*party) ? 1 : 0;
  });
}

const char* registry_verdict_symbol(int verdict) {
  return registry::clients::SymbolOf(static_cast<Verdict>(verdict)).data();
}

int registry_client_claimed(registry_client* client, const char* device) {
  return Guarded(1, [&] {
    if (device == nullptr || !DeviceId::Parse(device)) return 1;
    client->own.Claimed(device);
    return 0;
  });
}

int registry_client_hear(registry_client* client, const void* payload, size_t size,
                         registry_client_about about, void* self) {
  return Guarded(-1, [&] {
    const std::string_view text(static_cast<const char*>(payload), size);
    const auto devices =
        registry::clients::HearPayload(text, client->options.party, client->own, *client->check);
    if (!devices) return -1;
    for (const std::string& device : *devices) {
      if (about != nullptr) about(self, device.c_str());
    }
    return static_cast<int>(devices->size());
  });
}

int registry_client_reload(registry_client* client) {
  return Guarded(1, [&] { return ReadOwn(*client) ? 0 : 1; });
}

size_t registry_client_metrics(const registry_client* client, char* text, size_t size) {
  return Guarded(std::size_t{0}, [&] {
    const std::string metrics = client->check->counters().Text();
    Copy(metrics, text, size);
    return metrics.size();
  });
}
// NOLINTEND(readability-identifier-naming)
