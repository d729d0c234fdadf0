"""An endpoint: where webhooks go, which, and signed with what."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.deliveries.domain.webhooks.catalogue import expanded


@dataclass(frozen=True, slots=True)
class Endpoint:
    """As it is stored. `url` None: a listener, which fetches its events itself (`regulars listen`).

    `reason` says why it is disabled (`by_hand`, `failing`, `gone`). `secret` is what is signed with, and
    `previous_secret` too until `previous_until`.
    """

    id: str
    url: str | None
    name: str | None
    description: str
    events: tuple[str, ...]
    secret: bytes = field(repr=False)
    previous_secret: bytes | None = field(repr=False)
    previous_until: datetime | None
    disabled_at: datetime | None
    reason: str | None
    failing_since: datetime | None
    created_at: datetime
    seen_at: datetime | None = None

    @property
    def enabled(self) -> bool:
        """Whether it is sent anything."""
        return self.disabled_at is None

    def secrets(self, now: datetime) -> list[bytes]:
        """What to sign with, the newest first."""
        if self.previous_secret is None or self.previous_until is None or now >= self.previous_until:
            return [self.secret]
        return [self.secret, self.previous_secret]


class Subscriptions:
    """Who wants what, ready to ask for each of many events."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._wanting: dict[str, list[Endpoint]] = {}
        self._named: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            for type_ in expanded(endpoint.events):
                self._wanting.setdefault(type_, []).append(endpoint)
            if endpoint.name is not None:
                self._named[endpoint.name] = endpoint

    @property
    def types(self) -> frozenset[str]:
        """All types that anybody subscribes to."""
        return frozenset(self._wanting)

    def wanting(self, type_: str) -> list[Endpoint]:
        """The endpoints that subscribe to events of this type."""
        return self._wanting.get(type_, [])

    def named(self, name: str) -> Endpoint | None:
        """The endpoint that campaigns call by this name."""
        return self._named.get(name)
