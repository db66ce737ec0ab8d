// Judges instances by the JSON Schemas of a folder, with ajv: lines {"stem", "text" (base64)} in, lines 1 or 0 out.
// node judge.js SCHEMAS NODE_MODULES OPTIONS (JSON, of ajv). Every schema is compiled first; a warning counts as an error.
'use strict';
const fs = require('fs');
const path = require('path');
const [schemas, modules, options] = process.argv.slice(2);
const Ajv2020 = require(path.join(modules, 'ajv/dist/2020')).default;
const addFormats = require(path.join(modules, 'ajv-formats')).default;

const refuse = (why) => { throw new Error(why); };
const ajv = new Ajv2020({ ...JSON.parse(options), logger: { log: refuse, warn: refuse, error: refuse } });
addFormats(ajv);
const documents = fs.readdirSync(schemas).map((file) => JSON.parse(fs.readFileSync(path.join(schemas, file), 'utf8')));
ajv.addSchema(documents);
const validators = new Map(documents.map((schema) => [schema.title, ajv.getSchema(schema.$id)]));

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const verdict = ({ stem, text }) => {
  let instance;
  try {
    instance = JSON.parse(utf8.decode(Buffer.from(text, 'base64')));
  } catch (unreadable) {
    return 0;
  }
  return validators.get(stem)(instance) ? 1 : 0;
};
const cases = fs.readFileSync(0, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
process.stdout.write(cases.map((each) => `${verdict(each)}\n`).join(''));
