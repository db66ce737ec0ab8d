# simulators/lab/guest.sh: what a person needs to take part in a lab by hand, as guest-mno, guest-asp, guest-mno-b or
# guest-asp-b. To be read into bash, with the folder of a lab that runs:   . simulators/lab/guest.sh /var/tmp/lab
# It uses mosquitto_pub, mosquitto_sub, jq, openssl and kdig, and nothing of this project.
#
#   tell PARTY COMMAND DATA   sends a command, with a new id
#   hear TYPE                 prints the data of the message: the reply to what was told last, or else what is said about
#                             $DEVICE. After a rejection it prints that instead, on standard error, and fails.
#   served NAME TYPE          waits until the lab's name server has the record
#   gone NAME TYPE            waits until it has none
#   listen_as PARTY           hears what is said to another of the four too; guest-mno and guest-asp are heard in any case
#   connect_as PARTY          sets CONNECTION, by which mosquitto_pub and mosquitto_sub come to the broker as PARTY
#   ask NAME TYPE             asks the lab's validating resolver, over TLS
#   forget                    what was heard until now
#   hush                      ends the listening
#
# What is heard is kept in the folder $HEARD, for each party in a file of its own: a line has the time and the message.
# mosquitto_sub writes a long message in pieces, so two that wrote to one file would tear each other's lines. Each shell has a
# folder of its own in the lab's.

LAB=$(realpath "$1")
HEARD=$LAB/heard.$$

lab() { jq -er "$1" "$LAB/lab.json"; }  # what lab.json says

# Sets CONNECTION: the arguments by which a party comes to the broker. The broker knows the party by its certificate.
connect_as() {
  CONNECTION=(-V 5 -h "$(lab .mqtt.host)" -p "$(lab .mqtt.port)" --cafile "$(lab .mqtt.ca_file)" --tls-version tlsv1.3
    --cert "$(lab ".parties[\"$1\"].cert_file")" --key "$(lab ".parties[\"$1\"].key_file")")
}

tell() {
  local message
  ID=$(cat /proc/sys/kernel/random/uuid)
  message=$(jq -nc --arg id "$ID" --arg party "$1" --arg type "registry.v1.$2" --argjson data "$3" \
    '{specversion: "1.0", id: $id, source: $party, type: $type, datacontenttype: "application/json", data: $data}') ||
    return
  connect_as "$1"
  mosquitto_pub "${CONNECTION[@]}" -q 1 -t "registry/v1/from/$1/$2" -m "$message"
}

# The client id is one that nobody guesses, since whoever connects with it too ends this session. The first connection
# ends when the broker has the subscription; from then on it keeps what is said (PARTY.md, "Connecting").
listen_as() {
  local session CONNECTION
  session=$1-$(cat /proc/sys/kernel/random/uuid)
  connect_as "$1"
  CONNECTION+=(-i "$session" -c -x 3600 -q 1 -t "registry/v1/to/$1/#")
  mosquitto_sub "${CONNECTION[@]}" -E || return
  : >>"$HEARD/$1"
  mosquitto_sub "${CONNECTION[@]}" -F '%U %p' >>"$HEARD/$1" &
  EARS+=($!)
}

heard() {
  LC_ALL=C sort -n "$HEARD"/* | cut -d ' ' -f 2- |
    jq -cR --arg type "registry.v1.$1" --arg id "${ID:-}" --arg device "${DEVICE:-}" "fromjson? | select($2)" |
    tail -n 1
}

hear() {
  local mine line until=$((SECONDS + 60))
  case $1 in
    *.accepted) mine='.cause == $id' ;;
    *) mine='.data.device == $device' ;;
  esac
  while [ $SECONDS -lt $until ]; do
    line=$(heard "$1" ".type == \$type and $mine")
    [ -z "$line" ] || { jq .data <<<"$line"; return; }
    line=$(heard "$1" '.cause == $id and (.type | endswith(".rejected"))')
    [ -z "$line" ] || { echo "$line" >&2; return 1; }
    sleep 0.2
  done
  echo "nothing heard of $1" >&2
  return 1
}

served() {
  local until=$((SECONDS + 60))
  while [ $SECONDS -lt $until ]; do
    kdig +short "@$(lab '.dns.secondaries[0].address')" -p "$(lab '.dns.secondaries[0].port')" "$1" "$2" | grep . && return
    sleep 0.2
  done
  echo "no $2 record of $1 is served" >&2
  return 1
}

gone() {
  local records until=$((SECONDS + 60))
  while [ $SECONDS -lt $until ]; do
    records=$(kdig +short "@$(lab '.dns.secondaries[0].address')" -p "$(lab '.dns.secondaries[0].port')" "$1" "$2") ||
      records='no answer'
    [ -n "$records" ] || return 0
    sleep 0.2
  done
  echo "a $2 record of $1 is still served" >&2
  return 1
}

ask() {
  kdig "@$(lab .resolver.address)" -p "$(lab .resolver.dot_port)" +tls-ca="$(lab .resolver.dot_ca_file)" \
    +tls-hostname="$(lab .resolver.dot_name)" +dnssec "$1" "$2"
}

forget() {
  local file
  for file in "$HEARD"/*; do : >"$file"; done
}

hush() {
  [ ${#EARS[@]} = 0 ] || kill "${EARS[@]}"
  EARS=()
}

EARS=()
mkdir -p "$HEARD"
listen_as guest-mno && listen_as guest-asp
