"""Records in the rows of a log, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.log.packs import PACK_BYTES_MAX, PACK_RECORDS_MAX, Row, packed, unpacked
from shared.bus.records import Incoming, Outgoing

RECORDS = st.lists(
    st.builds(
        Outgoing,
        st.just("t"),
        st.text(max_size=60),
        st.one_of(st.binary(max_size=300), st.integers(0, 20_000).map(lambda size: b"x" * size)),
    ),
    max_size=40,
)


@given(RECORDS, st.integers(0, 45), st.integers(0, 10**12))
def test_what_is_packed_comes_out_again(records: list[Outgoing], position: int, base: int) -> None:
    """Given any records; then their rows hold them all, in order, from whatever position on one reads."""
    found: list[Incoming] = []
    for row in packed(records):
        stored = Row(base + row.last, row.records, row.key, row.value)
        found += unpacked("t", 3, stored, base + position)
    expected = [Incoming("t", 3, base + number, each.key, each.value) for number, each in enumerate(records)]
    assert found == expected[position:]


@given(RECORDS)
def test_rows_fit_into_a_page_unless_a_record_alone_does_not(records: list[Outgoing]) -> None:
    for row in packed(records):
        assert row.records == 1 or len(row.value) <= PACK_BYTES_MAX
        assert row.records <= PACK_RECORDS_MAX


@pytest.mark.parametrize(
    ("count", "rows"), [(1, 1), (2, 1), (PACK_RECORDS_MAX, 1), (PACK_RECORDS_MAX + 1, 2)]
)
def test_small_records_share_a_row(count: int, rows: int) -> None:
    assert len(list(packed([Outgoing("t", "", b"1")] * count))) == rows


def test_a_record_alone_lies_in_its_row_as_it_is() -> None:
    (row,) = packed([Outgoing("t", "key", b"value")])
    assert (row.last, row.records, row.key, row.value) == (0, 1, "key", b"value")
