#include "workers/crypto/enveloped.h"

#include <openssl/cms.h>
#include <openssl/objects.h>

#include "workers/crypto/owned.h"

namespace registry::crypto {

bool IsEnveloped(const Bytes& der) {
  const std::uint8_t* cursor = der.data();
  const Owned<CMS_ContentInfo, CMS_ContentInfo_free> cms(
      d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(der.size())));
  if (!cms || cursor != der.data() + der.size()) return Failed();
  const int type = OBJ_obj2nid(CMS_get0_type(cms.get()));
  return type == NID_pkcs7_enveloped || type == NID_id_smime_ct_authEnvelopedData;
}

}  // namespace registry::crypto
