"""held.py CONFIG HOLD_AT: a program over registry_follow.py that says what it handled, and never returns from the handler of
number HOLD_AT, so that a test can kill it there. 0: of none. -N: the handler of number N
fails."""
import json
import signal
import sys
import threading

from registry_follow import Follower, Refused


def handle(envelope):
    print("handled", envelope["seq"], envelope["type"].removeprefix("registry.v1.event."), flush=True)
    if envelope["seq"] == sys.argv[2]:
        threading.Event().wait()
    if "-" + envelope["seq"] == sys.argv[2]:
        raise OSError("the handler's disk is full")


try:
    with open(sys.argv[1], encoding="utf-8") as config:
        follower = Follower(json.load(config), handle, lost=lambda first, last: print("lost", first, last, flush=True))
    signal.signal(signal.SIGTERM, lambda *_: follower.stop())
    follower.run()
except Refused as why:
    sys.exit(f"refused: {why}")
