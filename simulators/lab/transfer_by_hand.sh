#!/bin/bash
# simulators/lab/transfer_by_hand.sh: an active device goes to another ASP, and then to another MNO, by hand against a lab that
# runs. You are both MNOs, both ASPs and the device's applets.
#
#   ./dev up --dir /var/tmp/lab
#   bash simulators/lab/transfer_by_hand.sh /var/tmp/lab
#   ./dev down --dir /var/tmp/lab
#
# To go step by step, read guest.sh into bash (. simulators/lab/guest.sh /var/tmp/lab), go into the lab's folder, and paste
# the steps. An EID is registered once: to begin again, change it here, or start a lab in a fresh folder.
# A test runs this file as it is.
set -eo pipefail

# 1. You join the lab as its four guests.
. "$(dirname "$0")/guest.sh" "$1"
listen_as guest-mno-b && listen_as guest-asp-b
trap hush EXIT
cd "$LAB"

# A payload push that is not the one before; the MNO that got it brings it to the device and reports that.
BROUGHT=
bring() {
  local until=$((SECONDS + 300)) job
  while [ $SECONDS -lt $until ]; do
    job=$(heard do.payload.push '.type == $type and .data.device == $device' | jq -r .data.job)
    [ "$job" = "$BROUGHT" ] || [ -z "$job" ] || break
    sleep 0.2
  done
  BROUGHT=${job:?no payload was pushed}
  tell "$1" do.result "{\"job\":\"$BROUGHT\",\"device\":\"${DEVICE:?}\",\"outcome\":\"success\"}"
  hear do.result.accepted > /dev/null
}
# Until what is named holds, for five minutes at most.
waits() {
  local until=$((SECONDS + 300))
  until "$@"; do
    [ $SECONDS -lt $until ] || { echo "in vain: $*" >&2; return 1; }
    sleep 0.2
  done
}
# A key pair on the applet of a profile, its CSR, and the certificate for it: in $1.pem.
certify() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
  openssl req -new -key "$1.key" -subj /CN=ignored -out "$1.csr"
  tell "$2" csr.submit "$(jq -nc --arg d "${DEVICE:?}" --arg j "$3" --rawfile c "$1.csr" '{device: $d, job: $j, csr: $c}')"
  hear csr.submit.accepted | jq -r .certificate > "$1.pem"
}
endpoint() {
  jq -nc --arg f "mqtt.$1.test" '{endpoint: {name: "main", fqdn: $f, url: "mqtts://\($f):8883", port: 8883,
    protocol: "mqtts", trust: {kind: "tlsa", tlsaOwner: "_8883._tcp.\($f)"}}}'
}

# 2. A device of guest-mno and guest-asp becomes active, as in by_hand.sh.
tell guest-mno esim.register '{"eid":"89049032005008882600000000000122","iccid":"8988211000000530116"}'
hear esim.register.accepted > registered.json
DEVICE=$(jq -r .device registered.json) CODE=$(jq -r .authorisationCode registered.json)
for asp in guest-asp guest-asp-b; do tell $asp endpoint.publish "$(endpoint $asp)"; hear endpoint.publish.accepted > /dev/null; done
tell guest-asp device.claim "{\"device\":\"${DEVICE:?}\",\"authorisationCode\":\"${CODE:?}\",\"endpoint\":\"main\"}"
hear device.claim.accepted > /dev/null
tell guest-mno device.attach "{\"device\":\"${DEVICE:?}\"}"
certify first guest-mno "$(hear do.key.generate | jq -r .job)"
bring guest-mno
hear event.device.activated | jq -c .

# 3. The ASP that has the device makes a code for whoever shall get it. The other one shows it, and names its own endpoint.
tell guest-asp authorisation.set "{\"device\":\"${DEVICE:?}\",\"purpose\":\"transfer\"}"
CODE=$(hear authorisation.set.accepted | jq -r .authorisationCode)
tell guest-asp-b transfer.request "{\"device\":\"${DEVICE:?}\",\"authorisationCode\":\"${CODE:?}\",\"endpoint\":\"main\"}"
TRANSFER=$(hear transfer.request.accepted | jq -r .transfer)

# 4. The losing ASP has heard until when it has to answer. It agrees.
hear event.transfer.requested | jq -c '{transfer, from, to, decidesAt}'
tell guest-asp transfer.approve "{\"transfer\":\"${TRANSFER:?}\"}"
hear transfer.approve.accepted | jq -c '{transfer, state}'

# 5. The payload for the other ASP goes to the device. From then on the device is that ASP's.
bring guest-mno
hear event.transfer.completed | jq -c '{transfer, kind, state, from, to}'

# 6. The MNO that has the device makes a code. The other one shows it, with the ICCID of a profile of its own.
tell guest-mno authorisation.set "{\"device\":\"${DEVICE:?}\",\"purpose\":\"transfer\"}"
CODE=$(hear authorisation.set.accepted | jq -r .authorisationCode)
tell guest-mno-b transfer.request "$(jq -nc --arg c "${CODE:?}" \
  '{eid: "89049032005008882600000000000122", authorisationCode: $c, iccid: "8988211000000530124"}')"
TRANSFER=$(hear transfer.request.accepted | jq -r .transfer)
tell guest-mno transfer.approve "{\"transfer\":\"${TRANSFER:?}\"}"
hear transfer.approve.accepted | jq -c '{transfer, state, profile}'

# 7. The gaining MNO enables its profile, whose applet makes a key. Beside the TLSA of the first certificate stands that of the
# second: whoever connects with either finds it.
tell guest-mno-b do.result \
  "{\"job\":\"$(hear do.profile.enable | jq -r .job)\",\"device\":\"${DEVICE:?}\",\"outcome\":\"success\"}"
hear do.result.accepted > /dev/null
asked_of_the_second() {
  ASKED=$(heard do.key.generate '.type == $type and .data.device == $device' | jq -c .data)
  [ "$(jq .profile <<<"$ASKED")" = 2 ]
}
waits asked_of_the_second
certify second guest-mno-b "$(jq -r .job <<<"$ASKED")"
NAME=${DEVICE:?}._device.$(lab .dns.zone)
certificates_are() { [ "$(served "$NAME" TLSA | wc -l)" = "$1" ]; }
waits certificates_are 2
served "$NAME" TLSA

# 8. Once every resolver may know it, the payload goes through the gaining MNO, and the second certificate takes over. Some time
# later the first one's TLSA is gone.
bring guest-mno-b
hear event.device.renewed | jq -c '{name, replaced}'
waits certificates_are 1
served "$NAME" TLSA

# 9. The losing MNO disables and deletes its profile. The transfer is completed.
for action in profile.disable profile.delete; do
  tell guest-mno do.result \
    "{\"job\":\"$(hear "do.$action" | jq -r .job)\",\"device\":\"${DEVICE:?}\",\"outcome\":\"success\"}"
  hear do.result.accepted > /dev/null
done
of_the_mnos() { hear event.transfer.completed | grep -q '"mno"'; }
waits of_the_mnos
hear event.transfer.completed | jq -c '{transfer, kind, state, from, to}'

# 10. The device is nothing to those that had it.
for party in guest-mno guest-asp; do
  tell $party device.get "{\"device\":\"${DEVICE:?}\"}"
  hear device.get.accepted 2> refused.json || jq -c '{symbol: .data.symbol}' refused.json
done
