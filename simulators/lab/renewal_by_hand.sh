#!/bin/bash
# simulators/lab/renewal_by_hand.sh: an ASP keeps the certificates of its devices, and acts on device.renewed; by hand,
# against a lab that runs. You are the MNO, the ASP and the device's applet.
#
#   ./dev up --dir /var/tmp/lab
#   bash simulators/lab/renewal_by_hand.sh /var/tmp/lab
#   ./dev down --dir /var/tmp/lab
#
# An ASP whose server looks devices up in DNS needs nothing of this: it finds both certificates while one replaces the other.
# An EID is registered once: to begin again, change it here, or start a lab in a fresh folder.
# A test runs this file as it is.
set -eo pipefail
. "$(dirname "$0")/guest.sh" "$1"
trap hush EXIT
cd "$LAB"
mkdir -p pinned

# The certificate of a key that the applet has just made, for the key.generate that asks for it.
certify() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
  openssl req -new -key "$1.key" -subj /CN=ignored -out "$1.csr"
  tell guest-mno csr.submit \
    "$(jq -nc --arg d "${DEVICE:?}" --arg j "${2:?}" --rawfile c "$1.csr" '{device: $d, job: $j, csr: $c}')"
  hear csr.submit.accepted > /dev/null
}
# The job of what the MNO is told to do, which is not the one it has done before ($2).
another() {
  local job until=$((SECONDS + 300))
  while [ $SECONDS -lt $until ]; do
    job=$(heard "do.$1" '.type == $type and .data.device == $device' | jq -r .data.job)
    [ -z "$job" ] || [ "$job" = "$2" ] || { echo "$job"; return; }
    sleep 0.2
  done
  echo "no other $1 came" >&2
  return 1
}
bring() {
  tell guest-mno do.result "{\"job\":\"${1:?}\",\"device\":\"${DEVICE:?}\",\"outcome\":\"success\"}"
  hear do.result.accepted > /dev/null
}

# What the ASP does with each news of a certificate: device.certified has the first, device.renewed each one after it. It
# believes nothing that does not lead to the registry's root, or whose hash the zone does not show.
pin() {
  local name hash serial former
  name=$(jq -r .name <<<"$1")
  jq -r .certificate <<<"$1" > news.pem
  openssl verify -x509_strict -CAfile "$(lab .pki.root_cert_file)" -untrusted "$(lab .pki.issuing_cert_file)" \
    news.pem > /dev/null
  hash=$(openssl x509 -in news.pem -outform DER | sha256sum | cut -d ' ' -f 1)
  served "$name" TLSA | tr -d ' ' | grep -iq "^301$hash"
  serial=$(openssl x509 -in news.pem -noout -serial | cut -d = -f 2 | tr A-F a-f)
  mv news.pem "pinned/$serial.pem"
  echo "pinned $serial of $name"
  # The device has said that it uses this one, so whoever comes with the former is not the device.
  former=$(jq -r '.replaced // empty' <<<"$1")
  [ -z "$former" ] || { rm "pinned/$former.pem"; echo "let $former go"; }
}

# 1. A device becomes active, as by_hand.sh shows step by step. The ASP has heard of its certificate, and keeps it.
tell guest-mno esim.register '{"eid":"89049032005008882600000000000219","iccid":"8988211000000530215"}'
hear esim.register.accepted > registered.json
DEVICE=$(jq -r .device registered.json) CODE=$(jq -r .authorisationCode registered.json)
tell guest-asp endpoint.publish '{"endpoint":{
  "name":"pinning","fqdn":"mqtt.asp.test","url":"mqtts://mqtt.asp.test:8883","port":8883,"protocol":"mqtts",
  "trust":{"kind":"tlsa","tlsaOwner":"_8883._tcp.mqtt.asp.test"}}}'
hear endpoint.publish.accepted > /dev/null
tell guest-asp device.claim "{\"device\":\"${DEVICE:?}\",\"authorisationCode\":\"${CODE:?}\",\"endpoint\":\"pinning\"}"
hear device.claim.accepted > /dev/null
tell guest-mno device.attach "{\"device\":\"${DEVICE:?}\"}"
FIRST=$(hear do.key.generate | jq -r .job)
certify first "$FIRST"
pin "$(hear event.device.certified)"
PUSHED=$(another payload.push '')
bring "$PUSHED"
hear event.device.activated > /dev/null

# 2. The ASP wants another key on it. The registry asks for one by itself when two thirds of the certificate's time are over.
tell guest-asp device.rekey "{\"device\":\"${DEVICE:?}\",\"reason\":\"worn out\"}"
hear device.rekey.accepted | jq -c '{state}'
certify second "$(another key.generate "$FIRST")"

# 3. The next certificate goes to the device once every resolver can know it. Then the ASP hears that the device uses it.
bring "$(another payload.push "$PUSHED")"
RENEWED=$(hear event.device.renewed)
jq -c '{name, notAfter, replaced}' <<<"$RENEWED"
pin "$RENEWED"
ls pinned
