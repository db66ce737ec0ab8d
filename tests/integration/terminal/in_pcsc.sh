#!/bin/bash
# Runs a line for the shell where Debian's pcscd finds two cards of device-sim in vsmartcard's virtual readers.
#   unshare -mn bash in_pcsc.sh DEVICE_SIM 'opensc-tool …'
# In a network and a /run of its own (unshare), since the reader listens on every interface and pcscd's socket has a fixed
# name. Ends what it has started; the exit code is the line's.
set -eu
ip link set lo up
mount -t tmpfs none /run
mkdir /run/pcscd /run/readers
cat >/run/readers/vpcd <<'TEXT'
FRIENDLYNAME "Virtual PCD"
DEVICENAME   /dev/null:0x8C7B
LIBPATH      /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID    0x8C7B
TEXT
pcscd --foreground --config /run/readers --critical >/run/pcscd.log 2>&1 &
PCSCD=$!
mkfifo /run/console
exec 3<>/run/console
"$1" --vpcd 127.0.0.1:35963 --vpcd 127.0.0.1:35964 <&3 >/run/device-sim.log 2>&1 &
DEVICE_SIM=$!
trap 'kill $DEVICE_SIM $PCSCD; wait' EXIT
for _ in $(seq 100); do
  [ "$(grep -c '"in_reader":true' /run/device-sim.log || true)" = 2 ] && break
  sleep 0.1
done
# pcscd looks for cards a few times in a second.
for reader in 0 1; do
  for _ in $(seq 100); do
    opensc-tool --reader $reader --atr >/run/atr 2>&1 && break
    sleep 0.1
  done
done
bash -c "$2"
