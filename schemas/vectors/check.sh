#!/bin/bash
# schemas/vectors/check.sh [FOLDER]: checks the vectors beside it, or those in FOLDER, with the openssl program and the shell
# alone. Says what holds, one line each, and ends with 1 at the first that does not. README.md says what each file is.
set -euo pipefail
cd "${1:-$(dirname "$(readlink -f "$0")")}"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND" >&2' ERR
AT=(-attime "$(cat time)")  # so that no date makes a vector worthless

holds() { echo "ok  $*"; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
octets() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }
der() { openssl x509 -in "$1" -outform DER; }
key_of() { openssl x509 -in "$1" -noout -pubkey; }

# ---- a device whose keys are files ----
openssl verify -x509_strict "${AT[@]}" -CAfile root.pem -untrusted issuing.pem device.pem card/device.pem > "$WORK/chains"
holds "both certificates lead to the root"
openssl req -in device.csr -noout -verify 2>&1 | grep -q "verify OK"
[ "$(openssl req -in device.csr -noout -pubkey)" = "$(key_of device.pem)" ]
[ "$(openssl pkey -in device.key -pubout)" = "$(key_of device.pem)" ]
holds "the CSR is signed by the device's key, and that key is certified"
openssl x509 -in device.pem -noout -ext subjectAltName | grep -qxF "    DNS:$(cat name)"
openssl x509 -in device.pem -noout -ext extendedKeyUsage | grep -q "Client Authentication"
holds "the certificate names the device"
[ "$(cut -d' ' -f1-6 tlsa.txt)" = "$(cat name). IN TLSA 3 0 1" ]
[ "$(cut -d' ' -f7- tlsa.txt | tr -d ' \n' | tr A-F a-f)" = "$(der device.pem | openssl dgst -sha256 -r | cut -d' ' -f1)" ]
holds "the TLSA record is the SHA-256 hash of the certificate"

openssl cms -verify -binary "${AT[@]}" -inform DER -in payload.cms -certfile issuing.pem -CAfile root.pem \
  -out "$WORK/sealed.der" 2> "$WORK/errors"
openssl cms -decrypt -binary -inform DER -in "$WORK/sealed.der" -inkey device.key -out "$WORK/payload.json"
cmp "$WORK/payload.json" payload.json
holds "the registry signed the payload, and the device's key opens it to payload.json"
if openssl cms -decrypt -binary -inform DER -in "$WORK/sealed.der" -inkey card/peer.key > "$WORK/none" 2>&1; then false; fi
holds "another key does not open it"
grep -qF "\"deviceName\":\"$(cat name)\"" payload.json
grep -qF "$(der device.pem | base64 -w0)" payload.json
grep -qF "\"sealedPassphrase\":\"$(cat sealed-passphrase.b64)\"" payload.json
holds "the payload names the device and holds its certificate and its Wi-Fi secret"
base64 -d sealed-passphrase.b64 | openssl cms -decrypt -binary -inform DER -inkey device.key > "$WORK/passphrase"
cmp "$WORK/passphrase" passphrase
holds "the device's key opens the Wi-Fi secret"

cmp containers/06 <(der root.pem)
cmp containers/07 <(der issuing.pem)
cmp containers/03 <(der asp.pem)
cmp containers/02 <(der device.pem)
key_of issuing.pem > "$WORK/issuing.pub"
openssl dgst -sha256 -verify "$WORK/issuing.pub" -signature containers/09 containers/08 > "$WORK/none"
openssl dgst -sha256 -verify "$WORK/issuing.pub" -signature containers/0A containers/03 > "$WORK/none"
grep -qxF '{"port":8883,"url":"mqtt.asp.test"}' containers/08
holds "the pilot's containers are the same certificates, and the registry signed 08 and 03"
for id in 02 03 06 07 08 09 0A; do
  octets "$id$(printf %04x "$(stat -c %s "containers/$id")")"
  cat "containers/$id"
done > "$WORK/files"
MARK=$(openssl dgst -sha256 -r "$WORK/files" | cut -d' ' -f1)
grep -qE "^\{\"files\":\"$MARK\",\"generation\":[0-9]+\}$" containers/0F
VERSION=$(sed 's/.*"generation":\([0-9]*\)}/\1/' containers/0F)
grep -qE "\"version\":$VERSION[,}]" payload.json
holds "the mark 0F is of these files and of this payload's version"

# ---- a device whose keys are in a card ----
# answer WORDS: what the card said to the command under the comment that begins so, without 9000
answer() {
  local said
  said=$(awk -v what="# $1" 'index($0, what) == 1 { found = 1 } found && /^</ { print $2; exit }' card/trace.txt)
  [ "${said: -4}" = 9000 ] || return 1
  echo "${said%9000}"
}
command_of() { awk -v what="# $1" 'index($0, what) == 1 { found = 1 } found && /^>/ { print $2; exit }' card/trace.txt; }
# point_file HEX FILE: the public key whose point ends the hexadecimal text, as PEM
point_file() {
  octets "3059301306072a8648ce3d020106082a8648ce3d030107034200${1: -130}" | openssl pkey -pubin -inform DER -pubout -out "$2"
}
SIGNING=$(answer "generate the signing pair")
AGREEMENT=$(answer "read the public key of the key-agreement pair")
point_file "$SIGNING" "$WORK/signing.pub"
point_file "$AGREEMENT" "$WORK/agreement.pub"
READ=$(answer "read its public key")
[ "${SIGNING: -130}" = "${READ: -130}" ]
openssl req -in card/device.csr -noout -verify 2>&1 | grep -q "verify OK"
[ "$(openssl req -in card/device.csr -noout -pubkey)" = "$(cat "$WORK/signing.pub")" ]
[ "$(key_of card/device.pem)" = "$(cat "$WORK/signing.pub")" ]
CSR=$(openssl req -in card/device.csr -outform DER | hex)
grep -qF "$(tr A-F a-f <<<"${AGREEMENT: -130}")" <<<"$CSR"
holds "the card's pairs are those of its CSR, and the signing key is certified"
SAID=$(answer "sign the digest")
[ "${SAID:0:4}" = 3340 ] && [ ${#SAID} = 132 ]
printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${SAID:4:64}" "${SAID:68:64}" > "$WORK/signature.conf"
openssl asn1parse -genconf "$WORK/signature.conf" -noout -out "$WORK/signature.der"
DIGEST=$(command_of "sign the digest")
octets "${DIGEST:14:64}" > "$WORK/digest"
openssl pkeyutl -verify -pubin -inkey "$WORK/signing.pub" -in "$WORK/digest" -sigfile "$WORK/signature.der" > "$WORK/none"
[[ $CSR == *"$(hex < "$WORK/signature.der")" ]]
holds "the card's signature verifies, and is the CSR's"
SECRET=$(answer "agree on a secret")
[ "$(openssl pkeyutl -derive -inkey card/peer.key -peerkey "$WORK/agreement.pub" | hex)" = "$(tr A-F a-f <<<"$SECRET")" ]
holds "the card and its peer agree on the same secret"
echo "all of it holds"
