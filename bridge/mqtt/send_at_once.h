// bridge/mqtt/send_at_once.h: TCP_NODELAY for the connection to the broker. Without it every PUBLISH that
// follows a PUBACK waits for the broker's delayed acknowledgement, 40 ms on Linux (RFC 896 against RFC 1122
// §4.2.3.2). Paho C 1.3.12 has no option for it (eclipse-paho/paho.mqtt.c, issue 530) and never tells its
// socket, so the socket is found by its peer's port among this process's own; a second one with the same
// peer port is set too, which does no harm. Linux only.
// Threads: any.
#pragma once

namespace registry::mqtt {

// How many sockets were set.
int SendAtOnce(int peer_port);

}  // namespace registry::mqtt
