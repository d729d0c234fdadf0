"""Any text is a program or a `ProgramError`; any slip in a key is found where it is."""

import string
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from shared.program import default_program_text
from shared.program.faults import ProgramError, ProgramFault
from shared.program.parse import load_program

DEFAULT = default_program_text()
AUTHORS_KEYS = ("offers", "segments", "templates")
"""Sections whose keys the author names: another name there is another offer, not a slip."""


def keys(node: Node, under: str = "") -> Iterator[ScalarNode]:
    """All keys of the default program that it may not choose itself."""
    for child in node.value if isinstance(node.value, list) else ():
        if isinstance(node, MappingNode):
            key, value = child
            if under not in AUTHORS_KEYS:
                yield key
            yield from keys(value, key.value)
        else:
            yield from keys(child)


KEYS = list(keys(YAML(typ="rt", pure=True).compose(DEFAULT)))


def faults(text: str) -> tuple[ProgramFault, ...]:
    """What is wrong with the text; nothing when it is a program. Any other exception fails the test."""
    try:
        load_program(text)
    except ProgramError as error:
        return error.errors or (ProgramFault(0, 0, "", ""),)
    return ()


def accepted_or_refused(text: str) -> None:
    for fault in faults(text):
        assert fault.line >= 1
        assert fault.column >= 1
        assert fault.message


@settings(max_examples=150)
@given(st.text(max_size=300))
def test_any_text_is_a_program_or_a_program_error(text: str) -> None:
    accepted_or_refused(text)


@settings(max_examples=150)
@given(st.text(alphabet="ab:{}[]-,#&*!|>'\"%@`?\\ \n\t", max_size=120))
def test_any_heap_of_yaml_signs_is_refused_politely(text: str) -> None:
    accepted_or_refused(text)


@settings(max_examples=100)
@given(
    at=st.integers(0, len(DEFAULT) - 1),
    length=st.integers(0, 12),
    put=st.text(alphabet=string.printable + "\u20ac\u0000\ufeff", max_size=6),
)
def test_any_edit_of_the_default_program_is_accepted_or_refused(at: int, length: int, put: str) -> None:
    accepted_or_refused(DEFAULT[:at] + put + DEFAULT[at + length :])


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.sampled_from(
            ["P1M", "P0D", "order.completed", "x.y", "10%", "USD", "true", "customer.orders == 5", "a", ""]
        ),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(sorted({key.value for key in KEYS})), inner, max_size=4),
    ),
    max_leaves=12,
)


def written(value: object) -> str:
    """YAML in flow style."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {written(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case str():
            return "'" + value.replace("'", "''") + "'" if not value.isalnum() else value
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case _:
            return str(value)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(sorted({key.value for key in KEYS})), VALUES, max_size=4))
def test_known_keys_with_any_values_are_accepted_or_refused(sections: dict[str, object]) -> None:
    head = "name: T\ncurrency: USD\ntime_zone: UTC\n"
    body = "".join(f"{key}: {written(value)}\n" for key, value in sections.items())
    accepted_or_refused(head + body)


@settings(max_examples=120)
@given(
    key=st.sampled_from(KEYS),
    slip=st.sampled_from(["double", "drop", "swap", "capital", "other"]),
    place=st.integers(0, 30),
)
def test_any_slip_in_a_key_of_the_default_program_is_found_where_it_is(
    key: ScalarNode, slip: str, place: int
) -> None:
    wrong = slipped(key.value, slip, place)
    if wrong == key.value:
        return
    text = DEFAULT[: key.start_mark.index] + wrong + DEFAULT[key.end_mark.index :]
    places = {(fault.line, fault.column) for fault in faults(text)}
    assert (key.start_mark.line + 1, key.start_mark.column + 1) in places


def slipped(word: str, slip: str, place: int) -> str:
    """The word with one typing mistake."""
    at = place % len(word)
    match slip:
        case "double":
            return word[: at + 1] + word[at:]
        case "drop":
            return word[:at] + word[at + 1 :] or "q"
        case "swap":
            return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]
        case "capital":
            return word[:at] + word[at].upper() + word[at + 1 :]
        case _:
            return word[:at] + ("q" if word[at] != "q" else "z") + word[at + 1 :]
