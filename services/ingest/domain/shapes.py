"""Which fields of an event travel in plain sight and which are sealed, worked out once from the catalogue's types."""

from dataclasses import dataclass
from enum import Enum, auto

from msgspec import Struct, inspect

from shared.contracts.catalogue import CATALOGUE, Customer


class Treatment(Enum):
    """What happens to a field on its way to the stream."""

    PLAIN = auto()
    SEALED = auto()
    PLAIN_FREE = auto()
    """Plain, of a shape that the sender chose: looked through first."""
    SEALED_FREE = auto()
    NESTED = auto()
    """An object with fields of its own."""
    NESTED_MANY = auto()
    """A list of such objects."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `name` is its full name as `sealed_fields` shows it."""

    name: str
    treatment: Treatment
    inner: "Shape | None" = None


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of an object. `unknown` is what happens to a key that is not among them."""

    fields: dict[str, Field]
    unknown: Field
    plain_keys: frozenset[str]
    """An object with no other keys than these travels as it is."""
    sealed_keys: frozenset[str]
    """An object with no other keys than these is sealed as it is."""


def shape_of(type_: type[Struct], prefix: str = "") -> Shape:
    """The shape of a struct of the catalogue; `prefix` stands before the names of its fields."""
    described = inspect.type_info(type_)
    assert isinstance(described, inspect.StructType)
    fields = {
        each.encode_name: _field(f"{prefix}{each.encode_name}", each.type, personal=False)
        for each in described.fields
    }
    unknown = Field(f"{prefix}*", Treatment.SEALED_FREE)
    return Shape(fields, unknown, _keys(fields, Treatment.PLAIN), _keys(fields, Treatment.SEALED))


def _keys(fields: dict[str, Field], treatment: Treatment) -> frozenset[str]:
    return frozenset(key for key, field in fields.items() if field.treatment is treatment)


def _field(name: str, type_: inspect.Type, *, personal: bool) -> Field:
    match type_:
        case inspect.Metadata():
            marked = bool((type_.extra or {}).get("personal"))
            field = _field(name, type_.type, personal=personal or marked)
        case inspect.UnionType():
            given = [each for each in type_.types if not isinstance(each, inspect.NoneType)]
            treated = [_field(name, each, personal=personal) for each in given]
            field = treated[0]
            assert treated == [field] * len(treated), f"{name}: its kinds are not treated alike"
        case inspect.StructType():
            assert not personal, f"{name}: mark the fields inside, not the object"
            field = Field(name, Treatment.NESTED, shape_of(type_.cls, f"{name}."))
        case inspect.ListType(item_type=inspect.StructType() as item):
            field = Field(name, Treatment.NESTED_MANY, shape_of(item.cls, f"{name}[]."))
        case inspect.ListType():
            field = _field(name, type_.item_type, personal=personal)
        case inspect.DictType():
            field = _field(name, type_.value_type, personal=personal)
        case inspect.AnyType():
            field = Field(name, Treatment.SEALED_FREE if personal else Treatment.PLAIN_FREE)
        case _:
            field = Field(name, Treatment.SEALED if personal else Treatment.PLAIN)
    return field


SHAPES: dict[str, Shape] = {kind: shape_of(data) for kind, data in CATALOGUE.items()}
"""Event type to the shape of its data."""

CUSTOM_SHAPE = Shape(
    {"customer": Field("customer", Treatment.NESTED, shape_of(Customer, "customer."))},
    unknown=Field("*", Treatment.PLAIN_FREE),
    plain_keys=frozenset(),
    sealed_keys=frozenset(),
)
"""Of the shop's own event types: everything but `customer` travels in plain sight."""
