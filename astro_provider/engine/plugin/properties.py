"""Turns property bags of the engine, which are structs, into dictionaries of the lifecycles, and back.

A bag that the dynamic door wrote is read as well: its names are in snake_case, and it has Pulumi's own `__provider` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value  # type: ignore[import-untyped]  # no stubs

from astro_provider.engine.property_names import snake
from astro_provider.lifecycle.values import UNKNOWN
from astro_provider.names import PROVIDER_KEY, SIGNATURE, UNKNOWN_TEXT, camel

Properties = dict[str, Any]
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the mark of a secret; its value is under `value`
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"  # the mark of an output, which has no `value` while it is not known


def inward(struct: Struct) -> Properties:
    """Return a bag for a lifecycle: in snake_case, with our UNKNOWN for the engine's text, and secrets as plain values."""
    return {snake(name): value for name, value in plain(struct).items() if name != PROVIDER_KEY}


def plain(struct: Struct) -> Properties:
    """Return a bag as it is spelled, without the values that are None."""
    found = {name: python(value) for name, value in struct.fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def outward(properties: Mapping[str, Any]) -> Struct:
    """Return a bag for the engine, from that of a lifecycle."""
    return struct_of({camel(name): value for name, value in properties.items()})


def struct_of(properties: Mapping[str, Any]) -> Struct:
    """Return a bag for the engine, from one whose names are in camelCase already."""
    return Struct(fields={name: _value(value) for name, value in properties.items() if value is not None})


def is_spelled_otherwise(struct: Struct) -> bool:
    """Return whether the dynamic door wrote a bag."""
    return any(name == PROVIDER_KEY or camel(name) != name for name in struct.fields)


def secret(value: Any) -> Any:
    """Return a value marked as a secret, which the engine encrypts and hides."""
    return {SIGNATURE: SECRET, "value": value}


def python(value: Value) -> Any:
    """Return a value of the engine as one of Python, secrets in clear."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "list_value":
        return [python(one) for one in value.list_value.values]
    if kind != "struct_value":
        return None if kind in (None, "null_value") else getattr(value, kind)
    members = value.struct_value.fields
    if SIGNATURE in members and members[SIGNATURE].string_value in (SECRET, OUTPUT):
        return python(members["value"]) if "value" in members else UNKNOWN
    return {key: python(one) for key, one in members.items()}


def _value(value: Any) -> Value:
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, (int, float)):
        return Value(number_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=Struct(fields={key: _value(one) for key, one in value.items()}))
    if isinstance(value, (list, tuple)):
        return Value(list_value=ListValue(values=[_value(one) for one in value]))
    if value is None:
        return Value(null_value=0)
    return Value(string_value=UNKNOWN_TEXT if value is UNKNOWN else str(value))
