#!/bin/bash
# simulators/lab/make_vectors.sh: makes the files of schemas/vectors from a lab that runs: a device whose keys are files, and
# one whose keys are in a soft card. The keys are made for this and for nothing else.
#
#   ./dev up --dir /var/tmp/lab --servers-only
#   bash simulators/lab/make_vectors.sh /var/tmp/lab build/release/bin/device-sim OUT
#   ./dev down --dir /var/tmp/lab
#
# OUT must be there. The lab must be a fresh one: an EID is registered once. A test runs this file, and checks what it makes.
set -eo pipefail

HERE=$(dirname "$(readlink -f "$0")") DEVICE_SIM=$(realpath "$2") OUT=$(realpath "$3")
. "$HERE/guest.sh" "$1"
trap 'hush; [ -z "$CARD" ] || kill "$CARD"; rm -f "$OUT/modem" "$OUT/quiet"' EXIT
cd "$OUT"
mkdir -p card containers

# base64 on standard input to the file
decoded() { base64 -d > "$1"; }

# certified CSR-FILE: from the registered DEVICE to its certificate, on standard output
certified() {
  tell guest-mno device.attach "{\"device\":\"${DEVICE:?}\"}"
  hear do.key.generate > /dev/null
  tell guest-mno csr.submit "$(jq -nc --arg d "$DEVICE" --rawfile c "$1" '{device: $d, csr: $c}')"
  hear csr.submit.accepted | jq -r .certificate
}

# The payload of at least that version: 1 is the first.
pushed() {
  local push until=$((SECONDS + 60))
  while [ $SECONDS -lt $until ]; do
    push=$(hear do.payload.push)
    [ "$(jq .version <<<"$push")" -lt "$1" ] || { printf '%s' "$push"; return; }
    sleep 0.2
  done
  return 1
}

# 1. The registry's certificates.
cp "$(lab .pki.root_cert_file)" root.pem
cp "$(lab .pki.issuing_cert_file)" issuing.pem

# 2. An ASP with a certificate of its own, which its endpoint names.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null \
  -subj /CN=mqtt.asp.test -days 3650 \
  -addext subjectAltName=DNS:mqtt.asp.test -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth \
  -addext keyUsage=critical,digitalSignature -out asp.pem 2> /dev/null
tell guest-asp endpoint.publish "$(jq -nc --arg c "$(openssl x509 -in asp.pem -outform DER | base64 -w0)" '{endpoint: {
  name: "mine", fqdn: "mqtt.asp.test", url: "mqtts://mqtt.asp.test:8883", port: 8883, protocol: "mqtts",
  trust: {kind: "certificate", certificate: $c}}}')"
hear endpoint.publish.accepted > /dev/null

# 3. A device whose key is a file. The registry payload is encrypted to the same key.
tell guest-mno esim.register '{"eid":"89049032123451234512345678901235","iccid":"8988211000000530082"}'
hear esim.register.accepted > registered.json
DEVICE=$(jq -r .device registered.json)
openssl ecparam -name prime256v1 -genkey -noout -out device.key
openssl req -new -key device.key -subj /CN=ignored -out device.csr
certified device.csr > device.pem
NAME=$DEVICE._device.$(lab .dns.zone)
printf '%s\n' "$NAME" > name
printf '%s IN TLSA %s\n' "$NAME." "$(served "$NAME" TLSA | tail -n 1)" > tlsa.txt

# 4. It is claimed, and gets its payload; then a Wi-Fi passphrase sealed to its certificate, and its payload anew.
tell guest-asp device.claim "$(jq -c '{device, authorisationCode, endpoint: "mine"}' registered.json)"
hear device.claim.accepted > /dev/null
tell guest-mno do.result "$(pushed 1 | jq -c '{job, device, outcome: "success"}')"
hear event.device.activated > /dev/null
printf %s 'correct horse battery' > passphrase
bash "$HERE/../asp/seal.sh" device.pem < passphrase > sealed-passphrase.b64
tell guest-asp wifi.set "$(jq -nc --arg d "$DEVICE" --rawfile s sealed-passphrase.b64 \
  '{device: $d, wifi: {ssid: "vectors", sealedPassphrase: ($s | rtrimstr("\n"))}}')"
hear wifi.set.accepted > /dev/null
pushed 2 > push.json
jq -r .cms push.json | decoded payload.cms
for id in $(jq -r '.containers[].id' push.json); do
  jq -r ".containers[] | select(.id == \"$id\").content" push.json | decoded "containers/$id"
done
openssl cms -verify -binary -inform DER -in payload.cms -certfile issuing.pem -CAfile root.pem -out sealed.der 2> /dev/null
openssl cms -decrypt -binary -inform DER -in sealed.der -inkey device.key -out payload.json

# 5. A device whose keys are in a card.
tell guest-mno esim.register '{"eid":"89049032123451234512345678901332","iccid":"8988211000000530090"}'
DEVICE=$(hear esim.register.accepted | jq -r .device)
openssl ecparam -name prime256v1 -genkey -noout -out card/peer.key
mkfifo quiet  # the program ends with its standard input
exec 9<> quiet
"$DEVICE_SIM" --layout registry --modem "$OUT/modem" > /dev/null 2>&1 < quiet &
CARD=$!
for _ in $(seq 100); do [ ! -e modem ] || break; sleep 0.1; done
/usr/bin/python3 "$HERE/record_card.py" modem card/peer.key "$DEVICE._device.$(lab .dns.zone)" card
certified card/device.csr > card/device.pem

date +%s > time
rm -f registered.json push.json sealed.der
