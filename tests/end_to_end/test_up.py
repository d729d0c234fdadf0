"""`regulars up` as a user sees it: an order becomes points, and stays so whatever is killed."""

import signal
import subprocess
import sys

import pytest

from tests.end_to_end.installation import PROCESSES, Installation, order, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end-to-end"), pytest.mark.timeout(300)]


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


@pytest.mark.parametrize("name", ["scoring-worker", "rewards-worker", "ingest-api"])
def test_service_that_is_killed_is_started_again(installation: Installation, name: str) -> None:
    installation.start()
    installation.post(order(1))
    installation.wait_for_points("c-42", 49)

    installation.processes()[name].kill()
    until(lambda: f"{name} is ready again" in installation.printed(), 30, installation.explain)

    installation.post(order(2))
    installation.wait_for_points("c-42", 98)


def test_database_that_is_killed_is_started_again(installation: Installation) -> None:
    installation.start()
    installation.post(order(1))
    installation.wait_for_points("c-42", 49)
    server = installation.postgres.running()
    assert server is not None

    server.kill()
    until(lambda: "PostgreSQL is ready again" in installation.printed(), 60, installation.explain)

    installation.post(order(2))
    installation.wait_for_points("c-42", 98)


def test_second_start_on_the_same_folder_is_refused_and_harms_nothing(installation: Installation) -> None:
    installation.start()

    second = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "up"],
        env=installation.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1
    assert "already runs on" in second.stderr
    assert len(installation.processes()) == len(PROCESSES)


def test_keys_made_on_the_command_line_may_do_what_they_were_made_for(installation: Installation) -> None:
    installation.start()
    environment = installation.environment()

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
    address = installation.address("ingest")
    assert installation.http.post(f"{address}/v1/events", json=order(1), headers=headers).status_code == 202
    asked = installation.http.get(f"{installation.address('scoring')}/v1/customers/c-42", headers=headers)
    assert asked.status_code == 403
    assert "checkout" in regulars("keys", "list")
    assert "0 wait in scoring" in regulars("dead-letters", "list", "--service", "scoring")
