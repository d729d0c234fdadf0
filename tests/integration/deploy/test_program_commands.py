"""`regulars program …` on a real database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.errors import LocalError
from services.rewards.wiring.start import store_program
from shared.clock import system_clock
from shared.program import default_program_text
from shared.settings import Settings
from tests.conftest import EngineFor

TEXT = default_program_text()
DEARER = TEXT.replace("at: 200.01", "at: 250")
SAID = "Gold now begins at 250 USD instead of 200.01 USD."

Program = Callable[..., Awaitable[Result]]


@pytest.fixture
def program(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Runs `regulars program …` as an operator would; `answer` is what they type."""
    assert isinstance(settings.secret, SecretStr)
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGULARS_SECRET", settings.secret.get_secret_value())
    monkeypatch.setenv("REGULARS_HOME", str(settings.home))
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*words: str, answer: str = "") -> Result:
        # In a thread: commands bring an event loop of their own.
        return await asyncio.to_thread(CliRunner().invoke, app, ["program", *words], input=answer)

    return run


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The default program with a dearer gold."""
    path = tmp_path / "dearer.yaml"
    path.write_text(DEARER)
    return str(path)


async def shown(program: Program) -> str:
    """The text in force."""
    return (await program("show")).stdout


async def test_a_file_is_checked_without_an_installation(program: Program, file: str, tmp_path: Path) -> None:
    """Given one file that is fit and one with two faults; then the first is said to be, of the second each fault has
    its line and column."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(TEXT.replace("on: review.posted,", "on: review.postd,").replace("P12M  ", "P12X  "))

    fit, unfit, missing = (
        await program("check", file),
        await program("check", str(broken)),
        await program("check", "none.yaml"),
    )

    assert (fit.exit_code, unfit.exit_code) == (0, 1)
    assert "fit to go live" in fit.stdout
    assert unfit.stderr.count("broken.yaml:line ") == 2
    assert "Did you mean review.posted?" in unfit.stderr
    assert isinstance(missing.exception, LocalError)


async def test_the_difference_in_plain_words(
    program: Program, settings: Settings, file: str, tmp_path: Path
) -> None:
    """Given a program in force and a file; then the difference is said, of files, versions, and what is in force."""
    await store_program(settings, system_clock)
    other = tmp_path / "default.yaml"
    other.write_text(TEXT)

    for words in ((file,), ("1", file), (str(other), file)):
        assert (await program("diff", *words)).stdout.strip() == SAID
    assert "Nothing that counts" in (await program("diff", "1")).stdout
    assert isinstance((await program("diff", "9")).exception, LocalError)


async def test_an_id_that_was_given_up_is_refused_before_anything_happens(
    program: Program, settings: Settings, file: str, tmp_path: Path
) -> None:
    """Given a version without a rule that there was; when a file brings it back; then the difference and the activation
    name the place, and nothing is in force but that version."""
    await store_program(settings, system_clock)
    without = tmp_path / "without.yaml"
    without.write_text("\n".join(line for line in TEXT.splitlines() if "id: follow" not in line))
    await program("activate", str(without), "--yes")

    line = next(number for number, text in enumerate(TEXT.splitlines(), start=1) if "id: follow" in text)
    for words in (("diff", file), ("activate", file, "--yes")):
        refused = await program(*words)
        assert refused.exit_code == 1
        assert "The id follow was used and removed before" in refused.stderr
        assert f"line {line}, column 12 " in refused.stderr
    assert await shown(program) == without.read_text()


async def test_a_file_is_put_in_force_after_a_look(program: Program, settings: Settings, file: str) -> None:
    """Given a program in force; when a file is activated; then the difference is shown first, a no changes nothing, a
    yes puts it in force, and once more changes nothing."""
    await store_program(settings, system_clock)

    refused = await program("activate", file, answer="n\n")
    assert (SAID in refused.stdout, refused.exit_code) == (True, 1)
    assert await shown(program) == TEXT

    done = await program("activate", file, answer="y\n")
    assert "Version 2 is in force." in done.stdout
    assert await shown(program) == DEARER
    again = await program("activate", file, "--yes")
    assert "Version 2 is in force already: nothing has changed." in again.stdout


async def test_a_release_with_another_program_changes_nobodys_own(
    program: Program, settings: Settings, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a release whose program differs from the one before; when it starts where nobody has activated a program,
    that of the release is in force; where somebody has, theirs stays, whatever releases bring."""
    await store_program(settings, system_clock)
    released = TEXT.replace("at: 200.01", "at: 300")
    monkeypatch.setattr("services.rewards.wiring.start.program_text", lambda _: released)
    await store_program(settings, system_clock)
    assert await shown(program) == released

    await program("activate", file, "--yes")
    monkeypatch.setattr(
        "services.rewards.wiring.start.program_text", lambda _: TEXT.replace("at: 200.01", "at: 400")
    )
    await store_program(settings, system_clock)
    assert await shown(program) == DEARER


async def test_a_rollback_goes_to_the_version_before(program: Program, settings: Settings, file: str) -> None:
    """Given two versions; when rolled back; then the first is in force again, and the list tells who, when and what."""
    await store_program(settings, system_clock)
    assert isinstance((await program("rollback", "--yes")).exception, LocalError)
    await program("activate", file, "--yes")

    done = await program("rollback", "--yes")

    assert "Gold now begins at 200.01 USD instead of 250 USD." in done.stdout
    assert "Version 1 is in force." in done.stdout
    assert await shown(program) == TEXT
    listed = (await program("list")).stdout
    assert listed.count("in force") == 1
    assert "command: " in listed


async def test_a_version_is_scheduled_and_cancelled(program: Program, settings: Settings, file: str) -> None:
    """Given a file activated for a day to come; then it is listed as scheduled, at midnight of the program's zone, and
    not in force; and once cancelled it is listed so."""
    await store_program(settings, system_clock)
    day = f"{system_clock() + timedelta(days=40):%Y-%m-%d}"

    done = await program("activate", file, "--at", day, "--yes")
    listed = (await program("list")).stdout
    number = listed.partition("activation ")[2].partition(",")[0]

    assert f"Version 2 comes in force on {day} at 00:00 (America/New_York)." in done.stdout
    assert "scheduled" in listed
    assert await shown(program) == TEXT
    assert "is cancelled" in (await program("cancel", number)).stdout
    assert "cancelled" in (await program("list")).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("activate", "7", "--yes"), "There is no version 7."),
        (("activate", "1", "--at", "2020-01-01", "--yes"), "must lie ahead"),
        (("activate", "1", "--at", "soon", "--yes"), "is no moment"),
        (("cancel", "9"), "There is no activation 9."),
        (("activate", "none.yaml", "--yes"), "cannot be read"),
    ],
)
async def test_what_cannot_be_is_said_in_a_line(
    program: Program, settings: Settings, words: tuple[str, ...], said: str
) -> None:
    """Given what cannot be; then one line says why."""
    await store_program(settings, system_clock)
    answer = await program(*words)
    assert isinstance(answer.exception, LocalError)
    assert said in str(answer.exception)


async def test_before_the_first_program_there_is_nothing_to_compare_with(program: Program, file: str) -> None:
    """Given nothing stored; then the commands say so, and a file can be activated."""
    assert isinstance((await program("diff", file)).exception, LocalError)
    assert "Version 1 is in force." in (await program("activate", file, "--yes")).stdout


async def test_a_release_is_asked_which_stored_versions_it_can_read(
    program: Program, settings: Settings, engine_for: EngineFor
) -> None:
    """Given a version of an older release that this one cannot read; when it is asked without a file; then all are
    fine before; it names the version and its faults; and ends with 1 only while that is in force or to come."""
    await store_program(settings, system_clock)
    fine = await program("check")
    assert (fine.exit_code, fine.stdout.strip()) == (0, "1 of 1 stored versions can be read by this release.")

    async with engine_for(None).begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO platform.programs VALUES (2, 'name: X', '[]', 'api', NULL, now())"
        )
    stored = await program("check")
    assert (stored.exit_code, stored.stdout.strip()) == (
        0,
        "1 of 2 stored versions can be read by this release.",
    )
    assert "Version 2, not in force, cannot be read by this release:" in stored.stderr
    assert "2:line 1, column 1" in stored.stderr

    async with engine_for(None).begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO platform.program_activations (version, starts_at, decided_at)"
            " VALUES (2, now() + interval '1 day', now())"
        )
    scheduled = await program("check")
    assert scheduled.exit_code == 1
    assert "Version 2, in force or scheduled," in scheduled.stderr
