// models.mjs NODE-FOLDER DOCUMENT: makes classes of an AsyncAPI document in six languages with AsyncAPI's modelina and says
// what it made: one JSON object a line, {"language", "name", "text"}.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const [folder, file] = process.argv.slice(2);
const require = createRequire(folder + '/package.json');
const modelina = require('@asyncapi/modelina');
const document = JSON.parse(fs.readFileSync(file, 'utf8'));

const languages = {
  typescript: modelina.TypeScriptGenerator,
  python: modelina.PythonGenerator,
  java: modelina.JavaGenerator,
  go: modelina.GoGenerator,
  kotlin: modelina.KotlinGenerator,
  rust: modelina.RustGenerator,
};

for (const [language, Generator] of Object.entries(languages)) {
  for (const model of await new Generator().generate(document)) {
    console.log(JSON.stringify({ language, name: model.modelName, text: model.result }));
  }
}
