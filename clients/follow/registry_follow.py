#!/usr/bin/python3
"""registry_follow.py: follows a party's notifications: each at least once, in order, without a gap (README.md beside this).

    follower = Follower(options, handle)    # handle(envelope): a dict, one notification
    follower.run()                          # until stop(), or Refused: what repeating does not mend

Options (README.md): host, port, ca_file, cert_file, key_file, party, position_file, acknowledge, reply_seconds.
Threads: run() does everything in the thread that calls it, handlers included. stop() may come from any thread or signal
handler.
Errors: an exception of a handler ends run() with it. What was handled before is stored, that notification is not.
Limits: 2,000 notifications wait for a gap to be filled. What comes beyond is dropped and asked for again.
As a program: registry_follow.py CONFIG.json prints each notification on a line of standard output.
"""

import contextlib
import datetime
import json
import os
import random
import re
import signal
import ssl
import sys
import time
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

EVENT = "registry.v1.event."
WAITING_MAX = 2000
REPLAY_MAX = 1000           # of one feed.replay (schemas/README.md, "Notifications")
REPLAY_EVERY = 1.1          # s; the registry puts off what comes within a second
GAP_PATIENCE = 0.5          # s of silence in which what is missing may still come
PAUSE_MAX = 60              # s between replays that bring nothing
ACK_EVERY = 1               # s
BACKOFF = (0.5, 30)         # s between attempts to connect, with jitter
SHORT = 5                   # s; a connection that ended sooner makes one suspicious
CONNECT_PATIENCE = 10       # s for CONNACK and SUBACK
KEEP_ALIVE = 60             # s; a handler that takes longer costs the connection, and nothing else
SESSION_EXPIRY = 86400      # s
TAKEN_OVER = 0x8E           # MQTT 5, 3.14.2.1


class Refused(Exception):
    """What repeating does not mend: a configuration, a position file or a registry that does not fit."""


class Broken(Exception):
    """The connection is: what paho raises of it, and not what a handler raises."""


@contextlib.contextmanager
def broken_by(*faults):
    try:
        yield
    except faults as fault:
        raise Broken(str(fault)) from fault


class Position:
    """The number of the last notification that was handled, and the client id, in a file that is replaced as a whole."""

    def __init__(self, path, party):
        self.path, self.party = os.path.abspath(path), party
        try:
            with open(self.path, encoding="utf-8") as file:
                kept = json.load(file)
            self.client_id, self.applied = str(kept["clientId"]), int(kept["applied"])
            owner = kept["party"]
        except FileNotFoundError:
            self.client_id, owner = f"{party}-{uuid.uuid4()}", party
            self.store(0)
        except (ValueError, KeyError, TypeError) as fault:
            raise Refused(f"{path} is no position file: {fault!r}") from fault
        if owner != party:
            raise Refused(f"{path} is the position of {owner}, not of {party}")

    def store(self, applied):
        """Durable when it returns: the file and then its name are synced (fsync(2))."""
        text = json.dumps({"party": self.party, "clientId": self.client_id, "applied": str(applied)}) + "\n"
        with open(os.open(self.path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)
        folder = os.open(os.path.dirname(self.path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self.applied = applied


class Follower:
    def __init__(self, options, handle, lost=None, report=None):
        """lost(first, last): these are gone for good, so ask the registry what holds (device.list).
        report(text): a trouble."""
        self.options, self.party = options, options["party"]
        self.handle = handle
        self.lost = lost or (lambda first, last: self.report(f"notifications {first} to {last} are gone for good"))
        self.report = report or (lambda text: print(text, file=sys.stderr, flush=True))
        self.position = Position(options["position_file"], self.party)
        self.stopping = self.taken_over = False
        self.waiting = {}            # seq -> envelope, of those that cannot be handled yet
        self.last = 0                # newest number known
        self.acked = 0
        self.asked = {}              # command -> (id, time), of those without a reply
        self.replay_at = self.ack_at = self.heard_at = 0.0
        self.pause = REPLAY_EVERY
        self.unasked = True          # nothing was asked for in this connection

    def run(self):
        backoff = BACKOFF[0]
        while not self.stopping:
            since = time.monotonic()
            why = self._connection()
            if self.stopping:
                return
            lived = time.monotonic() - since if self.subscribed else 0
            if lived > BACKOFF[1]:
                backoff = BACKOFF[0]
            if 0 < lived < SHORT:  # a broker need not say it (Mosquitto 2.0.11 does not)
                why += f"; has another program the client id in {self.position.path}?"
            pause = random.uniform(backoff / 2, backoff)
            self.report(f"{self.options['host']}:{self.options['port']}: {why}; again in {pause:.1f} s")
            self._rest(pause)
            backoff = min(2 * backoff, BACKOFF[1])

    def stop(self):
        self.stopping = True

    def _rest(self, pause):
        until = time.monotonic() + pause
        while not self.stopping and time.monotonic() < until:
            time.sleep(0.1)

    # ---- one connection ----

    def _connection(self):
        """Until it ends; says why. Each has a client object of its own, for paho's keeps what it could not send."""
        self.inbox, self.ended, self.subscribed = [], "", False
        client = self.client = mqtt.Client(self.position.client_id, protocol=mqtt.MQTTv5)
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _client, _data, message: self.inbox.append((message.topic, message.payload))
        try:
            client.tls_set_context(self._tls())
        except OSError as fault:
            raise Refused(f"the certificates cannot be read: {fault}") from fault
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY
        host, port = self.options["host"], int(self.options["port"])
        try:
            with broken_by(OSError, ValueError):
                client.connect(host, port, KEEP_ALIVE, clean_start=False, properties=properties)
            self._converse(client, time.monotonic() + CONNECT_PATIENCE)
        except Broken as fault:
            self.ended = self.ended or str(fault)
        finally:
            with contextlib.suppress(OSError, ValueError):
                client.disconnect()
        return self.ended

    def _converse(self, client, deadline):
        while not self.stopping and not self.ended:
            with broken_by(OSError, ValueError):
                code = client.loop(0.1)
            self._take_all()
            if code != mqtt.MQTT_ERR_SUCCESS:
                self.ended = self.ended or mqtt.error_string(code)
            elif self.subscribed:
                self._say_what_is_due(time.monotonic())
            elif time.monotonic() > deadline:
                self.ended = "no CONNACK and SUBACK in time"

    def _tls(self):
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.options["ca_file"])
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.options["cert_file"], self.options["key_file"])
        return context

    def _on_connect(self, client, _data, _flags, reason, _properties):
        if reason.value >= 0x80:
            self.ended = f"the broker refused the connection: {reason}"
            return
        own = f"registry/v1/to/{self.party}/"
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        client.subscribe([(own + rest, options) for rest in ("event/#", "batch", "feed.replay/+", "feed.ack/+")])

    def _on_subscribe(self, _client, _data, _mid, reasons, _properties):
        if any(reason.value != 1 for reason in reasons):
            self.ended = f"the broker refused the subscription: {', '.join(str(reason) for reason in reasons)}"
            return
        self.subscribed, self.unasked, self.asked = True, True, {}

    def _on_disconnect(self, _client, _data, reason, _properties=None):
        if getattr(reason, "value", 0) == TAKEN_OVER:
            self.taken_over = True
        self.ended = self.ended or f"the connection ended: {reason}"

    # ---- what is heard ----

    def _take_all(self):
        if self.taken_over:
            raise Refused(f"another program connected with the client id in {self.position.path}")
        inbox, self.inbox = self.inbox, []
        for topic, payload in inbox:
            try:
                heard = json.loads(payload)
            except (ValueError, RecursionError) as fault:
                self.report(f"a message on {topic} is no JSON: {fault}")
                continue
            for envelope in heard if isinstance(heard, list) else [heard]:
                self._take(topic, envelope)
            self._apply()

    def _take(self, topic, envelope):
        """By its type, for a batch holds messages of every topic. One that cannot be read costs itself only."""
        try:
            kind, cause, data = envelope["type"], envelope.get("cause"), envelope["data"]
            if kind.startswith(EVENT):
                if not re.fullmatch("[1-9][0-9]{0,15}", envelope["seq"]):
                    raise ValueError(f"seq {envelope['seq']}")
                self._keep(int(envelope["seq"]), envelope)
                return
            command, _, outcome = kind.removeprefix("registry.v1.").rpartition(".")
            if command not in self.asked or cause != self.asked[command][0]:
                return
            if outcome == "accepted":
                said = [int(data[name]) for name in ("lastSeq", "ackedSeq", "replayed")]
            else:
                said = [str(data["symbol"]), str(data["message"]), int(data.get("retryAfterSeconds", 0))]
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            self.report(f"an envelope on {topic} cannot be read: {fault!r}")
            return
        del self.asked[command]
        (self._accepted if outcome == "accepted" else self._rejected)(command, *said)

    def _keep(self, seq, envelope):
        self.heard_at = time.monotonic()
        self.last = max(self.last, seq)
        if seq > self.position.applied:
            self.waiting[seq] = envelope
            if len(self.waiting) > WAITING_MAX:  # the last one goes: of the first one there must always be room
                del self.waiting[max(self.waiting)]

    def _apply(self):
        """What has its turn is handled, and then stored. A crash in between brings it again."""
        applied = self.position.applied
        try:
            while applied + 1 in self.waiting:
                self.handle(self.waiting[applied + 1])
                applied += 1
                del self.waiting[applied]
        finally:
            if applied != self.position.applied:
                self.position.store(applied)
                self.pause = REPLAY_EVERY

    def _accepted(self, command, last, acked, replayed):
        self.acked = max(self.acked, acked)
        if command != "feed.replay":
            return
        self.unasked = False
        self.last = max(self.last, last)
        if self.position.applied >= last:
            self.pause = REPLAY_EVERY
        # A feed has no gap up to its last number, so the count says with which number a replay begins. A full one is only
        # known by what it brings. Nothing that was not acknowledged is ever gone.
        first = last - replayed + 1 if replayed < REPLAY_MAX else min(self.waiting, default=0)
        self._pass_over(min(acked, first - 1))

    def _pass_over(self, gone):
        self._apply()
        if gone > self.position.applied:
            self.lost(self.position.applied + 1, gone)
            self.position.store(gone)
            self.waiting = {seq: envelope for seq, envelope in self.waiting.items() if seq > gone}

    def _rejected(self, command, symbol, message, retry_after):
        if symbol == "seq_unknown":
            raise Refused(f"{self.position.path} says {self.position.applied}, and the registry's feed has not come that "
                          "far: it is another registry's, or that one was restored from a backup")
        now = time.monotonic()
        if command == "feed.ack":
            self.ack_at = now + (retry_after or PAUSE_MAX)
        elif retry_after:
            self.replay_at = now + max(retry_after, REPLAY_EVERY)
        if not retry_after:
            self.report(f"{command} was rejected: {symbol}: {message}")

    # ---- what is said ----

    def _say_what_is_due(self, now):
        patience = self.options.get("reply_seconds", 10)
        for command, (_, since) in list(self.asked.items()):
            if now - since > patience:
                self.report(f"no reply to {command} in {patience} s")
                del self.asked[command]
        applied = self.position.applied
        missing = applied < self.last and now - self.heard_at > GAP_PATIENCE
        if "feed.replay" not in self.asked and now >= self.replay_at and (self.unasked or missing):
            # With a new id each time: the reply to a known one is given again, the notifications are not.
            self._send("feed.replay", {"fromSeq": applied + 1}, now)
            self.replay_at = now + self.pause
            self.pause = min(2 * self.pause, PAUSE_MAX)
        unsaid = self.options.get("acknowledge", True) and applied > self.acked
        if unsaid and "feed.ack" not in self.asked and now >= self.ack_at:
            self._send("feed.ack", {"seq": applied}, now)
            self.ack_at = now + ACK_EVERY

    def _send(self, command, data, now):
        ident = str(uuid.uuid4())
        said = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = "application/cloudevents+json"
        message = json.dumps({"specversion": "1.0", "id": ident, "source": self.party, "type": f"registry.v1.{command}",
                              "time": said, "data": data})
        with broken_by(OSError, ValueError):
            self.client.publish(f"registry/v1/from/{self.party}/{command}", message, qos=1, properties=properties)
        self.asked[command] = (ident, now)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: registry_follow.py CONFIG.json")
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            follower = Follower(json.load(file), lambda envelope: print(json.dumps(envelope), flush=True))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: follower.stop())
        follower.run()
    except KeyError as fault:
        sys.exit(f"{sys.argv[1]}: {fault} is missing")
    except (OSError, ValueError, Refused) as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
