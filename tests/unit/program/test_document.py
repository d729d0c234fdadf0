"""The file as YAML: what is refused before a word of it is understood."""

from time import process_time

import pytest

from shared.program.document.tree import BYTES_MAX
from shared.program.faults import FAULTS_MAX, ProgramError
from shared.program.parse import load_program
from tests.unit.program.texts import HEAD, faults, load, only_fault


@pytest.mark.parametrize("text", ["", "   \n", "# nothing\n", "---\n", "~", "null"])
def test_an_empty_file_is_refused(text: str) -> None:
    with pytest.raises(ProgramError, match="empty"):
        load_program(text)


@pytest.mark.parametrize("text", ["just words", "- a\n- b\n", "42"])
def test_a_file_that_holds_no_keys_is_refused(text: str) -> None:
    with pytest.raises(ProgramError, match="Keys and values"):
        load_program(text)


def test_broken_yaml_is_refused_at_its_place() -> None:
    fault = only_fault("points: {earn: [\n", head=HEAD)
    assert "not YAML" in fault.message
    assert fault.line >= 4


def test_a_key_given_twice_is_refused() -> None:
    fault = only_fault("stages: {lapsed_after: P60D, lapsed_after: P70D}\n")
    assert (fault.line, fault.column) == (4, 30)
    assert "twice" in fault.message


def test_anchors_and_aliases_are_refused() -> None:
    found = faults("stages: &s {lapsed_after: P60D}\nmessages: *s\n")
    assert [fault.line for fault in found] == [4, 5]
    assert "&s" in found[0].message
    assert "*s" in found[1].message


def test_a_bomb_of_aliases_is_refused_without_being_unfolded() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [" + ", ".join([f"*{before}"] * 9) + "]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert faults("\n".join(lines))


def test_tags_are_refused() -> None:
    fault = only_fault("stages: {at_risk_at: !!float 2}\n")
    assert "Tags" in fault.message


def test_a_second_document_is_refused() -> None:
    fault = only_fault("---\nname: Other\n")
    assert "more than one document" in fault.message


def test_a_file_beyond_256_kib_is_refused() -> None:
    fault = only_fault("#" + "x" * BYTES_MAX)
    assert str(BYTES_MAX) in fault.message


def test_deep_nesting_is_refused() -> None:
    fault = only_fault("points: " + "[" * 5000)
    assert "levels deep" in fault.message


@pytest.mark.parametrize("character", ["\x00", "\x07", "\ud800", "\ufffe"])
def test_characters_that_yaml_does_not_know_are_refused_at_their_place(character: str) -> None:
    fault = only_fault(f"stages: {character}\n")
    assert (fault.line, fault.column) == (4, 9)


def test_amounts_are_read_as_written_never_through_binary_numbers() -> None:
    program = load(
        "tiers: {basis: {spend_over: P12M}, levels: [{id: a, name: A}, {id: b, name: B, at: 99999999999.99}]}"
    )
    assert program.tiers is not None
    assert str(program.tiers.levels[1].at) == "99999999999.99"


def test_ids_that_look_like_numbers_stay_texts() -> None:
    program = load("offers: {2026: {gift: pen, valid_for: P1M}, 007: {gift: pen, valid_for: P1M}}")
    assert list(program.offers) == ["2026", "007"]


def test_words_that_yaml_once_took_for_true_stay_texts() -> None:
    program = load("points: {earn: [{id: yes, on: order.completed, points: 5}]}")
    assert program.points.earn[0].id == "yes"
    assert program.points.earn[0].on == "order.completed"


def test_carriage_returns_and_a_byte_order_mark_do_no_harm() -> None:
    assert load_program("\ufeff" + HEAD.replace("\n", "\r\n")).currency == "USD"


def test_all_faults_are_shown_at_once_in_the_order_of_the_file() -> None:
    found = faults(
        """
        points:
          earn:
            - {id: a, on: order.complete, points: 5}
            - {id: a, on: order.completed, pionts: 5}
        stages: {lapsed_after: soon}
        """
    )
    assert [(fault.line, fault.path) for fault in found] == [
        (6, "points.earn[0].on"),
        (7, "points.earn[1].id"),
        (7, "points.earn[1].pionts"),
        (8, "stages.lapsed_after"),
    ]


def test_the_error_reads_as_a_list_of_places() -> None:
    with pytest.raises(ProgramError) as caught:
        load_program(HEAD + "stage: {}\n")
    assert str(caught.value) == "line 4, column 1 (stage): There is no key stage here. Did you mean stages?"


def test_a_file_of_nothing_but_faults_is_told_of_at_once() -> None:
    """Twenty thousand unknown keys: only as many are compared with the known ones as are told of."""
    began = process_time()
    assert len(faults("".join(f"k{number}: 1\n" for number in range(20_000)))) == FAULTS_MAX
    assert process_time() - began < 10


@pytest.mark.parametrize(
    "name", ["localtime", "Factory", "posixrules", "right/UTC", "../UTC", ".", "A" * 190]
)
def test_a_time_zone_has_a_name_that_means_the_same_everywhere(name: str) -> None:
    fault = only_fault("", head=f"name: Test\ncurrency: USD\ntime_zone: {name}\n")
    assert fault.message == f"There is no time zone {name}."
    assert "Known here" not in fault.hint
