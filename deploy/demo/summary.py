"""What came of the replay, read through the services' HTTP APIs, and where to look further."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
from rich.table import Table

from deploy.demo.history import History
from deploy.errors import LocalError
from deploy.local.up import Running
from deploy.screen import Screen

POSTINGS_SHOWN = 3
CAMPAIGNS_SHOWN = 5
AGAIN_S = 0.5
COUNTED_S_MAX = 300.0


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


async def show(api: Api, running: Running, screen: Screen, history: History, caught_up_at: datetime) -> None:
    """Print totals as of `caught_up_at` at the earliest, three customers, addresses and a `curl`.

    Raises:
        LocalError: A service does not answer as it should.
    """
    console = screen.console
    console.print()
    scoring = await api.get("scoring", "/v1/summary")
    rewards = await counted_since(api, caught_up_at)
    console.print(totals_table(scoring, rewards, mail=running.settings.smtp_url is not None))
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


async def counted_since(api: Api, moment: datetime) -> dict[str, Any]:
    """Rewards' summary as of `moment` at the earliest: one that took long to count is given again for a while.

    Raises:
        LocalError: There is none after `COUNTED_S_MAX`.
    """
    try:
        async with asyncio.timeout(COUNTED_S_MAX):
            while True:
                found: dict[str, Any] = await api.get("rewards", "/v1/summary")
                if datetime.fromisoformat(found["as_of"]) >= moment:
                    return found
                await asyncio.sleep(AGAIN_S)
    except TimeoutError:
        raise LocalError(
            f"Rewards has not counted since {moment:%H:%M:%S} UTC; was the clock put back?"
        ) from None


def totals_table(scoring: dict[str, Any], rewards: dict[str, Any], *, mail: bool) -> Table:
    """Customers, orders, points, members per tier, milestone offers, and what campaigns did. `mail`: whether there is a
    mail server."""
    table = Table(title="What came of it", show_header=False, title_justify="left")
    table.add_row("Customers", f"{scoring['customers']:,}")
    table.add_row("Orders", f"{scoring['orders']:,}")
    table.add_row("Points issued", f"{rewards['points_issued']:,}")
    for tier, members in rewards["members"].items():
        table.add_row(f"Members in tier {tier}", f"{members:,}")
    table.add_row("Milestone offers", f"{rewards['milestone_offers']:,}")
    for row in campaign_rows(rewards["campaigns"], mail=mail):
        table.add_row(*row)
    return table


def campaign_rows(campaigns: dict[str, Any], *, mail: bool) -> list[tuple[str, str]]:
    """How often which campaigns began, and what becomes of their messages."""
    runs = sum(each["runs"] for each in campaigns.values())
    messages = sum(each["messages"] for each in campaigns.values())
    rows = [("Campaigns begun", f"{runs:,}{_by_name(campaigns, 'runs')}")]
    if messages:
        sent = "GET /v1/deliveries says which" if mail else "none: there is no REGULARS_SMTP_URL"
        rows += [
            ("Messages asked for", f"{messages:,}{_by_name(campaigns, 'messages')}"),
            ("E-mails sent", sent),
        ]
    return rows


def _by_name(campaigns: dict[str, Any], what: str) -> str:
    counts = {name: each[what] for name, each in campaigns.items() if each[what]}
    most = sorted(counts.items(), key=lambda each: -each[1])[:CAMPAIGNS_SHOWN]
    others = ", …" if len(counts) > len(most) else ""
    return f" ({', '.join(f'{name} {count:,}' for name, count in most)}{others})" if most else ""


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
