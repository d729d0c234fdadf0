"""`regulars up` as a user sees it: an order becomes points, and stays so whatever is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.end_to_end.installation import PROCESSES, Installation, installed, order, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end-to-end"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shared() -> Iterator[Installation]:
    """One for all tests here, which have customers of their own: a start takes longer than what most of them look
    at."""
    with installed() as one:
        yield one


@pytest.fixture
def running(shared: Installation) -> Installation:
    """It runs; where a test before has ended it, from a new start on what that left."""
    if not shared.is_running():
        shared.start()
    return shared


def test_order_becomes_points_and_survives_kill_9_of_everything(running: Installation) -> None:
    # given an order whose points were seen
    running.post(order(1, "49.20"))
    running.wait_for_points("c-42", 49)

    # when everything is killed, with an order accepted a moment before
    running.post(order(2, "10.00"))
    running.kill_everything()
    assert not running.processes()

    # then the next start goes on where it was, and the same order again changes nothing
    running.start()
    running.wait_for_points("c-42", 59)
    running.post(order(1, "49.20"), order(3, "1.00"))
    running.wait_for_points("c-42", 60)


def test_services_end_when_the_supervisor_alone_is_killed(running: Installation) -> None:
    left = list(running.processes().values())
    assert len(left) == len(PROCESSES)

    running.end(signal.SIGKILL)

    until(lambda: not any(process.is_running() for process in left), 10, lambda: f"still running: {left}")
    running.start()  # the database that was left running is used again
    running.post(order(4, customer="c-4"))
    running.wait_for_points("c-4", 49)


@pytest.mark.parametrize(
    ("name", "number"), [("scoring-worker", 10), ("rewards-worker", 20), ("ingest-api", 30)]
)
def test_service_that_is_killed_is_started_again(running: Installation, name: str, number: int) -> None:
    customer = f"c-{number}"
    running.post(order(number, customer=customer))
    running.wait_for_points(customer, 49)

    running.processes()[name].kill()
    until(lambda: f"{name} is ready again" in running.printed(), 30, running.explain)

    running.post(order(number + 1, customer=customer))
    running.wait_for_points(customer, 98)


def test_database_that_is_killed_is_started_again(running: Installation) -> None:
    running.post(order(40, customer="c-40"))
    running.wait_for_points("c-40", 49)
    server = running.postgres.running()
    assert server is not None

    server.kill()
    until(lambda: "PostgreSQL is ready again" in running.printed(), 60, running.explain)

    running.post(order(41, customer="c-40"))
    running.wait_for_points("c-40", 98)


def test_second_start_on_the_same_folder_is_refused_and_harms_nothing(running: Installation) -> None:
    before = running.processes()

    second = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "up"],
        env=running.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1
    assert "already runs on" in second.stderr
    assert running.processes() == before
    assert len(before) == len(PROCESSES)


def test_keys_made_on_the_command_line_may_do_what_they_were_made_for(running: Installation) -> None:
    environment = running.environment()

    def regulars(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    token = regulars("keys", "create", "checkout", "--scope", "events:write")
    headers = {"Authorization": f"Bearer {token}"}
    address = running.address("ingest")
    assert running.http.post(f"{address}/v1/events", json=order(50), headers=headers).status_code == 202
    asked = running.http.get(f"{running.address('scoring')}/v1/customers/c-42", headers=headers)
    assert asked.status_code == 403
    assert "checkout" in regulars("keys", "list")
    assert "0 wait in scoring" in regulars("dead-letters", "list", "--service", "scoring")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly_and_leaves_no_process(running: Installation, number: signal.Signals) -> None:
    left = list(running.processes().values())
    server = running.postgres.running()
    assert server is not None
    logged = running.postgres.log.read_text()

    assert running.end(number) == 0

    assert not any(process.is_running() for process in [*left, server])
    assert "did not end in time" not in running.printed()
    assert "database system is shut down" in running.postgres.log.read_text().removeprefix(logged)
