"""How records become bytes and back: JSON, with times in RFC 3339, money as decimal strings."""

from typing import TypeVar

import msgspec
from msgspec import Struct

from shared.contracts.activity import Activity
from shared.contracts.events import EventRecord
from shared.contracts.outcomes import Outcome

Record = TypeVar("Record", EventRecord, Activity, Outcome)

_encoder = msgspec.json.Encoder(decimal_format="string")
_decoders: dict[type, msgspec.json.Decoder[object]] = {
    shape: msgspec.json.Decoder(shape) for shape in (EventRecord, Activity, Outcome)
}


class _Typed(Struct):
    type: str


_typed = msgspec.json.Decoder(_Typed)


class MalformedRecordError(ValueError):
    """The bytes are not a record of the stream they were read from."""


def encode(record: EventRecord | Activity | Outcome) -> bytes:
    """The bytes of a record, as they travel."""
    return _encoder.encode(record)


def type_of(value: bytes, shape: type[Record]) -> str:
    """The type of the record in these bytes, at a fifth of the cost of reading all of it.

    Raises `MalformedRecordError` when they hold no record; what it holds beside the type is not looked at.
    """
    try:
        return _typed.decode(value).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRecordError(f"not a {shape.__name__}: {error}") from error


def decode(value: bytes, shape: type[Record]) -> Record:
    """The record in these bytes.

    Raises `MalformedRecordError` when they hold anything else; it says where.
    """
    try:
        record = _decoders[shape].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRecordError(f"not a {shape.__name__}: {error}") from error
    assert isinstance(record, shape)
    return record
