// bridge/zone/nsec3.h: hashed owner names and type bitmaps for authenticated denial.
// Parameters are fixed at `1 0 0 -` (RFC 9276 §3.1: no extra iterations, no salt, no opt-out): device names
// are random UUIDs, so one SHA-1 already hides the list, and opt-out would leave new names unproven. Threads:
// a Nsec3Hasher belongs to one thread.    Spec: RFC 5155 §3, §5, §7.1; RFC 4034 §4.1.2; RFC 4648 §7.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <vector>

#include "bridge/zone/wire.h"

namespace registry::zone {

using Hash = std::array<std::uint8_t, 20>;

class Nsec3Hasher {
 public:
  explicit Nsec3Hasher(Name zone);
  Hash Of(View prefix);  // of the name `prefix` in front of the zone

 private:
  struct Free {
    void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
    void operator()(EVP_MD* m) const { EVP_MD_free(m); }
  };
  Name zone_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
  std::unique_ptr<EVP_MD, Free> sha1_;
};

Bytes Nsec3Prefix(const Hash& hash);                 // one label, base32hex in lower case
std::optional<Hash> HashAt(View prefix);             // the other way round; nullopt: it is no such label
Bytes TypeBitmap(std::vector<std::uint16_t> types);  // empty for an empty non-terminal
Bytes Nsec3Rdata(const Hash& next, const Bytes& bitmap);
Bytes Nsec3ParamRdata();

}  // namespace registry::zone
