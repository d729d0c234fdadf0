"""A client of scoring's API for tests."""

from base64 import b64encode
from typing import Any

import httpx
import msgspec

from shared.contracts.events import EventRecord, event_key
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.seal import Sealer
from shared.vault.subject_keys import SubjectKeys
from tests.integration.scoring.world import World
from tests.support.life import moment, record


class Api:
    """A client with a key, and events sealed as ingest seals them."""

    def __init__(self, client: httpx.AsyncClient, world: World, settings: Settings, tokens: dict[str, str]):
        self.client = client
        self.world = world
        self._settings = settings
        self._tokens = tokens

    async def get(self, path: str, *, key: str = "all", **query: Any) -> httpx.Response:
        """GET with the key of that name."""
        headers = {"Authorization": f"Bearer {self._tokens[key]}"} if key in self._tokens else {}
        return await self.client.get(path, params=query, headers=headers)

    async def sealed(
        self, type_: str, days: float, customer: dict[str, Any], data: dict[str, Any], **hidden: Any
    ) -> EventRecord:
        """A record as ingest would write it: `customer` and `hidden` sealed, `data` plain."""
        pseudonyms = Pseudonyms(self._settings.secret)
        identifiers = {
            kind: pseudonyms.of(kind, customer[kind]) for kind in ("id", "email", "phone") if kind in customer
        }
        subject = next(iter(identifiers.values()))
        async with self.world.engine.begin() as connection:
            keys = await SubjectKeys(self._settings.secret).get_or_create(connection, [subject])
        plain = record(type_, moment(days), data, identifiers=identifiers)
        body = msgspec.json.encode({"customer": customer, **hidden})
        sealed = Sealer(keys[subject]).seal(body, event_key(plain.source, plain.id))
        fields = [f"customer.{name}" for name in customer] + list(hidden)
        return msgspec.structs.replace(plain, sealed=b64encode(sealed).decode(), sealed_fields=fields)

    async def order(self, days: float, order_id: str, total: str = "49.20", **customer: str) -> None:
        """An order taken in."""
        data = {"order_id": order_id, "currency": "USD", "total": total}
        await self.world.feed(await self.sealed("order.completed", days, customer, data))
