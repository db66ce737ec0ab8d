#!/usr/bin/env python3
"""simulators/lab/pilot_check.py: what the middleware of CIRA's pilot does with a card, step by step: it reads the files
through a modem, verifies the chain, the two signatures by the issuing key over exact octets, the dates, the record of the
certificate's CN under DNSSEC, and has the card sign. It uses openssl and delv and nothing of this project.

  ./dev up --pilot --devices 2 --dir /var/tmp/lab
  python3 simulators/lab/pilot_check.py --lab /var/tmp/lab --modem /var/tmp/lab/modem-0
  ./dev down --dir /var/tmp/lab

  --files DIR      instead of --modem: the files, named 02, 03, 06, 07, 08, 09, 0A
  --records FILE   instead of --lab: the TLSA records, a line "3 0 1 HEX" each, as if DNSSEC had proved them

Exit codes: 0 everything verifies, 1 something does not (the last line says what), 2 the card is not provisioned: it has
no 02. The pilot's own habits are kept: it takes the presence of 02 for "provisioned", looks for the subject's CN and not
for the subjectAltName, and lets the first TLSA record decide, whatever its three numbers are.
"""
import argparse
import base64
import datetime
import hashlib
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import termios
import time
import tty

PILOT_AID = 'A0000002480400'
PART = 255                # octets of one READ FILE
PARTS = 8                 # that the pilot reads of a file
JSON_MOST = 100           # octets of 08 that its buffer holds
PATIENCE = 10             # seconds without a character from the modem


class Refused(Exception):
    """One step does not hold."""


class NotProvisioned(Exception):
    """There is no 02."""


class Modem:
    """A card behind AT+CSIM."""

    def __init__(self, path):
        self.port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.port, termios.TCSANOW)
        self.channel = None

    def line(self, text):
        os.write(self.port, (text + '\r\n').encode())
        said = b''
        while not re.search(rb'(OK|ERROR)\r\n$', said):
            if not select.select([self.port], [], [], PATIENCE)[0]:
                raise Refused('the modem says nothing to ' + text)
            said += os.read(self.port, 1024)
        return said.decode()

    def apdu(self, command):
        said = self.line('AT+CSIM=%d,"%s"' % (len(command), command))
        answer = re.search(r'\+CSIM: \d+,"([0-9A-Fa-f]+)"', said)
        if not answer:
            raise Refused('the modem says ' + said.strip())
        data = bytes.fromhex(answer.group(1))
        return data[:-2], data[-2:].hex()

    def on_channel(self, rest):
        return self.apdu('%02X' % self.channel + rest)

    def open(self):
        data, status = self.apdu('0070000001')
        if status != '9000':
            raise Refused('no logical channel: ' + status)
        self.channel = data[0]
        _, status = self.on_channel('A40400%02X%s' % (len(PILOT_AID) // 2, PILOT_AID))
        if status != '9000':
            raise Refused('the applet has not the pilot\'s name: ' + status)

    def close(self):
        if self.channel is not None:
            self.on_channel('70800100')
        os.close(self.port)

    def read(self, name):
        octets = b''
        for part in range(1 if name == '08' else PARTS):
            data, status = self.on_channel('B0%04X038301%s00' % (part * PART, name))
            if status == '6a82' and part == 0:
                return None
            if status != '9000':
                raise Refused('%s cannot be read: %s' % (name, status))
            octets += data
        return octets

    def sign(self, digest):
        _, status = self.on_channel('2A00000D840101A1010391020001920104')
        if status != '9000':
            raise Refused('the card does not begin a signature: ' + status)
        data, status = self.on_channel('2B8000229E20' + digest.hex().upper() + '00')
        if status != '9000' or data[:2] != b'\x33\x40':
            raise Refused('the card does not sign: ' + status)
        return data[2:]


class Folder:
    """The files of a card, as files."""

    def __init__(self, path):
        self.path = path

    def open(self):
        pass

    def close(self):
        pass

    def read(self, name):
        path = os.path.join(self.path, name)
        if not os.path.exists(path):
            return None
        with open(path, 'rb') as file:
            return file.read()


def without_padding(octets):
    """As the pilot finds the end of DER: by the length of the SEQUENCE in front."""
    if len(octets) < 4 or octets[0] != 0x30:
        raise Refused('no SEQUENCE')
    if octets[1] < 0x80:
        end = 2 + octets[1]
    elif octets[1] == 0x81:
        end = 3 + octets[2]
    else:
        end = 4 + int.from_bytes(octets[2:4], 'big')
    if end > len(octets):
        raise Refused('longer than what can be read')
    return octets[:end]


def json_part(octets):
    """From { to its }, in the first hundred octets."""
    end = octets.find(b'}')
    if octets[:1] != b'{' or end < 0 or end >= JSON_MOST:
        raise Refused('no short JSON object')
    return octets[:end + 1]


class Check:
    def __init__(self, source, records):
        self.source, self.records = source, records
        self.folder = tempfile.TemporaryDirectory()
        self.files = {}

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, octets):
        with open(self.path(name), 'wb') as file:
            file.write(octets)

    def openssl(self, *words):
        ran = subprocess.run(['openssl', *words], cwd=self.folder.name, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise Refused((ran.stderr.strip() or ran.stdout.strip()).splitlines()[0][:200])
        return ran.stdout

    def read(self):
        for name in ('06', '07', '02', '03', '09', '0A', '08'):
            octets = self.source.read(name)
            if octets is None:
                if name == '02':
                    raise NotProvisioned()
                self.files[name] = None
                continue
            try:
                self.files[name] = json_part(octets) if name == '08' else without_padding(octets)
            except Refused as why:
                raise Refused('%s: %s' % (name, why)) from None
            self.write(name, self.files[name])
        missing = [name for name, octets in self.files.items() if octets is None]
        if missing:
            raise Refused('provisioned, and %s is not there' % missing[0])
        for name in ('06', '07', '02', '03'):
            text = base64.encodebytes(self.files[name]).decode()
            self.write(name + '.pem', ('-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n' % text).encode())

    def endpoint(self):
        self.write('sub.pub', self.openssl('x509', '-in', '07.pem', '-noout', '-pubkey').encode())
        self.openssl('dgst', '-sha256', '-verify', 'sub.pub', '-signature', '09', '08')
        said = json.loads(self.files['08'])
        if set(said) != {'url', 'port'} or '/' in said['url'] or ':' in said['url']:
            raise Refused('the pilot dials ssl://%s:%s' % (said.get('url'), said.get('port')))
        return '%s:%d' % (said['url'], said['port'])

    def chain(self):
        self.openssl('verify', '-CAfile', '06.pem', '06.pem', '07.pem')
        self.openssl('verify', '-CAfile', '06.pem', '-untrusted', '07.pem', '02.pem')

    def asp(self):
        dates = dict(line.split('=', 1) for line in
                     self.openssl('x509', '-in', '03.pem', '-noout', '-dates').splitlines())
        now = datetime.datetime.utcnow()
        begin, end = (datetime.datetime.strptime(dates[name], '%b %d %H:%M:%S %Y GMT')
                      for name in ('notBefore', 'notAfter'))
        if not begin <= now <= end:
            raise Refused('03 is not in time')
        self.openssl('dgst', '-sha256', '-verify', 'sub.pub', '-signature', '0A', '03')

    def dns(self):
        subject = self.openssl('x509', '-in', '02.pem', '-noout', '-subject', '-nameopt', 'multiline,utf8')
        name = re.search(r'commonName\s*= (\S+)', subject)
        if not name:
            raise Refused('02 has no CN')
        records = self.records(name.group(1))
        if not records:
            raise Refused('no TLSA record of ' + name.group(1))
        if records[0] != hashlib.sha256(self.files['02']).hexdigest():
            raise Refused('the first TLSA record of %s is not of 02' % name.group(1))
        return name.group(1)

    def key(self):
        if not hasattr(self.source, 'sign'):
            return 'not asked'
        said = os.urandom(32)
        raw = self.source.sign(hashlib.sha256(said).digest())
        integers = b''
        for part in (raw[:32], raw[32:]):
            part = part.lstrip(b'\0')
            part = b'\0' + part if part[0] & 0x80 else part
            integers += b'\x02' + bytes([len(part)]) + part
        self.write('said', said)
        self.write('signature', b'\x30' + bytes([len(integers)]) + integers)
        self.write('client.pub', self.openssl('x509', '-in', '02.pem', '-noout', '-pubkey').encode())
        self.openssl('dgst', '-sha256', '-verify', 'client.pub', '-signature', 'signature', 'said')
        return None


def proved_by_delv(lab):
    with open(os.path.join(lab, 'lab.json'), encoding='utf-8') as file:
        dns = json.load(file)['dns']
    server = dns['secondaries'][0]

    def records(name):
        until = time.monotonic() + PATIENCE
        while True:
            said = subprocess.run(
                ['delv', '@' + server['address'], '-p', str(server['port']), '-a', dns['trust_anchor_bind_file'],
                 '+root=.', '+nosplit', name, 'TLSA'], capture_output=True, text=True, check=False).stdout
            if '; fully validated' in said or time.monotonic() > until:
                break
            time.sleep(0.3)
        if '; fully validated' not in said:
            raise Refused('not proved: ' + (said.strip().splitlines() or ['delv says nothing'])[0])
        return [re.sub(r'\s', '', line.split('TLSA', 1)[1].split(None, 3)[3]).lower()
                for line in said.splitlines() if re.search(r'\sTLSA\s', line) and 'RRSIG' not in line]
    return records


def given(file):
    def records(_):
        with open(file, encoding='ascii') as lines:
            return [line.split(None, 3)[3].strip().lower() for line in lines if line.strip()]
    return records


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--lab')
    parser.add_argument('--modem')
    parser.add_argument('--files')
    parser.add_argument('--records')
    asked = parser.parse_args()
    if bool(asked.modem) == bool(asked.files) or bool(asked.lab) == bool(asked.records):
        parser.error('one of --modem and --files, and one of --lab and --records')
    source = Modem(asked.modem) if asked.modem else Folder(asked.files)
    check = Check(source, proved_by_delv(asked.lab) if asked.lab else given(asked.records))
    step = 'open'
    try:
        source.open()
        for step in ('read', 'endpoint', 'chain', 'asp', 'dns', 'key'):
            said = getattr(check, step)()
            print('ok %s%s' % (step, ' ' + said if said else ''))
        return 0
    except NotProvisioned:
        print('not provisioned')
        return 2
    except Refused as why:
        print('refused %s: %s' % (step, why))
        return 1
    finally:
        source.close()


if __name__ == '__main__':
    sys.exit(main())
