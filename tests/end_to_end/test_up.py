"""`regulars up` as a user sees it: an order becomes points, and stays so whatever is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.end_to_end.installation import PROCESSES, Installation, installed, order, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end-to-end"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """One that runs and keeps running, for tests that have customers of their own and leave it whole: a start takes
    longer than what most of them look at."""
    with installed() as one:
        one.start()
        yield one


def test_order_becomes_points_and_survives_kill_9_of_everything(installation: Installation) -> None:
    # given an order whose points were seen
    installation.start()
    installation.post(order(1, "49.20"))
    installation.wait_for_points("c-42", 49)

    # when everything is killed, with an order accepted a moment before
    installation.post(order(2, "10.00"))
    installation.kill_everything()
    assert not installation.processes()

    # then the next start goes on where it was, and the same order again changes nothing
    installation.start()
    installation.wait_for_points("c-42", 59)
    installation.post(order(1, "49.20"), order(3, "1.00"))
    installation.wait_for_points("c-42", 60)


def test_services_end_when_the_supervisor_alone_is_killed(installation: Installation) -> None:
    installation.start()
    left = list(installation.processes().values())
    assert len(left) == len(PROCESSES)

    installation.end(signal.SIGKILL)

    until(lambda: not any(process.is_running() for process in left), 10, lambda: f"still running: {left}")
    installation.start()  # the database that was left running is used again
    installation.post(order(1))
    installation.wait_for_points("c-42", 49)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly_and_leaves_no_process(
    installation: Installation, number: signal.Signals
) -> None:
    installation.start()
    left = list(installation.processes().values())
    server = installation.postgres.running()
    assert server is not None

    assert installation.end(number) == 0

    assert not any(process.is_running() for process in [*left, server])
    assert "did not end in time" not in installation.printed()
    assert "database system is shut down" in installation.postgres.log.read_text()


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
