#!/bin/bash
# simulators/lab/batch_by_hand.sh: three commands in one message, against a lab that runs. You are the MNO.
#
#   ./dev up --dir /var/tmp/lab
#   bash simulators/lab/batch_by_hand.sh /var/tmp/lab
#   ./dev down --dir /var/tmp/lab
#
# An EID is registered once: to begin again, change it here, or start a lab in a fresh folder.
# A test runs this file as it is.
set -eo pipefail

# 1. You join the lab as one of its guests.
. "$(dirname "$0")/guest.sh" "$1"
trap hush EXIT
cd "$LAB"

# 2. Three registrations. The last EID has a wrong check digit.
envelope() {
  jq -nc --arg id "$1" --arg eid "$2" --arg iccid "$3" '{specversion: "1.0", id: $id, source: "guest-mno",
    type: "registry.v1.esim.register", data: {eid: $eid, iccid: $iccid}}'
}
RUN=$(cat /proc/sys/kernel/random/uuid)
{
  envelope "$RUN-1" 89049032123451234512345678904145 89882110000005301207
  envelope "$RUN-2" 89049032123451234512345678904242 89882110000005301215
  envelope "$RUN-3" 89049032123451234512345678904399 89882110000005301223
} | jq -sc . > batch.json

# 3. They leave as one message. The Content Type says what it is.
connect_as guest-mno
mosquitto_pub "${CONNECTION[@]}" -q 1 -t registry/v1/from/guest-mno/batch \
  -D publish content-type application/cloudevents-batch+json -f batch.json

# 4. Each is answered as if it had come alone; the last one is rejected.
for ID in "$RUN-1" "$RUN-2"; do hear esim.register.accepted | jq -r '"registered: " + .device'; done
ID=$RUN-3
hear esim.register.accepted 2>&1 | jq -r '"rejected: " + .data.symbol' || true
