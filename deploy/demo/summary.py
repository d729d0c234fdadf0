"""What came of the replay, read through the services' HTTP APIs, and where to look further."""

from typing import Any

import httpx
from rich.table import Table

from deploy.demo.history import History
from deploy.local.errors import LocalError
from deploy.local.screen import Screen
from deploy.local.up import Running

POSTINGS_SHOWN = 3


class Api:
    """The services' HTTP APIs, asked with the demo's key."""

    def __init__(self, running: Running, client: httpx.AsyncClient, token: str) -> None:
        self.token = token
        self._running = running
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, service: str, path: str) -> Any:
        """What a service answers.

        Raises:
            LocalError: It does not answer, or not with 200.
        """
        url = f"{self._running.address(f'{service}-api')}{path}"
        try:
            answer = await self._client.get(url, headers=self._headers, timeout=30)
        except httpx.TransportError as error:
            raise LocalError(f"{url} does not answer ({type(error).__name__}).") from error
        if answer.status_code != httpx.codes.OK:
            raise LocalError(f"{url} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()


async def show(api: Api, running: Running, screen: Screen, history: History) -> None:
    """Print totals, three customers, addresses and a `curl`.

    Raises:
        LocalError: A service does not answer as it should.
    """
    console = screen.console
    console.print()
    scoring = await api.get("scoring", "/v1/summary")
    console.print(totals_table(scoring, await api.get("rewards", "/v1/summary")))
    if scoring["orders"] < history.orders:
        screen.line(
            f"Of the {history.orders:,} orders posted only {scoring['orders']:,} are counted: "
            "`regulars dead-letters list --service scoring` shows what was set aside."
        )
    for household in history.examples():
        customer = f"household-{household}"
        console.print()
        for line in await _portrait(api, customer):
            console.print(line, highlight=False, soft_wrap=True)
    console.print()
    for service in ("ingest", "scoring", "rewards"):
        console.print(f"  {service:<8} {running.address(f'{service}-api')}/docs", highlight=False)
    console.print("\nAsk for one yourself:\n")
    address = f"{running.address('scoring-api')}/v1/customers/household-{history.examples()[0]}"
    console.print(
        f"  curl -H 'Authorization: Bearer {api.token}' {address}\n",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def totals_table(scoring: dict[str, Any], rewards: dict[str, Any]) -> Table:
    """Customers, orders, points, members per tier, milestone offers."""
    table = Table(title="What came of it", show_header=False, title_justify="left")
    table.add_row("Customers", f"{scoring['customers']:,}")
    table.add_row("Orders", f"{scoring['orders']:,}")
    table.add_row("Points issued", f"{rewards['points_issued']:,}")
    for tier, members in rewards["members"].items():
        table.add_row(f"Members in tier {tier}", f"{members:,}")
    table.add_row("Milestone offers", f"{rewards['milestone_offers']:,}")
    return table


async def _portrait(api: Api, customer: str) -> list[str]:
    profile = await api.get("scoring", f"/v1/customers/{customer}")
    points = await api.get("rewards", f"/v1/customers/{customer}/points")
    tier = await api.get("rewards", f"/v1/customers/{customer}/tier")
    ledger = await api.get("rewards", f"/v1/customers/{customer}/ledger?limit={POSTINGS_SHOWN}")
    facts = profile["facts"]
    head = (
        f"[bold]{customer}[/bold]  score {profile['score']}, {profile['stage']}, tier {tier['tier']}, "
        f"{points['available']:,} points, orders: {facts['orders']}, spent: {facts['spend']} {facts['currency']}"
    )
    postings = [
        f"    {entry['at'][:10]}  {entry['points']:>+7,} points  {entry['kind']}"
        + (f" by rule {entry['rule']}" if entry["rule"] else "")
        for entry in ledger["items"][:POSTINGS_SHOWN]
    ]
    return [head, *postings]
