"""A shop with a customer of each kind of history, and the services' APIs on it, as they answer over HTTP."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message

import services.ingest.main as ingest
import services.rewards.main as rewards
import services.scoring.main as scoring
from shared.postgres.engine import create_engine
from shared.program import program_text
from shared.settings import Settings
from tests.conftest import SECRET
from tests.end_to_end.stories.town import Town, open_town
from tests.property.routes.answers import Answer
from tests.support.catalogue_examples import CUSTOMER, DATA
from tests.support.clock import ManualClock

SERVICES = {"ingest": ingest, "scoring": scoring, "rewards": rewards}
_NEXT_TRANSACTION = text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
_TABLES = text("""
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
    """)


class Shop:
    """The APIs by service, texts that name something which is there, and a look at all that is stored."""

    def __init__(
        self, apps: Mapping[str, ASGIApp], known: Mapping[str, Sequence[str]], admin: AsyncEngine
    ) -> None:
        self.known = known
        self._apps = apps
        self._admin = admin
        self._stands = ""
        self._seen: dict[str, str] = {}

    async def send(
        self,
        service: str,
        method: str,
        target: bytes,
        *,
        query: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        body: bytes = b"",
    ) -> Answer:
        """What a service answers: it gets the request as its server would read it off the wire."""
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(target.decode("ascii")),
            "raw_path": target,
            "query_string": query,
            "root_path": "",
            "headers": list(headers),
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        sent: list[Message] = []
        requests = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            return next(requests, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            sent.append(message)

        await self._apps[service](scope, receive, send)
        named = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0]["headers"]
        }
        return Answer(sent[0]["status"], named, b"".join(each.get("body", b"") for each in sent[1:]))

    async def changes(self) -> list[str]:
        """The tables of which rows have come, gone or changed since this was asked last."""
        async with self._admin.connect() as connection:
            stands = str(await connection.scalar(_NEXT_TRANSACTION))
            if stands == self._stands:  # nobody has written
                return []
            if not self._seen:
                self._tables = list(await connection.scalars(_TABLES))
            looks = [
                f"SELECT '{table}', count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) FROM {table}"
                for table in self._tables
            ]
            rows = await connection.execute(text(" UNION ALL ".join(looks)))
            seen = {table: stored for table, stored in rows}  # noqa: C416  # a row is no tuple of two
        before, self._seen, self._stands = self._seen, seen, stands
        return [table for table in seen if before and before[table] != seen[table]]


@asynccontextmanager
async def open_shop(url: str, home: Path) -> AsyncIterator[Shop]:
    """A shop on a fresh database. Its workers have done what there was to do, and are gone."""
    clock = ManualClock()
    settings = Settings(database_url=url, secret=SecretStr(SECRET), home=home, partitions=2)
    async with open_town(url, settings, clock) as town:
        await _live(town)
        known = await _look_around(town)
    async with AsyncExitStack() as stack:
        admin = create_engine(url, role=None, pool_size=2)
        stack.push_async_callback(admin.dispose)
        apps = {}
        for name, service in SERVICES.items():
            apps[name] = app = service.create_app(settings, clock)
            await stack.enter_async_context(app.router.lifespan_context(app))
        shop = Shop(apps, known, admin)
        yield shop


async def _live(town: Town) -> None:
    """One customer has done all that the catalogue knows; others buy, and are written to."""
    for who in ("c-ana", "c-bo"):
        await town.register(who)
        for total in ("120.00", "90.00", "30.50"):
            await town.order(who, total)
    contact = {name: value for name, value in CUSTOMER.items() if name != "id"}
    for type_, data in DATA.items():
        await town.happen(type_, "c-all", contact=contact, **data)
    await town.settle()
    await town.tell("rewards", "/v1/adjustments", customer="c-bo", points=50_000, reason="goodwill")
    await town.tell("rewards", "/v1/redemptions", customer="c-bo", points=1000, order_id="o-r")
    await town.tell("rewards", "/v1/webhooks", url="https://hooks.example/", events=["points.earned"])
    await town.tell("rewards", "/v1/webhooks", events=["*"])
    await town.happen("subscription.paused", "c-ana")
    await town.apis["scoring"].put("/v1/segments/buyers", json={"rule": "customer.orders > 1"})
    await town.settle()


_LISTS: list[tuple[str, str, dict[str, str]]] = [
    ("scoring", "/v1/customers?limit=1", {}),
    ("scoring", "/v1/customers", {"id": "customer"}),
    ("scoring", "/v1/customers/c-all/timeline?limit=1", {}),
    ("scoring", "/v1/alerts", {"id": "alert_id", "kind": "kind"}),
    ("scoring", "/v1/segments", {"id": "segment"}),
    ("scoring", "/v1/customers/c-all/tags", {"tag": "tag"}),
    ("scoring", "/v1/customers/suggested-merges", {"id": "suggestion_id"}),
    ("scoring", "/v1/merges", {"id": "merge_id"}),
    ("rewards", "/v1/customers/c-ana/ledger?limit=1", {}),
    ("rewards", "/v1/customers/c-ana/ledger", {"id": "ledger_entry", "rule": "rule"}),
    ("rewards", "/v1/customers/c-ana/offers", {"code": "code", "offer": "offer"}),
    ("rewards", "/v1/customers/c-ana/tier/history?limit=1", {}),
    ("rewards", "/v1/customers/c-ana/tier/grants", {"id": "grant"}),
    ("rewards", "/v1/campaigns", {"id": "campaign"}),
    ("rewards", "/v1/deliveries?limit=1", {}),
    ("rewards", "/v1/deliveries", {"id": "delivery", "template": "template"}),
    ("rewards", "/v1/webhooks?limit=1", {}),
    ("rewards", "/v1/webhooks", {"id": "webhook"}),
    ("rewards", "/v1/rewards", {"id": "reward", "offer": "offer"}),
]
"""Where to ask for what is there: of which key in the answer the values are what is called so in requests."""


async def _look_around(town: Town) -> dict[str, list[str]]:
    known: dict[str, list[str]] = {
        "customer": ["c-ana", "c-bo", "c-all"],
        "from": ["c-ana", "2026-05", "2026-05-01", "2026-05-01T00:00:00Z", "1"],
        "to": ["2026-06", "2026-06-02", "2026-06-02T00:00:00Z", "1"],
        "into": ["c-bo"],
        "order_id": ["1001", "o-r"],
        "sku": ["A-1"],
        "event": ["story-1", "story-2"],
        "source": [program_text(None), "shop"],
        "rule": ["customer.orders > 1", "customer.spend_percentile >= 50", "true"],
        "tier": ["gold", "platinum"],
        "version": ["1"],
        "template": [],
        "cursor": [],
        "token": [],
        "at": ["2026-05-31T12:00:00Z", "2027-01-01T00:00:00Z"],
    }
    for service, path, names in _LISTS:
        _gather(await town.ask(service, path), {"next": "cursor", **names}, known)
    for webhook in known["webhook"]:
        await town.tell("rewards", f"/v1/webhooks/{webhook}/test")
        _gather(await town.ask("rewards", f"/v1/webhooks/{webhook}/messages"), {"id": "message"}, known)
    redemption = {"customer": "c-bo", "points": 1000, "order_id": "o-s"}
    known["redemption_id"] = [(await town.tell("rewards", "/v1/redemptions", **redemption))["id"]]
    links = "".join(str(letter.mail) for letter in town.letters("c-ana"))
    known["token"] += sorted(set(re.findall(r"/[oupc]/([\w.~-]+)", links.replace("=\n", ""))))
    return {name: values for name, values in known.items() if values}


def _gather(value: Any, names: Mapping[str, str], known: dict[str, list[str]]) -> None:
    if isinstance(value, list):
        for one in value:
            _gather(one, names, known)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in names and isinstance(one, str | int):
                pool = known.setdefault(names[key], [])
                pool += [str(one)] if str(one) not in pool else []
            else:
                _gather(one, names, known)
