// held.js CONFIG HOLD_AT: held.py over registry_follow.js, which is found beside the path in FOLLOW.
'use strict';
const fs = require('node:fs');
const { Follower, Refused } = require(process.env.FOLLOW + '/registry_follow.js');

const [file, holdAt] = process.argv.slice(2);
const say = (text) => new Promise((done) => process.stdout.write(text + '\n', done));

async function handle(envelope) {
  await say(`handled ${envelope.seq} ${envelope.type.replace('registry.v1.event.', '')}`);
  if (envelope.seq === holdAt) await new Promise(() => setInterval(() => {}, 1000));
  if ('-' + envelope.seq === holdAt) throw new Error("the handler's disk is full");
}

async function main() {
  const lost = (first, last) => say(`lost ${first} ${last}`);
  const follower = new Follower(JSON.parse(fs.readFileSync(file, 'utf8')), handle, { lost });
  process.on('SIGTERM', () => follower.stop());
  await follower.run();
}

main().catch((fault) => {
  process.stderr.write((fault instanceof Refused ? 'refused: ' : '') + fault.message + '\n');
  process.exitCode = 1;
});
