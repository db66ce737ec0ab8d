#!/bin/bash
# simulators/asp/seal.sh: seals what stands on standard input to a device's certificate, for wifi.set. It says one line, the
# base64 of a CMS AuthEnvelopedData (RFC 5083, RFC 5753), which only the card with the certified key can open.
#
#   printf %s "$PASSPHRASE" | bash simulators/asp/seal.sh device.pem
#
# device.pem is the certificate of device.certified or csr.submit. Uses openssl and nothing of this project.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: seal.sh DEVICE.pem < PASSPHRASE" >&2; exit 2; }
openssl x509 -in "$1" -noout -checkend 0 > /dev/null || { echo "$1 is no certificate, or has ended" >&2; exit 1; }
SEALED=$(openssl cms -encrypt -binary -aes-128-gcm -keyid -recip "$1" -keyopt ecdh_kdf_md:sha256 -outform DER | base64 -w0)
[ ${#SEALED} -le 1024 ] || { echo "sealed it has more than 1024 octets: the passphrase is too long" >&2; exit 1; }
echo "$SEALED"
