"""Says everything that is wrong with an event that did not fit its type.

The fast path (`checking`) stops at the first mismatch; here each field is tried by itself, so that the sender can
mend all of them in one go and finds each by its JSON pointer.
"""

from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, UnsetType
from msgspec.structs import fields

from services.ingest.domain.faults import Fault, pointer_to

_CODES = (
    ("timezone component", "naive_time"),
    ("Invalid RFC3339", "wrong_format"),
    ("matching regex", "wrong_format"),
    ("of length <=", "too_long"),
    ("of length >=", "too_short"),
    ("Invalid enum value", "unknown_value"),
    ("<=", "out_of_range"),
    (">=", "out_of_range"),
    ("out of range", "out_of_range"),
    ("Expected", "wrong_type"),
)
"""What msgspec says, to the code that we promise."""


def mismatches(value: Any, type_: Any, pointer: str = "") -> list[Fault]:
    """All the places where JSON `value` does not fit `type_` (a struct or anything that msgspec converts to)."""
    bare = _bare(type_)
    if _is_struct(bare) and not (value is None and bare is not type_):
        return _in_struct(value, bare, pointer)
    if get_origin(bare) is list and isinstance(value, list):
        return _in_list(value, type_, pointer)
    if get_origin(bare) is dict and isinstance(value, dict):
        return _in_map(value, type_, pointer)
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        return [_fault(pointer, str(error), type_, value)]
    return []


def _in_struct(value: Any, type_: Any, pointer: str) -> list[Fault]:
    if not isinstance(value, dict):
        return [Fault(pointer, "wrong_type", f"expected an object, got {_kind(value)}")]
    faults: list[Fault] = []
    for field in fields(type_):
        place = pointer_to(pointer, field.encode_name)
        if field.encode_name in value:
            faults += mismatches(value[field.encode_name], field.type, place)
        elif field.required:
            faults.append(Fault(place, "required", _required(field.type)))
    return faults or _as_a_whole(value, type_, pointer)


def _as_a_whole(value: dict[str, Any], type_: Any, pointer: str) -> list[Fault]:
    """What is wrong although each field by itself is right: a rule of the struct over several fields."""
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        return [Fault(pointer, "inconsistent", str(error).partition(" - at `")[0])]
    return []


def _in_list(values: list[Any], type_: Any, pointer: str) -> list[Fault]:
    (item_type,) = get_args(_bare(type_))
    faults = [
        fault
        for index, item in enumerate(values)
        for fault in mismatches(item, item_type, pointer_to(pointer, index))
    ]
    if faults:
        return faults
    try:
        msgspec.convert(values, type_)
    except msgspec.ValidationError as error:
        return [_fault(pointer, str(error), type_, values)]
    return []


def _in_map(value: dict[str, Any], type_: Any, pointer: str) -> list[Fault]:
    key_type, item_type = get_args(_bare(type_))
    faults: list[Fault] = []
    for key, item in value.items():
        place = pointer_to(pointer, key)
        faults += [_fault(place, str(error), key_type, key) for error in _refusals(key, key_type)]
        faults += mismatches(item, item_type, place)
    return faults or [_fault(pointer, str(error), type_, value) for error in _refusals(value, type_)]


def _refusals(value: Any, type_: Any) -> list[msgspec.ValidationError]:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        return [error]
    return []


def _fault(pointer: str, message: str, type_: Any, value: Any) -> Fault:
    message, _, inside = message.partition(" - at `")
    code = next((code for words, code in _CODES if words in message), "invalid")
    meant = _description(type_)
    if code == "naive_time":
        detail = f"the time lacks its offset from UTC: write {value}Z for UTC, or {value}+02:00"
    elif code == "unknown_value":
        detail = f"expected one of {', '.join(map(str, _choices(type_)))}"
    elif meant and code == "wrong_type":
        detail = f"expected {meant}; got {_kind(value)}"
    elif meant and code == "wrong_format":
        detail = f"expected {meant}"
    elif meant:
        detail = f"expected {meant}; {message[0].lower()}{message[1:]}"
    else:
        detail = message
    if inside:
        detail += f" (at {inside.rstrip('`')})"
    return Fault(pointer, code, detail)


def _kind(value: Any) -> str:
    """What a value is, in JSON's words. A text is not shown: it may be personal."""
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}" if abs(value) < 1e15 else "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _required(type_: Any) -> str:
    meant = _description(type_)
    return f"required: {meant}" if meant else "required"


def _description(type_: Any) -> str:
    """The words that the type's `Meta` gives, also inside of `… | None`."""
    if get_origin(type_) is Annotated:
        for meta in type_.__metadata__:
            if isinstance(meta, Meta) and meta.description:
                return meta.description
    for each in get_args(type_):
        if get_origin(each) is Annotated and (found := _description(each)):
            return found
    return ""


def _bare(type_: Any) -> Any:
    """The type without its annotations, and without `None` and `UNSET` beside it."""
    if get_origin(type_) is Annotated:
        return _bare(type_.__origin__)
    if get_origin(type_) not in (None, list, dict):
        others = [each for each in get_args(type_) if each not in (type(None), UnsetType)]
        if len(others) == 1 and len(others) < len(get_args(type_)):
            return _bare(others[0])
    return type_


def _choices(type_: Any) -> tuple[Any, ...]:
    bare = _bare(type_)
    return get_args(bare) if get_origin(bare) is Literal else ()


def _is_struct(bare: Any) -> bool:
    return isinstance(bare, type) and issubclass(bare, Struct)
