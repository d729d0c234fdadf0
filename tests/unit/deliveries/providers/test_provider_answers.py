"""What HTTP providers' answers mean for a message."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent
from services.deliveries.domain.providers.http_answers import answer_of, answer_of_twilio, retry_after_s

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, {"id": "p-7"}, Sent("p-7")),
        (200, {}, Sent()),
        (200, {"id": 7}, Sent()),
        (409, {"id": "p-7"}, Sent("p-7")),
        (422, {"code": "too_long"}, Refused("refused", "422 too_long")),
        (400, {"code": "to +1 555: no"}, Refused("refused", "400")),
        (422, {"code": "unreachable", "suppress": True}, Refused("no_such_address", "422 unreachable", True)),
        (410, {}, Refused("no_such_address", "410", True)),
        (422, {"suppress": "yes"}, Refused("refused", "422")),
        (429, {}, Again("busy", "429", 7.0, down=True)),
        (503, {}, Again("in_trouble", "503", 7.0, down=True)),
        (401, {}, Again("provider_refused", "401", 7.0, down=True)),
        (404, {}, Again("provider_refused", "404", 7.0, down=True)),
        (302, {}, Again("answered_wrongly", "302", down=True)),
        (999, {}, Again("in_trouble", "999", 7.0, down=True)),
    ],
)
def test_our_own_interface(status: int, body: dict[str, Any], expected: Receipt) -> None:
    assert answer_of(status, body, 7.0) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (201, {"sid": "SM1", "status": "queued"}, Sent("SM1")),
        (400, {"code": 21211, "message": "Invalid 'To'"}, Refused("no_such_address", "400 21211", True)),
        (400, {"code": 21610}, Refused("no_such_address", "400 21610", True)),
        (400, {"code": 21617}, Refused("refused", "400 21617")),
        (400, {"code": 21606}, Again("provider_refused", "400 21606", None, down=True)),
        (401, {"code": 20003}, Again("provider_refused", "401 20003", None, down=True)),
        (429, {"code": 20429}, Again("busy", "429 20429", None, down=True)),
        (500, {}, Again("in_trouble", "500", None, down=True)),
        (400, {"code": "<script>"}, Refused("refused", "400")),
    ],
)
def test_twilio(status: int, body: dict[str, Any], expected: Receipt) -> None:
    assert answer_of_twilio(status, body) == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("999999999", 3600.0),
        ("Mon, 01 Jun 2026 12:00:30 GMT", 30.0),
        ("Mon, 01 Jun 2020 12:00:30 GMT", 0.0),
        ("soon", None),
        ("-3", None),
    ],
)
def test_retry_after_is_read_and_bounded(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds
