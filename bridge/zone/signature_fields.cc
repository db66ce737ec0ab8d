#include "bridge/zone/signature_fields.h"

namespace registry::zone {

bool SignatureFields::Expired(UtcTime now) const {
  return !SerialAhead(expires, static_cast<std::uint32_t>(now.seconds()));
}

bool SignatureFields::NotYet(UtcTime now) const {
  return SerialAhead(begins, static_cast<std::uint32_t>(now.seconds()));
}

std::optional<SignatureFields> FieldsOf(View rrsig_rdata) {
  SignatureFields fields;
  Reader reader(rrsig_rdata);
  if (!reader.U16(fields.covered) || !reader.U8(fields.algorithm) || !reader.U8(fields.labels) ||
      !reader.U32(fields.ttl) || !reader.U32(fields.expires) || !reader.U32(fields.begins) ||
      !reader.U16(fields.tag) || !reader.ReadName(fields.signer))
    return std::nullopt;
  fields.head = rrsig_rdata.first(reader.at());
  fields.signature = rrsig_rdata.subspan(reader.at());
  return fields;
}

}  // namespace registry::zone
