"""What passes by itself, and what a dead letter says of a fault."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.bus.consuming.dead_letters import DETAIL_CHARACTERS_MAX, detail_of
from shared.bus.faults import is_transient
from shared.bus.interface import BusUnavailableError


class DriverError(Exception):
    """A driver's error as SQLAlchemy wraps it."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("driver's words\nDETAIL:  Key (email)=(ana@example.com) already exists.")
        self.sqlstate = sqlstate


def wrapped(sqlstate: str | None) -> DBAPIError:
    return DBAPIError("SELECT 1", {"email": "ana@example.com"}, DriverError(sqlstate))


def invalid_argument() -> Exception:
    """What COPY raises for a value that does not fit its column: an interface error by class."""
    return asyncpg.exceptions._base.DataError("invalid input for query argument $1: 2147483648")


class TestIsTransient:
    @pytest.mark.parametrize(
        "error",
        [
            wrapped("40001"),
            wrapped("40P01"),
            wrapped("57P01"),
            wrapped("57014"),
            wrapped("53300"),
            wrapped("55P03"),
            wrapped("08006"),
            wrapped("42P01"),
            asyncpg.DeadlockDetectedError("deadlock"),
            asyncpg.CannotConnectNowError("starting up"),
            asyncpg.InterfaceError("connection is closed"),
            asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
            ConnectionRefusedError(),
            TimeoutError(),
            BusUnavailableError("away"),
        ],
        ids=lambda error: getattr(getattr(error, "orig", error), "sqlstate", None) or type(error).__name__,
    )
    def test_waits_for_what_passes(self, error: Exception) -> None:
        assert is_transient(error)

    @pytest.mark.parametrize(
        "error",
        [
            wrapped("23505"),
            wrapped("22003"),
            wrapped("22021"),
            asyncpg.UniqueViolationError("twice"),
            invalid_argument(),
            ValueError("bad"),
            KeyError("customer"),
            AssertionError(),
            RecursionError(),
        ],
        ids=lambda error: getattr(getattr(error, "orig", error), "sqlstate", None) or type(error).__name__,
    )
    def test_does_not_wait_for_what_stays(self, error: Exception) -> None:
        assert not is_transient(error)


class TestDetail:
    def test_tells_no_values_of_a_database_error(self) -> None:
        """Given an error that carries a customer's address; then the detail does not."""
        error = IntegrityError("INSERT", {"email": "ana@example.com"}, DriverError("23505"))
        assert detail_of(error) == "driver's words"

    @pytest.mark.parametrize(
        ("words", "detail"),
        [
            ("", ""),
            ("a\0b", "a\ufffdb"),
            ("lone \ud800", "lone ?"),
            ("x" * 2 * DETAIL_CHARACTERS_MAX, "x" * DETAIL_CHARACTERS_MAX),
        ],
    )
    def test_can_always_be_stored(self, words: str, detail: str) -> None:
        assert detail_of(ValueError(words)) == detail
