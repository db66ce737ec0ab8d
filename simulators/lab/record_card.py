#!/usr/bin/python3
"""record_card.py MODEM PEER-KEY NAME OUT: leads the soft card behind a modem (device-sim --layout registry --modem MODEM)
through what a device says to its applet until it has a CSR, and a key agreement. Writes OUT/trace.txt, "> command" and
"< answer" in hexadecimal, and OUT/device.csr. PEER-KEY is a P-256 key in PEM, whose owner agrees on a
secret with the card. make_vectors.sh calls it.
"""

import base64
import hashlib
import os
import select
import subprocess
import sys
import termios
import time
import tty

AGREEMENT_KEY_OID = "2.25.147613959731729897125811988377786612240"  # schemas/README.md, "Object identifier"
P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


class Modem:
    def __init__(self, path):
        self.port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.port, termios.TCSANOW)
        self.trace = []

    def say(self, what, command):
        os.write(self.port, f'AT+CSIM={len(command)},"{command}"\r\n'.encode())
        said, until = b"", time.monotonic() + 10
        while not said.endswith((b"OK\r\n", b"ERROR\r\n")):
            if not select.select([self.port], [], [], max(0, until - time.monotonic()))[0]:
                sys.exit(f"{what}: no answer from the modem")
            said += os.read(self.port, 4096)
        answer = said.decode().split('"')[1]
        self.trace += [f"# {what}", f"> {command}", f"< {answer}"]
        return answer


def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else
                           bytes([0x82, size >> 8, size & 255])) + content


def oid(dotted):
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = b""
    for arc in (40 * first + second, *rest):
        part = bytes([arc & 127])
        while arc := arc >> 7:
            part = bytes([128 | arc & 127]) + part
        octets += part
    return der(0x06, octets)


def integer(octets):
    octets = octets.lstrip(b"\0")
    return der(0x02, b"\0" + octets if octets[0] & 128 else octets)


def main():
    path, peer_key, name, out = sys.argv[1:]
    modem = Modem(path)
    channel = modem.say("open a logical channel", "0070000001")[:2]

    def say(what, command, data, answered=True):
        return modem.say(what, channel + command + f"{len(data) // 2:02X}" + data.upper() + ("00" if answered else ""))

    say("select the IoT SAFE applet", "A40400", "A0000005590010", answered=False)
    signing = bytes.fromhex(say("generate the signing pair 01", "B90000", "840101")[-134:-4])
    say("read its public key", "CD0000", "850101")
    agreement = bytes.fromhex(say("read the public key of the key-agreement pair 0B", "CD0000", "85010B")[-134:-4])
    subject = der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(0x0C, name.encode())))) if len(name) <= 64 else der(0x30)
    attribute = der(0x30, oid(AGREEMENT_KEY_OID), der(0x31, P256_SPKI + agreement))
    info = der(0x30, b"\x02\x01\x00", subject, P256_SPKI + signing, der(0xA0, attribute))
    say("begin a signature: key 01, pad and sign, SHA-256, ECDSA", "2A0000", "840101A10103910200019201" + "04")
    digest = hashlib.sha256(info).hexdigest()
    signature = bytes.fromhex(say("sign the digest of the CSR's CertificationRequestInfo", "2B8000", "9E20" + digest)[4:-4])
    csr = der(0x30, info, bytes.fromhex("300a06082a8648ce3d040302"),
              der(0x03, b"\0", der(0x30, integer(signature[:32]), integer(signature[32:]))))
    command = ["openssl", "pkey", "-in", peer_key, "-pubout", "-outform", "DER"]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    say("begin to put a public key into 0C", "240000", "85010C")
    say("put the peer's public key", "D88000", "344549438641" + public[-65:].hex())
    say("agree on a secret: pair 0B, peer 0C", "460000", "84010B85010C")
    say("read the file 02, which is not there yet", "B00000", "830102")
    modem.say("close the channel", "007080" + channel)
    with open(f"{out}/trace.txt", "w", encoding="ascii") as file:
        file.write("\n".join(modem.trace) + "\n")
    with open(f"{out}/device.csr", "w", encoding="ascii") as file:
        text = base64.encodebytes(csr).decode().replace("\n", "")
        lines = [text[at:at + 64] for at in range(0, len(text), 64)]
        file.write("\n".join(["-----BEGIN CERTIFICATE REQUEST-----", *lines, "-----END CERTIFICATE REQUEST-----"]) + "\n")


if __name__ == "__main__":
    main()
