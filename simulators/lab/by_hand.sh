#!/bin/bash
# simulators/lab/by_hand.sh: from an eSIM to an active device by hand, against a lab that runs. You are the MNO, the ASP
# and the device's applet.
#
#   ./dev up --dir /var/tmp/lab
#   bash simulators/lab/by_hand.sh /var/tmp/lab
#   ./dev down --dir /var/tmp/lab
#
# To go step by step, read guest.sh into bash (. simulators/lab/guest.sh /var/tmp/lab), go into the lab's folder, and paste
# the steps from 2 on. An EID is registered once: to begin again, change it here, or start a lab in a fresh folder.
# A test runs this file as it is.
set -eo pipefail

# 1. You join the lab as both of its guests. The files of this session lie in the lab's folder.
. "$(dirname "$0")/guest.sh" "$1"
trap hush EXIT
cd "$LAB"

# 2. The MNO registers an eSIM. An EID leaves 1 modulo 97, and an ICCID ends in a Luhn check digit.
tell guest-mno esim.register '{"eid":"89049032123451234512345678901235","iccid":"8988211000000530082"}'
hear esim.register.accepted > registered.json
DEVICE=$(jq -r .device registered.json) CODE=$(jq -r .authorisationCode registered.json)
echo "the device is $DEVICE"

# 3. The MNO has seen the device on its network. The registry asks for a key.
tell guest-mno device.attach "{\"device\":\"${DEVICE:?}\"}"
hear do.key.generate | jq -c .

# 4. A key is made, and a CSR. The registry takes nothing from the CSR but the key.
openssl ecparam -name prime256v1 -genkey -noout -out device.key
openssl req -new -key device.key -subj /CN=ignored -out device.csr
tell guest-mno csr.submit "$(jq -nc --arg d "${DEVICE:?}" --rawfile c device.csr '{device: $d, csr: $c}')"
hear csr.submit.accepted | jq -r .certificate > device.pem

# 5. The certificate leads to the registry's root.
openssl verify -x509_strict -CAfile "$(lab .pki.root_cert_file)" -untrusted "$(lab .pki.issuing_cert_file)" device.pem

# 6. Its hash is in the zone. The resolver has validated it (flag ad), and delv validates it once more.
NAME=${DEVICE:?}._device.$(lab .dns.zone)
openssl x509 -in device.pem -outform DER | sha256sum
served "$NAME" TLSA
ask "$NAME" TLSA
delv "@$(lab '.dns.secondaries[0].address')" -p "$(lab '.dns.secondaries[0].port')" \
  -a "$(lab .dns.trust_anchor_bind_file)" +root=. "$NAME" TLSA

# 7. An ASP publishes its endpoint and claims the device, with the code that step 2 gave to the MNO.
tell guest-asp endpoint.publish '{"endpoint":{
  "name":"mine","fqdn":"mqtt.asp.test","url":"mqtts://mqtt.asp.test:8883","port":8883,"protocol":"mqtts",
  "trust":{"kind":"tlsa","tlsaOwner":"_8883._tcp.mqtt.asp.test"}}}'
hear endpoint.publish.accepted | jq -c .
tell guest-asp device.claim "{\"device\":\"${DEVICE:?}\",\"authorisationCode\":\"${CODE:?}\",\"endpoint\":\"mine\"}"
hear device.claim.accepted | jq -c .

# 8. The MNO gets the registry payload, brings it to the device and reports that. Then MNO and ASP hear that the device
# is active.
JOB=$(hear do.payload.push | jq -r .job)
tell guest-mno do.result "{\"job\":\"${JOB:?}\",\"device\":\"${DEVICE:?}\",\"outcome\":\"success\"}"
hear event.device.activated | jq -c .
