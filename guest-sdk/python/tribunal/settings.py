"""Checks settings against the policy's own JSON Schema, and fills in its defaults.

It must never guess: a key that cannot be understood is a fault, and so is a schema that says what is not checked here.
"""

import json
from typing import Any

#: What is understood of JSON Schema.
_CHECKED = {"type", "enum", "properties", "required", "additionalProperties", "items"}
_CHECKED |= {"minimum", "maximum", "minLength", "minItems"}
#: What needs no check.
_TOLD = {"$schema", "title", "description", "default", "examples"}


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a table in which a misspelt key is an error, unless it says otherwise."""
    return {"type": "object", "additionalProperties": False, **schema}


def parse(schema: dict[str, Any] | None, text: str) -> tuple[dict[str, Any], list[str]]:
    """The settings with defaults, and all that is wrong with them."""
    try:
        settings = json.loads(text)
    except ValueError as error:
        return {}, [f"the settings are not JSON: {error}"]
    if not isinstance(settings, dict):
        return {}, ["the settings are not a JSON object: write them as a table"]
    faults: list[str] = []
    return _check(whole(schema or {}), settings, "", faults), faults


def check_schema(schema: dict[str, Any]) -> None:
    """Raises what is wrong with a schema, so that the author's first test finds it."""
    for key in schema:
        if key not in _CHECKED | _TOLD:
            raise ValueError(f"the schema of the settings says `{key}`, which is not checked: say it in `check`")
    parts = list(schema.get("properties", {}).values())
    for part in parts + [schema["items"]] if "items" in schema else parts:
        check_schema(part)


def _check(schema: dict[str, Any], value: Any, path: str, faults: list[str]) -> Any:
    fault = _fault(schema, value)
    if fault is not None:
        faults.append(f"`{path}`: {fault}")
    elif isinstance(value, list) and "items" in schema:
        return [_check(schema["items"], item, f"{path}.{index}", faults) for index, item in enumerate(value)]
    elif isinstance(value, dict):
        return _check_table(schema, value, path, faults)
    return value


def _check_table(schema: dict[str, Any], table: dict[str, Any], path: str, faults: list[str]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    under = f"{path}." if path else ""
    faults += [f"`{under}{key}` is missing" for key in schema.get("required", []) if key not in table]
    checked = {key: part["default"] for key, part in properties.items() if "default" in part}
    for key, value in table.items():
        if key in properties:
            checked[key] = _check(properties[key], value, under + key, faults)
        elif schema.get("additionalProperties") is False:
            faults.append(f"`{under}{key}`: unknown key: {_expected(list(properties))}")
        else:
            checked[key] = value
    return checked


def _fault(schema: dict[str, Any], value: Any) -> str | None:
    kind, wanted = _kind(value), schema.get("type")
    if wanted not in (None, kind) and (wanted, kind) != ("number", "integer"):
        return f"invalid type: {kind}, expected {wanted}"
    if "enum" in schema and value not in schema["enum"]:
        return f"unknown value {json.dumps(value)}, {_expected(schema['enum'])}"
    if kind in ("integer", "number") and value < schema.get("minimum", value):
        return f"{value} is too small: it must be at least {schema['minimum']}"
    if kind in ("integer", "number") and value > schema.get("maximum", value):
        return f"{value} is too large: it must be at most {schema['maximum']}"
    least = schema.get("minLength" if kind == "string" else "minItems", 0)
    if kind in ("string", "array") and len(value) < least:
        return f"it is too short: it must have at least {least} entries or characters"
    return None


def _expected(words: list[Any]) -> str:
    return "expected " + ", ".join(f"`{word}`" for word in words) if words else "there are none"


def _kind(value: Any) -> str:
    kinds = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")
