#!/bin/bash
# simulators/lab/payload_by_hand.sh: one registry payload in both forms, opened and compared by hand, in a lab that runs.
# You are the MNO, the ASP and the device. openssl verifies and opens the CMS; the pilot's files are verified as the pilot
# does it (pilot_check.py); and the two say the same.
#
#   ./dev up --dir /var/tmp/lab
#   bash simulators/lab/payload_by_hand.sh /var/tmp/lab
#   ./dev down --dir /var/tmp/lab
#
# An EID is registered once: to begin again, change it here, or start a lab in a fresh folder.
# A test runs this file as it is.
set -eo pipefail
HERE=$(realpath "$(dirname "$0")")
. "$HERE/guest.sh" "$1"
trap hush EXIT
cd "$LAB"

# 1. A device of an ASP that is named by its certificate, up to the push of its payload.
tell guest-mno esim.register '{"eid":"89049032123451234512345678903175","iccid":"8988211000000530231"}'
hear esim.register.accepted > registered.json
DEVICE=$(jq -r .device registered.json) CODE=$(jq -r .authorisationCode registered.json)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=mqtt.asp.test \
  -addext subjectAltName=DNS:mqtt.asp.test -keyout asp.key \
  -outform DER -out asp.der 2>openssl.log
tell guest-asp endpoint.publish "$(jq -nc --arg c "$(base64 -w0 asp.der)" '{endpoint: {name: "both", fqdn: "mqtt.asp.test",
  url: "mqtts://mqtt.asp.test:8883", port: 8883, protocol: "mqtts", trust: {kind: "certificate", certificate: $c}}}')"
hear endpoint.publish.accepted >result
tell guest-asp device.claim "{\"device\":\"$DEVICE\",\"authorisationCode\":\"$CODE\",\"endpoint\":\"both\"}"
hear device.claim.accepted >result
tell guest-mno device.attach "{\"device\":\"$DEVICE\"}"
KEY=$(hear do.key.generate | jq -r .job)
openssl ecparam -name prime256v1 -genkey -noout -out both.key
openssl req -new -key both.key -subj /CN=ignored -out both.csr
tell guest-mno csr.submit "$(jq -nc --arg d "$DEVICE" --arg j "$KEY" --rawfile c both.csr '{device: $d, csr: $c, job: $j}')"
hear csr.submit.accepted >result
hear do.payload.push >push.json

# 2. The CMS: signed by the issuing CA of the bootstrap part, and encrypted to the key of the CSR.
for ca in root issuing; do
  jq -r ".bootstrap.${ca}Certificate" registered.json | base64 -d | openssl x509 -inform DER -out "both-$ca.pem"
done
jq -r .cms push.json | base64 -d >payload.cms
openssl cms -verify -binary -inform DER -in payload.cms -certfile both-issuing.pem -CAfile both-root.pem \
  -out sealed.der 2>>openssl.log
openssl cms -decrypt -binary -inform DER -in sealed.der -inkey both.key -out payload.json
jq -c '{version, name: .bootstrap.deviceName, url: .endpoint.url}' payload.json

# 3. The pilot's files.
rm -rf both && mkdir both
for id in $(jq -r '.containers[].id' push.json); do
  jq -r --arg id "$id" '.containers[] | select(.id == $id).content' push.json | base64 -d >"both/$id"
done
jq -r '"in this order: " + ([.containers[].id] | join(" "))' push.json
NAME=$DEVICE._device.$(lab .dns.zone)
served "$NAME" TLSA >result
python3 "$HERE/pilot_check.py" --lab "$LAB" --files both

# 4. They say the same, under one version.
same() { cmp "both/$1" <(jq -r "$2" payload.json | base64 -d) && echo "$1 is $2"; }
same 02 .certificate
same 03 .endpoint.trust.certificate
same 06 .bootstrap.rootCertificate
same 07 .bootstrap.issuingCertificate
[ "$(jq -c '{port: .endpoint.port, url: .endpoint.fqdn}' payload.json)" = "$(cat both/08)" ] && echo "08 is .endpoint"
[ "$(jq .version payload.json)" = "$(jq .generation both/0F)" ] && echo "0F is .version"
digest() {
  local id
  for id in 02 03 06 07 08 09 0A; do
    printf "%b" "\\x$id$(printf '\\x%02x\\x%02x' $(($(stat -c %s "both/$id") / 256)) $(($(stat -c %s "both/$id") % 256)))"
    cat "both/$id"
  done | openssl dgst -sha256 -r | cut -d ' ' -f 1
}
[ "$(digest)" = "$(jq -r .files both/0F)" ] && echo "0F is of these files"
echo "one content in two forms"
