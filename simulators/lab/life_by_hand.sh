#!/bin/bash
# simulators/lab/life_by_hand.sh: what may become of an active device, by hand, against a lab that runs: it is held and let
# go, goes off the network and comes back, moves, is disconnected and reconnected, is released, is lost, and is deleted by
# mistake. You are the MNO, the ASP, the operator and the device's applet.
#
#   ./dev up --dir /var/tmp/lab
#   bash simulators/lab/life_by_hand.sh /var/tmp/lab
#   ./dev down --dir /var/tmp/lab
#
# An EID is registered once: to begin again, change it here, or start a lab in a fresh folder.
# A test runs this file as it is.
set -eo pipefail
. "$(dirname "$0")/guest.sh" "$1"
trap hush EXIT
cd "$LAB"
listen_as operator

# What was heard before is forgotten, so that what is heard next is new.
say() { forget; tell "$@"; }
accepted() { say "$@"; hear "$2.accepted" | jq -c "del(.pilotFormAbsent)"; }
refused() {
  say "$@"
  if hear "$2.accepted" 2>rejection; then echo "$2 was not refused" >&2; return 1; fi
  jq -c '.data | {code, symbol, message}' rejection
}
# The job of an action, which is then reported as done.
job() { hear "do.$1" | jq -r .job; }
done_with() {
  tell guest-mno do.result "{\"job\":\"${1:?}\",\"device\":\"$DEVICE\",\"outcome\":\"success\"}"
  hear do.result.accepted >result
}
of_device() {
  local more=$1
  jq -nc --arg d "$DEVICE" --argjson more "${more:-null}" '{device: $d} + $more'
}

# 1. A device becomes active, as by_hand.sh shows step by step.
tell guest-mno esim.register '{"eid":"89049032123451234512345678903078","iccid":"8988211000000530207"}'
hear esim.register.accepted > registered.json
DEVICE=$(jq -r .device registered.json) CODE=$(jq -r .authorisationCode registered.json)
NAME=${DEVICE:?}._device.$(lab .dns.zone)
for name in home away; do
  tell guest-asp endpoint.publish "$(jq -nc --arg n "$name" '{endpoint: {name: $n, fqdn: "mqtt.asp.test",
    url: "mqtts://mqtt.asp.test:8883", port: 8883, protocol: "mqtts",
    trust: {kind: "tlsa", tlsaOwner: "_8883._tcp.mqtt.asp.test"}}}')"
  hear endpoint.publish.accepted >result
done
tell guest-asp device.claim "$(of_device "{\"authorisationCode\":\"$CODE\",\"endpoint\":\"home\"}")"
hear device.claim.accepted >result
tell guest-mno device.attach "$(of_device)"
KEY=$(job key.generate)
openssl ecparam -name prime256v1 -genkey -noout -out life.key
openssl req -new -key life.key -subj /CN=ignored -out life.csr
tell guest-mno csr.submit "$(jq -nc --arg d "$DEVICE" --arg j "$KEY" --rawfile c life.csr '{device: $d, csr: $c, job: $j}')"
hear csr.submit.accepted >result
done_with "$(job payload.push)"
hear event.device.activated | jq -c .
TLSA=$(served "$NAME" TLSA)
echo "1: $TLSA"

# 2. The ASP holds it: the name stays, and says so; the certificate is no longer vouched for. The MNO cannot lift that hold.
accepted guest-asp device.suspend "$(of_device '{"reason":"unpaid"}')"
hear event.device.suspended | jq -c .holds
gone "$NAME" TLSA
echo "2: $(served "$NAME" TXT)"
refused guest-asp device.suspend "$(of_device)"
refused guest-mno device.resume "$(of_device)"
accepted guest-asp device.resume "$(of_device)"
[ "$(served "$NAME" TLSA)" = "$TLSA" ] && echo "2: the same record is back"

# 3. The operator's hold is the operator's to lift, and the operator lifts every hold.
accepted guest-mno device.suspend "$(of_device)"
accepted operator device.suspend "$(of_device)"
refused guest-asp device.resume "$(of_device)"
accepted operator device.resume "$(of_device)"
[ "$(served "$NAME" TLSA)" = "$TLSA" ] && echo "3: the same record is back"

# 4. It is off the network when it is to go to another endpoint. The payload waits, and goes on when it is back.
accepted guest-mno device.detach "$(of_device)"
accepted guest-asp device.move "$(of_device '{"endpoint":"away"}')"
hear event.device.moved | jq -c .endpoint
PUSH=$(job payload.push)
accepted guest-mno device.attach "$(of_device)"
hear do.payload.push | jq -c "{again: (.job == \"$PUSH\"), attempt}"
done_with "$PUSH"

# 5. Its profile is disabled, and enabled again.
accepted guest-asp device.disconnect "$(of_device)"
hear do.profile.disable | jq -c '{profile}'
done_with "$(job profile.disable)"
refused guest-asp device.disconnect "$(of_device)"
accepted guest-asp device.reconnect "$(of_device)"
done_with "$(job profile.enable)"
accepted guest-mno device.attach "$(of_device)"

# 6. It is lost: revoked, wiped, and then disconnected.
accepted guest-asp device.deactivate "$(of_device '{"reason":"lost","disconnect":true}')"
gone "$NAME" TLSA
echo "6: $(served "$NAME" TXT)"
done_with "$(job applet.wipe)"
done_with "$(job profile.disable)"

# 7. It is deleted, which was a mistake.
accepted guest-asp device.delete "$(of_device)"
gone "$NAME" TXT
refused guest-mno device.restore "$(of_device)"
accepted guest-asp device.restore "$(of_device)"
echo "7: $(served "$NAME" TXT)"

# 8. It is found. Reconnected and reactivated, it is given a new key.
accepted guest-asp device.reconnect "$(of_device)"
done_with "$(job profile.enable)"
accepted guest-mno device.attach "$(of_device)"
done_with "$(job applet.wipe)"
accepted guest-asp device.reactivate "$(of_device)"
hear do.key.generate | jq -c '{attempt}'

# 9. Its ASP lets it go: it belongs to nobody, and the code that was used claims nothing any more.
accepted guest-asp device.release "$(of_device)"
hear event.device.released | jq -c .by
refused guest-asp device.claim "$(of_device "{\"authorisationCode\":\"$CODE\",\"endpoint\":\"home\"}")"
echo "a device's whole life"
