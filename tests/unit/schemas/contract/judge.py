"""Judges instances by the JSON Schemas of a folder: lines {"stem", "text" (base64)} in, lines 1 or 0 out."""
import base64
import json
import pathlib
import sys

from jsonschema import Draft202012Validator, RefResolver

files = pathlib.Path(sys.argv[1]).glob("*.schema.json")
schemas = {file.name: json.loads(file.read_text()) for file in files}
store = {schema["$id"]: schema for schema in schemas.values()}
validators = {}
for name, schema in schemas.items():
    Draft202012Validator.check_schema(schema)
    resolver = RefResolver(base_uri=schema["$id"], referrer=schema, store=store)
    validators[name.removesuffix(".schema.json")] = Draft202012Validator(schema, resolver=resolver)

for line in sys.stdin:
    case = json.loads(line)
    try:
        instance = json.loads(base64.b64decode(case["text"]).decode())
    except ValueError:
        print(0)
        continue
    print(1 if validators[case["stem"]].is_valid(instance) else 0)
