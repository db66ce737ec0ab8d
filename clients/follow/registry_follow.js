#!/usr/bin/env node
// registry_follow.js: follows a party's notifications: each at least once, in order, without a gap (README.md beside this).
//
//   const follower = new Follower(options, handle);  // handle(envelope), may return a promise: one notification
//   await follower.run();                            // until stop(), or Refused: what repeating does not mend
//
// Options (README.md): host, port, ca_file, cert_file, key_file, party, position_file, acknowledge, reply_seconds.
// Errors: an exception of a handler ends run() with it. What was handled before is stored, that notification is not.
// Limits: 2,000 notifications wait for a gap to be filled, and 16 MiB of messages for the handler. What comes beyond is
// dropped and asked for again.
// As a program: registry_follow.js CONFIG.json prints each notification on a line of standard output.
// Needs the npm package mqtt, 5.
'use strict';

const { randomUUID } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const mqtt = require('mqtt');

const EVENT = 'registry.v1.event.';
const WAITING_MAX = 2000;
const INBOX_OCTETS_MAX = 16 * 1024 * 1024;
const REPLAY_MAX = 1000;         // of one feed.replay (schemas/README.md, "Notifications")
const REPLAY_EVERY = 1100;       // ms; the registry puts off what comes within a second
const GAP_PATIENCE = 500;        // ms of silence in which what is missing may still come
const PAUSE_MAX = 60000;         // ms between replays that bring nothing
const ACK_EVERY = 1000;          // ms
const BACKOFF = [500, 30000];    // ms between attempts to connect, with jitter
const SHORT = 5000;              // ms; a connection that ended sooner makes one suspicious
const CONNECT_PATIENCE = 10000;  // ms for CONNACK and SUBACK
const GOODBYE = 1000;            // ms for the DISCONNECT to leave
const LOOK = 100;                // ms
const KEEP_ALIVE = 60, SESSION_EXPIRY = 86400;  // s
const TAKEN_OVER = 0x8e;         // MQTT 5, 3.14.2.1

// What repeating does not mend: a configuration, a position file or a registry that does not fit.
class Refused extends Error {}

// The number of the last notification that was handled, and the client id, in a file that is replaced as a whole.
class Position {
  constructor(file, party) {
    this.file = path.resolve(file);
    this.party = party;
    if (!fs.existsSync(this.file)) {
      this.clientId = `${party}-${randomUUID()}`;
      this.store(0);
      return;
    }
    let kept;
    try {
      kept = JSON.parse(fs.readFileSync(this.file, 'utf8'));
      const whole = /^[0-9]+$/.test(kept.applied) && typeof kept.clientId === 'string';
      if (!whole) throw new Error('applied or clientId is missing');
    } catch (fault) {
      throw new Refused(`${file} is no position file: ${fault.message}`);
    }
    if (kept.party !== party) throw new Refused(`${file} is the position of ${kept.party}, not of ${party}`);
    this.clientId = kept.clientId;
    this.applied = Number(kept.applied);
  }

  // Durable when it returns: the file and then its name are synced (fsync(2)).
  store(applied) {
    const text = JSON.stringify({ party: this.party, clientId: this.clientId, applied: String(applied) }) + '\n';
    const file = fs.openSync(this.file + '.new', 'w', 0o600);
    fs.writeSync(file, text);
    fs.fsyncSync(file);
    fs.closeSync(file);
    fs.renameSync(this.file + '.new', this.file);
    const folder = fs.openSync(path.dirname(this.file), 'r');
    fs.fsyncSync(folder);
    fs.closeSync(folder);
    this.applied = applied;
  }
}

class Follower {
  // lost(first, last): these are gone for good, so ask the registry what holds (device.list). report(text): a trouble.
  constructor(options, handle, { lost, report } = {}) {
    this.options = options;
    this.party = options.party;
    for (const name of ['host', 'port', 'ca_file', 'cert_file', 'key_file', 'party', 'position_file']) {
      if (options[name] === undefined) throw new Refused(`${name} is missing`);
    }
    this.handle = handle;
    this.report = report ?? ((text) => process.stderr.write(text + '\n'));
    this.lost = lost ?? ((first, last) => this.report(`notifications ${first} to ${last} are gone for good`));
    this.position = new Position(options.position_file, this.party);
    this.stopping = this.takenOver = false;
    this.waiting = new Map();  // seq -> envelope, of those that cannot be handled yet
    this.last = 0;             // newest number known
    this.acked = 0;
    this.asked = new Map();    // command -> {id, since}, of those without a reply
    this.replayAt = this.ackAt = this.heardAt = 0;
    this.pause = REPLAY_EVERY;
    this.unasked = true;       // nothing was asked for in this connection
    this.wake = () => {};
  }

  async run() {
    let backoff = BACKOFF[0];
    while (!this.stopping) {
      const since = performance.now();
      let why = await this.connection();
      if (this.stopping) return;
      const lived = this.subscribed ? performance.now() - since : 0;
      if (lived > BACKOFF[1]) backoff = BACKOFF[0];
      // A broker need not say it (Mosquitto 2.0.11 does not).
      if (lived > 0 && lived < SHORT) why += `; has another program the client id in ${this.position.file}?`;
      const pause = backoff / 2 + Math.random() * backoff / 2;
      this.report(`${this.options.host}:${this.options.port}: ${why}; again in ${(pause / 1000).toFixed(1)} s`);
      for (const until = performance.now() + pause; !this.stopping && performance.now() < until;) await this.look();
      backoff = Math.min(2 * backoff, BACKOFF[1]);
    }
  }

  stop() {
    this.stopping = true;
    this.wake();
  }

  look() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  // ---- one connection ----

  // Until it ends; says why. Each has a client object of its own, for the package's keeps what it could not send.
  async connection() {
    this.inbox = [];
    this.inboxOctets = 0;
    this.ended = '';
    this.subscribed = false;
    const deadline = performance.now() + CONNECT_PATIENCE;
    const client = this.client = mqtt.connect(this.connectOptions());
    const end = (why) => { this.ended ||= why; this.wake(); };
    client.on('connect', () => this.subscribe(client, end));
    const refusal = (fault) => (fault.code >= 0x80 ? 'the broker refused the connection: ' : '');
    client.on('error', (fault) => end(refusal(fault) + fault.message));
    client.on('close', () => end('the connection ended'));
    client.on('disconnect', (packet) => {
      this.takenOver ||= packet.reasonCode === TAKEN_OVER;
      end(`the broker ended the connection, reason ${packet.reasonCode}`);
    });
    client.on('message', (topic, payload) => {
      if (this.inboxOctets + payload.length > INBOX_OCTETS_MAX) return;
      this.inboxOctets += payload.length;
      this.inbox.push({ topic, payload });
      this.wake();
    });
    try {
      while (!this.stopping && !this.ended) {
        if (this.inbox.length === 0) await this.look();
        await this.takeAll();
        if (this.subscribed && !this.ended) this.sayWhatIsDue(performance.now());
        if (!this.subscribed && performance.now() > deadline) return 'no CONNACK and SUBACK in time';
      }
    } finally {
      client.end(!client.connected);
      setTimeout(() => client.stream?.destroy(), GOODBYE).unref();
    }
    return this.ended;
  }

  connectOptions() {
    const options = this.options;
    const read = (file) => {
      try {
        return fs.readFileSync(file);
      } catch (fault) {
        throw new Refused(`the certificates cannot be read: ${fault.message}`);
      }
    };
    return {
      protocol: 'mqtts', host: options.host, port: Number(options.port), protocolVersion: 5, clean: false,
      clientId: this.position.clientId, keepalive: KEEP_ALIVE, reconnectPeriod: 0, connectTimeout: CONNECT_PATIENCE,
      resubscribe: false, properties: { sessionExpiryInterval: SESSION_EXPIRY }, minVersion: 'TLSv1.3',
      ca: read(options.ca_file), cert: read(options.cert_file), key: read(options.key_file),
    };
  }

  subscribe(client, end) {
    const own = `registry/v1/to/${this.party}/`;
    const filters = ['event/#', 'batch', 'feed.replay/+', 'feed.ack/+'].map((rest) => own + rest);
    client.subscribe(filters, { qos: 1, rh: 2 }, (fault, granted) => {
      if (fault || granted.some((one) => one.qos !== 1)) {
        end(`the broker refused the subscription: ${fault ? fault.message : granted.map((one) => one.qos)}`);
        return;
      }
      this.subscribed = this.unasked = true;
      this.asked.clear();
      this.wake();
    });
  }

  // ---- what is heard ----

  async takeAll() {
    if (this.takenOver) throw new Refused(`another program connected with the client id in ${this.position.file}`);
    for (let message; (message = this.inbox.shift());) {
      this.inboxOctets -= message.payload.length;
      let heard;
      try {
        heard = JSON.parse(message.payload.toString('utf8'));
      } catch (fault) {
        this.report(`a message on ${message.topic} is no JSON: ${fault.message}`);
        continue;
      }
      for (const envelope of Array.isArray(heard) ? heard : [heard]) await this.take(message.topic, envelope);
      await this.apply();
    }
  }

  // By its type, for a batch holds messages of every topic. One that cannot be read costs itself only.
  async take(topic, envelope) {
    const unread = (what) => this.report(`an envelope on ${topic} cannot be read: ${what}`);
    if (typeof envelope?.type !== 'string' || typeof envelope.data !== 'object' || envelope.data === null) {
      unread('type or data is missing');
      return;
    }
    const { type, cause, data } = envelope;
    if (type.startsWith(EVENT)) {
      const numbered = typeof envelope.seq === 'string' && /^[1-9][0-9]{0,15}$/.test(envelope.seq);
      if (numbered) this.keep(Number(envelope.seq), envelope);
      else unread(`seq ${envelope.seq}`);
      return;
    }
    const [, command, outcome] = /^registry\.v1\.(.*)\.(accepted|rejected)$/.exec(type) ?? [];
    if (command === undefined || this.asked.get(command)?.id !== cause) return;
    const numbers = [data.lastSeq, data.ackedSeq, data.replayed];
    if (outcome === 'accepted' && !numbers.every(Number.isSafeInteger)) {
      unread(JSON.stringify(data));
      return;
    }
    this.asked.delete(command);
    if (outcome === 'accepted') await this.accepted(command, ...numbers);
    else this.rejected(command, data.symbol, data.message, Number(data.retryAfterSeconds ?? 0) * 1000);
  }

  keep(seq, envelope) {
    this.heardAt = performance.now();
    this.last = Math.max(this.last, seq);
    if (seq <= this.position.applied) return;
    this.waiting.set(seq, envelope);
    // The last one goes: of the first one there must always be room.
    if (this.waiting.size > WAITING_MAX) this.waiting.delete(Math.max(...this.waiting.keys()));
  }

  // What has its turn is handled, and then stored. A crash in between brings it again.
  async apply() {
    let applied = this.position.applied;
    try {
      for (let next; (next = this.waiting.get(applied + 1));) {
        await this.handle(next);
        applied += 1;
        this.waiting.delete(applied);
      }
    } finally {
      if (applied !== this.position.applied) {
        this.position.store(applied);
        this.pause = REPLAY_EVERY;
      }
    }
  }

  async accepted(command, last, acked, replayed) {
    this.acked = Math.max(this.acked, acked);
    if (command !== 'feed.replay') return;
    this.unasked = false;
    this.last = Math.max(this.last, last);
    if (this.position.applied >= last) this.pause = REPLAY_EVERY;
    // A feed has no gap up to its last number, so the count says with which number a replay begins. A full one is only
    // known by what it brings. Nothing that was not acknowledged is ever gone.
    const first = replayed < REPLAY_MAX ? last - replayed + 1 : Math.min(...this.waiting.keys());
    if (Number.isFinite(first)) await this.passOver(Math.min(acked, first - 1));
  }

  async passOver(gone) {
    await this.apply();
    if (gone <= this.position.applied) return;
    await this.lost(this.position.applied + 1, gone);
    this.position.store(gone);
    for (const seq of [...this.waiting.keys()]) if (seq <= gone) this.waiting.delete(seq);
  }

  rejected(command, symbol, message, retryAfter) {
    if (symbol === 'seq_unknown') {
      throw new Refused(`${this.position.file} says ${this.position.applied}, and the registry's feed has not come that ` +
                        'far: it is another registry\'s, or that one was restored from a backup');
    }
    if (command === 'feed.ack') this.ackAt = performance.now() + (retryAfter || PAUSE_MAX);
    else if (retryAfter) this.replayAt = performance.now() + Math.max(retryAfter, REPLAY_EVERY);
    if (!retryAfter) this.report(`${command} was rejected: ${symbol}: ${message}`);
  }

  // ---- what is said ----

  sayWhatIsDue(now) {
    const patience = this.options.reply_seconds ?? 10;
    for (const [command, { since }] of [...this.asked]) {
      if (now - since <= patience * 1000) continue;
      this.report(`no reply to ${command} in ${patience} s`);
      this.asked.delete(command);
    }
    const applied = this.position.applied;
    const missing = applied < this.last && now - this.heardAt > GAP_PATIENCE;
    if (!this.asked.has('feed.replay') && now >= this.replayAt && (this.unasked || missing)) {
      // With a new id each time: the reply to a known one is given again, the notifications are not.
      this.send('feed.replay', { fromSeq: applied + 1 }, now);
      this.replayAt = now + this.pause;
      this.pause = Math.min(2 * this.pause, PAUSE_MAX);
    }
    if ((this.options.acknowledge ?? true) && applied > this.acked && !this.asked.has('feed.ack') && now >= this.ackAt) {
      this.send('feed.ack', { seq: applied }, now);
      this.ackAt = now + ACK_EVERY;
    }
  }

  send(command, data, now) {
    const id = randomUUID();
    const time = new Date().toISOString();
    const said = { specversion: '1.0', id, source: this.party, type: `registry.v1.${command}`, time, data };
    this.client.publish(`registry/v1/from/${this.party}/${command}`, JSON.stringify(said),
                        { qos: 1, properties: { contentType: 'application/cloudevents+json' } }, () => {});
    this.asked.set(command, { id, since: now });
  }
}

module.exports = { Follower, Refused };

async function main() {
  const used = process.argv.length === 3 && !process.argv[2].startsWith('-');
  if (!used) throw new Refused('usage: registry_follow.js CONFIG.json');
  const print = (envelope) => new Promise((done) => process.stdout.write(JSON.stringify(envelope) + '\n', done));
  const follower = new Follower(JSON.parse(fs.readFileSync(process.argv[2], 'utf8')), print);
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => follower.stop());
  await follower.run();
}

if (require.main === module) {
  main().catch((fault) => {
    process.stderr.write(fault.message + '\n');
    process.exitCode = 1;
  });
}
