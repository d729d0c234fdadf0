"""`regulars import` and `regulars rebuild` as a user runs them, on everything."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.installation import SEEN_S_MAX, Installation, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end-to-end"), pytest.mark.timeout(300)]

ORDERS = 5_000


def run(installation: Installation, *words: str) -> subprocess.Popen[bytes]:
    """Start a command beside the installation."""
    return subprocess.Popen([sys.executable, "-m", "deploy.cli", *words], env=installation.environment())


def test_an_import_killed_in_the_middle_goes_on_and_every_order_counts_once(
    installation: Installation, tmp_path: Path
) -> None:
    """Given a file of orders; when its import is killed with -9 after a first checkpoint and started again; then every
    order counts once, for its points too, and a rebuild finds nothing to change."""
    rows = [f"{n},2025-03-{1 + n // 200:02}T10:00:00Z,2.00,USD,c-{n % 900}\n" for n in range(ORDERS)]
    file = tmp_path / "orders.csv"
    file.write_text("order_id,date,total,currency,customer_id\n" + "".join(rows))
    checkpoint = tmp_path / "orders.csv.import.json"
    installation.start()

    first = run(installation, "import", str(file))
    until(checkpoint.exists, 60, installation.explain, alive=first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert '"done_at":null' in checkpoint.read_text()
    assert run(installation, "import", str(file)).wait(120) == 0

    def counted() -> tuple[int, int]:
        scoring, rewards = (installation.get(one, "/v1/summary").json() for one in ("scoring", "rewards"))
        return scoring["orders"], rewards["points_issued"]

    expected = (ORDERS, 2 * ORDERS)
    until(lambda: counted() == expected, 6 * SEEN_S_MAX, lambda: f"{counted()}\n{installation.explain()}")
    rebuild = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "rebuild"],
        env=installation.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Done: 900 customers, of whom 0 changed" in rebuild.stdout
