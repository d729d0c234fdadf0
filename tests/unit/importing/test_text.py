"""Files as shops write them: packed, with marks, in old encodings, with other delimiters; and broken ones."""

import codecs
import gzip
from pathlib import Path

import pytest

from deploy.errors import LocalError
from deploy.importing.reading.text import TextFile
from tests.unit.importing.files import events, pieces

CONTENT = "order_id,date,total,email,currency,store\n1,2024-03-04T10:00:00Z,5.00,a@b.cd,EUR,Köln\n"


@pytest.mark.parametrize(
    "content",
    [
        CONTENT.encode(),
        codecs.BOM_UTF8 + CONTENT.encode(),
        CONTENT.encode("utf-16"),
        CONTENT.encode("latin-1"),
        CONTENT.replace("\n", "\r\n").encode(),
        CONTENT.replace(",", ";").encode(),
        CONTENT.replace(",", "\t").encode("utf-16"),
        CONTENT.replace(",", "|").encode(),
        gzip.compress(CONTENT.encode()),
        gzip.compress(codecs.BOM_UTF8 + CONTENT.encode()),
    ],
    ids=["utf-8", "mark", "utf-16", "latin-1", "crlf", "semicolon", "tab", "bar", "gzip", "gzip-mark"],
)
def test_the_same_orders_in_any_packing(tmp_path: Path, content: bytes) -> None:
    (event,) = events(tmp_path, content)

    assert event["data"]["store"] == "Köln"
    assert event["id"] == "order-1"


def test_lines_that_are_not_utf_8_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"a\n\xe4\n" + "ä\n".encode())
    file = TextFile(path)

    assert list(file.lines()) == ["a\n", "ä\n", "ä\n"]
    assert file.foreign_lines == 1
    file.close()


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    (event,) = events(tmp_path, CONTENT.encode("mac-roman"), encoding="mac-roman")

    assert event["data"]["store"] == "Köln"


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="No such encoding"):
        events(tmp_path, CONTENT, encoding="klingon")


def test_a_damaged_file_says_so_and_where(tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT.encode() * 5)

    with pytest.raises(LocalError, match="damaged"):
        pieces(tmp_path, packed[:-12])


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="No such file"):
        TextFile(tmp_path / "nothing.csv")


@pytest.mark.parametrize("content", ["", "\n", ",,\n"])
def test_an_empty_file_says_so(tmp_path: Path, content: str) -> None:
    with pytest.raises(LocalError, match="empty"):
        pieces(tmp_path, content)


def test_values_may_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    content = (
        'order_id,date,total,email,currency,store\n1,2024-03-04T10:00:00Z,5.00,a@b.cd,EUR,"Köln, ""Dom""\nSüd"\n'
        "2,2024-03-04T10:00:00Z,x,a@b.cd,EUR,\n"
    )

    first, second = pieces(tmp_path, content)

    assert first.events[0]["data"]["store"] == 'Köln, "Dom"\nSüd'
    assert second.refusal is not None
    assert second.refusal.line == 4


def test_a_quote_that_is_not_closed_spoils_only_what_it_swallows(tmp_path: Path) -> None:
    swallowed = "x" * 200_000
    good = "2,2024-03-04T10:00:00Z,5.00,a@b.cd,EUR,\n"
    content = CONTENT + f'3,2024-03-04T10:00:00Z,5.00,a@b.cd,EUR,"{swallowed}\n' + good

    first, broken, last = pieces(tmp_path, content)

    assert (first.events[0]["id"], last.events[0]["id"]) == ("order-1", "order-2")
    assert broken.refusal is not None
    assert (broken.refusal.line, "quotation" in broken.refusal.remedy) == (3, True)


def test_events_keep_what_they_say_and_get_what_they_lack(tmp_path: Path) -> None:
    lines = (
        '{"id": "7", "source": "shop", "type": "login.recorded", "time": "2024-03-04T10:00:00Z",'
        ' "data": {"customer": {"id": "c"}}}\n\n'
        '{"type": "login.recorded", "time": "2024-03-04T10:00:00Z", "data": {"customer": {"email": "a@b.cd"}}}\n'
    )

    first, second = pieces(tmp_path, lines, "events.ndjson", source="old-shop")
    again = pieces(tmp_path, lines, "events.ndjson", source="old-shop")

    assert (first.events[0]["id"], first.events[0]["source"], first.lane) == ("7", "shop", "c")
    assert (second.line, second.events[0]["source"], second.lane) == (3, "old-shop", "a@b.cd")
    assert second.events[0]["id"] == again[1].events[0]["id"] != "7"


@pytest.mark.parametrize("line", ["{", "[]", "7", '"x"', "[" * 5000])
def test_a_line_that_is_no_event_is_refused(tmp_path: Path, line: str) -> None:
    (piece,) = pieces(tmp_path, line + "\n", "events.ndjson")

    assert piece.refusal is not None
    assert piece.refusal.line == 1
