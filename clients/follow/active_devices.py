#!/usr/bin/python3
"""active_devices.py: an example of an ASP's back end. It keeps the list of its active devices from its feed, and says over
HTTP whether a device is active.

    active_devices.py CONFIG.json DATABASE PORT
    GET http://127.0.0.1:PORT/devices/DEVICE   -> {"device": …, "active": true|false}
    GET http://127.0.0.1:PORT/devices          -> {"active": [DEVICE, …]}

CONFIG.json is as registry_follow.py reads it; DATABASE is an SQLite file, made when it is not there.
The handler commits before it returns, and a notification may come twice, so each row has the number of the last one that
it knows. Answers are 503 for what is not known for sure: notifications about the device may be gone for good (README.md,
"What is gone").
"""

import contextlib
import http.server
import json
import signal
import sqlite3
import sys
import threading

from registry_follow import Follower, Refused

TABLES = """
create table if not exists device
  (id text primary key, seq integer not null, active integer not null, held integer not null);
create table if not exists gone (last integer not null);
"""
ENDS = ("deactivated", "deleted", "released", "expired", "certified")  # a device that is certified anew is not active yet


class Devices:
    """Rows of devices. Threads: any; each call has a connection of its own (sqlite3 locks the file)."""

    def __init__(self, path, party):
        self.path, self.party = path, party
        with self._open() as database:
            database.executescript(TABLES)

    @contextlib.contextmanager
    def _open(self):
        database = sqlite3.connect(self.path, timeout=10)
        try:
            with database:  # one transaction
                yield database
        finally:
            database.close()

    def hear(self, envelope):
        kind, data, seq = envelope["type"].removeprefix("registry.v1.event."), envelope["data"], int(envelope["seq"])
        if "device" not in data:
            return
        with self._open() as database:
            row = database.execute("select seq, active, held from device where id = ?", (data["device"],)).fetchone()
            before, active, held = row or (0, 0, 0)
            if seq <= before:
                return
            if kind == "device.activated":
                active = 1
            elif kind.removeprefix("device.") in ENDS:
                active = 0
            elif kind in ("device.suspended", "device.resumed"):
                held = int(any(hold.endswith("Hold") for hold in data.get("holds", [])))
            elif kind == "transfer.completed" and data["kind"] == "asp":
                active, held = int(data["to"] == self.party), 0
            database.execute("insert or replace into device values (?, ?, ?, ?)", (data["device"], seq, active, held))

    def lost(self, _first, last):
        with self._open() as database:
            database.execute("insert into gone values (?)", (last,))

    def is_active(self, device):
        """None: that cannot be said."""
        with self._open() as database:
            gone = database.execute("select max(last) from gone").fetchone()[0] or 0
            row = database.execute("select seq, active, held from device where id = ?", (device,)).fetchone()
        seq, active, held = row or (0, 0, 0)
        return bool(active and not held) if seq > gone or not gone else None

    def all_active(self):
        with self._open() as database:
            return [row[0] for row in database.execute("select id from device where active and not held order by id")]


def handler_of(devices):
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10  # s for a request

        def do_GET(self):
            if self.path == "/devices":
                self._say(200, {"active": devices.all_active()})
            elif self.path.startswith("/devices/"):
                device = self.path.removeprefix("/devices/")
                active = devices.is_active(device)
                self._say(200 if active is not None else 503, {"device": device, "active": active})
            else:
                self._say(404, {"error": "GET /devices or /devices/DEVICE"})

        def _say(self, status, answer):
            text = (json.dumps(answer) + "\n").encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    return Handler


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: active_devices.py CONFIG.json DATABASE PORT")
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            options = json.load(file)
        devices = Devices(sys.argv[2], options["party"])
        follower = Follower(options, devices.hear, lost=devices.lost)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: follower.stop())
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), handler_of(devices))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        follower.run()
        server.shutdown()
    except (OSError, ValueError, KeyError, sqlite3.Error, Refused) as fault:
        sys.exit(f"{type(fault).__name__}: {fault}")


if __name__ == "__main__":
    main()
