// node ask.mjs URL CA [CERTIFICATE KEY]: GET over TLS, with a client certificate or without. Prints the status, or why there
// is none.
import {readFileSync} from 'node:fs';
import {get} from 'node:https';

const [url, ca, cert, key] = process.argv.slice(2);
const identity = cert ? {cert: readFileSync(cert), key: readFileSync(key)} : {};
get(url, {ca: readFileSync(ca), checkServerIdentity: () => undefined, ...identity}, (answer) => {
  answer.resume().on('end', () => console.log(answer.statusCode));
}).on('error', (error) => console.log(error.code || error.message));
