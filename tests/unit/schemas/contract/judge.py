"""Judges instances by JSON Schemas: lines {"stem", "text" (base64)} in, lines 1 or 0 out.

judge.py FOLDER            stem names a schema of the folder of schemas
judge.py FOLDER DOCUMENT   stem names a message of the AsyncAPI document beside that folder
"""
import base64
import json
import pathlib
import sys

from jsonschema import Draft202012Validator, RefResolver

folder = pathlib.Path(sys.argv[1])
schemas = {file.name: json.loads(file.read_text()) for file in folder.glob("*.schema.json")}
store = {schema["$id"]: schema for schema in schemas.values()}


def of_folder():
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        resolver = RefResolver(base_uri=schema["$id"], referrer=schema, store=store)
        yield name.removesuffix(".schema.json"), Draft202012Validator(schema, resolver=resolver)


def of_document(file):
    """The document stands at a place of its own, with the schemas' folder below it, as its references say."""
    base = "https://document.invalid/asyncapi.json"
    places = {f"https://document.invalid/messages/{name}": schema for name, schema in schemas.items()}
    document = json.loads(file.read_text())
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for name, message in document["components"]["messages"].items():
        resolver = RefResolver(base_uri=base, referrer=document, store={**store, **places, base: document})
        yield name, Draft202012Validator(message["payload"].get("schema", message["payload"]), resolver=resolver)


validators = dict(of_document(folder.parent / sys.argv[2]) if len(sys.argv) > 2 else of_folder())

for line in sys.stdin:
    case = json.loads(line)
    try:
        instance = json.loads(base64.b64decode(case["text"]).decode())
    except ValueError:
        print(0)
        continue
    print(1 if validators[case["stem"]].is_valid(instance) else 0)
