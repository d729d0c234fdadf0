"""Time zones that Python knows and the database does not: Python cuts days by its own, the database by others."""

import shutil
import zoneinfo
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import httpx
import pytest

from services.rewards.wiring.start import store_program
from shared.program import parse
from shared.program.versions.reading import UnreadableProgramError
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import PROGRAM

ELSEWHERE = "Mars/Olympus_Mons"
THERE = PROGRAM.replace("America/New_York", ELSEWHERE)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[None]:
    """Python knows one more zone."""
    folder, name = ELSEWHERE.split("/")
    (tmp_path / folder).mkdir()
    with as_file(files("tzdata.zoneinfo") / "UTC") as known:
        shutil.copy(known, tmp_path / folder / name)
    zoneinfo.reset_tzpath([*zoneinfo.TZPATH, str(tmp_path)])
    parse._time_zones.cache_clear()
    yield
    zoneinfo.reset_tzpath()
    parse._time_zones.cache_clear()
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.usefixtures("elsewhere")
async def test_a_program_in_a_zone_that_the_database_does_not_know_is_refused(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given such a zone; when a program names it; then neither its check nor putting it in force takes it, and the
    answer names line, field and remedy."""
    for method, path in (("PUT", "/v1/program"), ("POST", "/v1/program/check")):
        answer = await api.request(method, path, content=THERE, headers={"Content-Type": "application/yaml"})

        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert (error["line"], error["field"]) == (4, "time_zone")
        assert "does not know the time zone Mars/Olympus_Mons" in str(error)
        assert "tzdata" in str(error)
    assert len(await rewards.rows("SELECT 1 FROM platform.programs")) == 1


@pytest.mark.usefixtures("elsewhere")
async def test_one_that_is_in_force_is_refused_at_the_start(
    rewards: Rewards, settings: Settings, tmp_path: Path
) -> None:
    """Given that an earlier release has put such a program in force; when rewards starts; then it says which version
    and line, and leaves an alert."""
    await rewards.plant(
        f"UPDATE platform.programs SET source = replace(source, 'America/New_York', '{ELSEWHERE}')"
    )
    file = tmp_path / "program.yaml"
    file.write_text(THERE)

    with pytest.raises(UnreadableProgramError) as raised:
        await store_program(settings.model_copy(update={"program": file}), rewards.clock)
    assert (
        "version 1 of the program: line 4, column 12 (time_zone): The database does not"
        in raised.value.reason
    )
    assert len(await rewards.rows("SELECT 1 FROM platform.alerts")) == 1
