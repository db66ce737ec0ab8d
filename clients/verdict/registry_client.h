// clients/verdict/registry_client.h: for the server of an ASP, in C (and C++, see registry_client_cpp.h): is this TLS client
// an active device of this registry, and is it mine? Installed as <registry/client.h>; link with -lregistry-client.
// Ownership: whoever opens a client closes it, after the last connection of the contexts it guards. Strings that are
//   returned belong to the library and live as long as what they were asked of. Strings that are given are copied.
// Threads: every function from any thread; open and close once. registry_client_judge and a guarded handshake wait for the
//   DNS, at most twice timeout_ms, unless the answer is cached. The host's signals are left alone.
// Errors: a function that returns int answers 0 when it worked. Whoever cannot be proved is refused: a resolver that is
//   away lets nobody in.
// Units: milliseconds. Limits: cache_max names and certificates (65536), one entry for each claimed device.
// Configuration keys: README.md beside this file, also installed.
// Spec: RFC 5280 §6; RFC 6698, RFC 7671 (TLSA 3 0 1, 3 1 1); RFC 4035 §5 over RFC 7858; draft-ietf-dance-client-auth-13.
#pragma once

#include <openssl/ssl.h>
#include <stddef.h>

#if defined(__GNUC__)
#define REGISTRY_CLIENT_API __attribute__((visibility("default")))
#else
#define REGISTRY_CLIENT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

// NOLINTBEGIN: the names and the typedefs of C
typedef struct registry_client registry_client;

// Numbers stay as they are in later versions. registry_verdict_symbol gives the word.
typedef enum registry_verdict {
  REGISTRY_ACCEPTED = 0,
  REGISTRY_CERTIFICATE_REQUIRED = 1,
  REGISTRY_CERTIFICATE_MALFORMED = 2,
  REGISTRY_IDENTITY_MISSING = 3,
  REGISTRY_IDENTITY_MALFORMED = 4,
  REGISTRY_IDENTITY_MISMATCH = 5,
  REGISTRY_NAME_MISSING = 6,
  REGISTRY_NAME_NOT_ALLOWED = 7,
  REGISTRY_CHAIN_INVALID = 8,
  REGISTRY_CERTIFICATE_EXPIRED = 9,
  REGISTRY_NAME_ABSENT = 10,   // NXDOMAIN, proved
  REGISTRY_TLSA_MISSING = 11,  // NODATA, proved: deactivated or on hold
  REGISTRY_TLSA_MISMATCH = 12,
  REGISTRY_DNS_BOGUS = 13,
  REGISTRY_DNS_INSECURE = 14,
  REGISTRY_RESOLVER_UNREACHABLE = 15,  // also: no answer in time
  REGISTRY_DEVICE_NOT_CLAIMED = 16,
  REGISTRY_DEVICE_NOT_ACTIVE = 17,
  REGISTRY_FAILED = 18
} registry_verdict;

// NULL when the configuration cannot be used; `why` then holds the reason.
REGISTRY_CLIENT_API registry_client *registry_client_open_file(const char *file, char *why, size_t why_size);
// The same from keys and values: options[0] is a key, options[1] its value, …, NULL at the end.
REGISTRY_CLIENT_API registry_client *registry_client_open(const char *const *options, char *why,
                                                          size_t why_size);
REGISTRY_CLIENT_API void registry_client_close(registry_client *client);

// ---- a TLS server: one call, before the first connection. It sets TLS 1.3, demands a client certificate, asks for
// dane_clientid, judges inside the handshake, and switches resumption off.
REGISTRY_CLIENT_API int registry_client_guard(registry_client *client, SSL_CTX *context);
// Of a connection that a guarded context has accepted or refused. NULL: nothing is known.
REGISTRY_CLIENT_API const char *registry_client_device_of(const SSL *connection);
REGISTRY_CLIENT_API registry_verdict registry_client_verdict_of(const SSL *connection);

// ---- a server that has the certificate from elsewhere. `sent_name`: what the client sent as dane_clientid, or NULL.
// `device` (37 octets) gets the device's id, or "".
REGISTRY_CLIENT_API registry_verdict registry_client_judge(registry_client *client, X509 *certificate,
                                                           const char *sent_name, char device[37]);
// The device that the certificate names, without any look-up. It proves nothing. Not 0: it names none of an allowed zone.
REGISTRY_CLIENT_API int registry_client_device_in(registry_client *client, X509 *certificate,
                                                  char device[37]);
REGISTRY_CLIENT_API const char *registry_verdict_symbol(int verdict);  // of no verdict: "failed"

// ---- what the ASP knows of its devices
// A device.claim was accepted. Not 0: it is no device id.
REGISTRY_CLIENT_API int registry_client_claimed(registry_client *client, const char *device);
// 1 when the device is this ASP's and may be served, as far as is known here. When own_only is no: 0 only
// for one that was heard to be deactivated, deleted, released or suspended.
REGISTRY_CLIENT_API int registry_client_is_mine(registry_client *client, const char *device);
// 1 when messages of this topic are notifications or batches to the configured party.
REGISTRY_CLIENT_API int registry_client_is_notification(const registry_client *client, const char *topic);
// The payload of such a message, as it came. What was cached about its devices is forgotten. `about`, which may be NULL, is
// called for each of them. It returns how many there were; -1: it cannot be read, and nothing was taken over.
typedef void (*registry_client_about)(void *self, const char *device);
REGISTRY_CLIENT_API int registry_client_hear(registry_client *client, const void *payload, size_t size,
                                             registry_client_about about, void *self);
// Reads claims_file again. Not 0: it cannot be read, and what was known stays.
REGISTRY_CLIENT_API int registry_client_reload(registry_client *client);

// Prometheus' text format. It returns the length that is needed; what does not fit is left out, as with snprintf.
REGISTRY_CLIENT_API size_t registry_client_metrics(const registry_client *client, char *text, size_t size);
// NOLINTEND

#ifdef __cplusplus
}
#endif
