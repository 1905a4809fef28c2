"""Property bags between the engine's structs and the lifecycles' dictionaries.

A bag that the dynamic door wrote is read as well: its spelling is that of the lifecycles, and it has Pulumi's own
`__provider` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value  # type: ignore[import-untyped]  # no stubs

from astro_provider.engine.property_names import snake
from astro_provider.lifecycle.values import UNKNOWN
from astro_provider.names import PROVIDER_KEY, SIGNATURE, UNKNOWN_TEXT, camel

Properties = dict[str, Any]
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the mark of a secret, whose value stands under `value`
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"  # that of an output, which has no `value` while it is not known


def inward(struct: Struct) -> Properties:
    """A bag for a lifecycle: its spelling, our UNKNOWN for the engine's text, secrets as plain values."""
    found = {snake(name): python(value) for name, value in struct.fields.items() if name != PROVIDER_KEY}
    return {name: value for name, value in found.items() if value is not None}


def outward(properties: Mapping[str, Any]) -> Struct:
    """A bag for the engine, from that of a lifecycle."""
    return struct_of({camel(name): value for name, value in properties.items()})


def struct_of(properties: Mapping[str, Any]) -> Struct:
    """A bag for the engine, whose names are spelled already."""
    return Struct(fields={name: _value(value) for name, value in properties.items() if value is not None})


def is_spelled_otherwise(struct: Struct) -> bool:
    """Whether the dynamic door wrote a bag."""
    return any(name == PROVIDER_KEY or camel(name) != name for name in struct.fields)


def secret(value: Any) -> Any:
    """A value that the engine stores encrypted and does not show."""
    return {SIGNATURE: SECRET, "value": value}


def python(value: Value) -> Any:
    """The value of a bag of the engine, secrets in clear."""
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
