"""Judges requests and answers by DigitalOcean's own OpenAPI document: a JSON list of them on standard input.

Schemas of requests are closed: a key that the document does not have is an error. The document comes with the crate
`rsdo`, which tests/vendors/digitalocean/Cargo.toml names and `tests/run` fetches.
"""

import json
import pathlib
import re
import subprocess
import sys

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for  # noqa: F401  (tells early when jsonschema is too old)
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

crate = subprocess.run(
    ["cargo", "metadata", "--offline", "--format-version=1", "--manifest-path=tests/vendors/digitalocean/Cargo.toml"],
    check=True,
    capture_output=True,
    env={**__import__("os").environ, "HOME": str(pathlib.Path("~").expanduser())},
)
packages = json.loads(crate.stdout)["packages"]
(manifest,) = [package["manifest_path"] for package in packages if package["name"] == "rsdo"]
SPEC = pathlib.Path(manifest).parent / "spec/specification"


class Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):
    """Times stay text, as in JSON."""


Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for key, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path):
    return yaml.load(path.read_text(), Loader)


def retrieve(uri):
    return Resource(load(pathlib.Path(uri.removeprefix("file://"))), DRAFT202012)


registry = Registry(retrieve=retrieve)


def resolved(node, base):
    """A node behind its $ref, and the file that it stands in."""
    while "$ref" in node:
        file, _, pointer = node["$ref"].partition("#")
        base = (base.parent / file).resolve() if file else base
        node = load(base)
        for part in filter(None, pointer.split("/")):
            node = node[part.replace("~1", "/")]
    return node, base


def errors(schema, base, value, closed):
    schema, base = resolved(schema, base)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"file://{base}", **schema}
    if closed:
        schema["additionalProperties"] = False
    return [error.message for error in Draft202012Validator(schema, registry=registry).iter_errors(value)]


root = SPEC / "DigitalOcean-public.v2.yaml"
paths = load(root)["paths"]
patterns = [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path) + "$"), item) for path, item in paths.items()]
# A fixed path beats one with a name in it.
patterns.sort(key=lambda pattern: pattern[0].pattern.count("[^/]+"))

wrong = []
said = json.load(sys.stdin)
for one in said:
    path = one["path"].partition("?")[0]
    line = f"{one['method']} {path}"
    if not path.startswith("/v2/"):
        continue
    item = next((item for pattern, item in patterns if pattern.match(path)), None)
    operation = (item or {}).get(one["method"].lower())
    if operation is None:
        wrong.append(f"{line}: there is no such operation")
        continue
    operation, base = resolved(operation, root)
    body = operation.get("requestBody")
    if body is None and one["body"] is not None:
        wrong.append(f"{line}: it takes no body, and got {one['body']}")
    elif body is not None:
        body, at = resolved(body, base)
        schema = body["content"]["application/json"]["schema"]
        wrong += [f"{line}, request: {error}" for error in errors(schema, at, one["body"], closed=True)]
    responses = operation["responses"]
    answer = responses.get(str(one["status"])) or responses.get("default")
    answer, at = resolved(answer, base)
    content = answer.get("content")
    if content:
        schema = content["application/json"]["schema"]
        wrong += [f"{line}, answer: {error}" for error in errors(schema, at, one["answer"], closed=False)]

assert said, "nothing was asked"
assert not wrong, "\n".join(wrong)
