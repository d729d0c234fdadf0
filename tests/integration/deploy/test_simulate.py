"""`regulars simulate` on a real database, told by the environment where it is."""

import asyncio
import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from deploy.cli import app
from services.rewards.adapters.history.activities import PostgresActivities
from services.rewards.application.ports import Taken
from services.rewards.wiring.start import store_program
from shared.clock import system_clock
from shared.contracts.codec import encode
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.unit.rewards.building import PROGRAM, order

CUSTOMER = "cus_" + "a" * 24
TWICE = PROGRAM.replace("points_per_unit: 1}", "points_per_unit: 2}")


@pytest.fixture
async def history(
    settings: Settings, engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """An installation with a program in force and an order of yesterday; a file with another program."""
    assert isinstance(settings.secret, SecretStr)
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGULARS_SECRET", settings.secret.get_secret_value())
    monkeypatch.setenv("REGULARS_HOME", str(settings.home))
    monkeypatch.setenv("REGULARS_PARTITIONS", str(settings.partitions))
    live, proposed = tmp_path / "live.yaml", tmp_path / "proposed.yaml"
    live.write_text(PROGRAM)
    proposed.write_text(TWICE)
    await store_program(settings.model_copy(update={"program": live}), system_clock)
    told = order("1", "100", customer=CUSTOMER, at=system_clock() - timedelta(days=1))
    async with engine_for("regulars_rewards").begin() as connection:
        store = PostgresActivities()
        await store.take(connection, [Taken(told, encode(told))], system_clock())
    return proposed


async def regulars(*words: Any) -> Result:
    """The command, in a thread: it brings an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, [str(word) for word in words])


async def test_a_program_is_simulated_from_the_command_line(history: Path) -> None:
    """Given an order of $100; when a file with twice the points is simulated; then the page says 100 more, the JSON
    has all figures, and the customer who would notice is in the file asked for."""
    rows = history.parent / "customers.csv"

    page = await regulars("simulate", history, "--customers", rows, "--processes", 1)
    figures = await regulars("simulate", history, "--json")

    assert page.exit_code == 0, page.output
    assert "1 customer gains points" in page.output
    assert json.loads(figures.output)["difference"]["points_earned"] == 100
    with rows.open() as file:
        assert [(row["customer"], row["gain"]) for row in csv.DictReader(file)] == [(CUSTOMER, "100")]


async def test_days_bound_what_is_simulated(history: Path) -> None:
    """Given an order of yesterday; when history is played until the day before; then it says that nothing is."""
    day = (system_clock() - timedelta(days=3)).date()

    page = await regulars("simulate", history, "--to", day)

    assert "0 events of 0 customers" in page.output
    assert "No history is kept for this time" in page.output


async def test_a_file_with_a_fault_is_not_simulated(history: Path) -> None:
    """Given a program with a fault; when it is to be simulated; then the fault is shown with its place."""
    history.write_text(TWICE.replace("review.posted", "review.postd"))

    answer = await regulars("simulate", history)

    assert answer.exit_code == 1
    assert "review.postd" in answer.output
