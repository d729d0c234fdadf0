"""The record of `regulars.events`: a CloudEvent as ingest accepted it.

Key of the stream: the pseudonym of the event's strongest identifier (`subject`), so that all events under one
identifier keep their order. Nothing in the record is personal but `sealed`, which is encrypted under the
subject's own key.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import Struct

EVENTS_TOPIC = "regulars.events"

OWN_SOURCE = "regulars"
"""The source of events that Regulars itself writes: what happens to its messages, tags that campaigns give. Nobody else
may use it, or their events could stand in for ours."""


class EventRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One accepted event.

    `id` and `source` are the sender's and identify the event for ever. `time` is the sender's, `received`
    ours; both are UTC. `identifiers` maps the kind of an identifier (`id`, `email`, …) to its pseudonym.
    `data` holds the plain fields of the catalogue; `sealed` (base64) what is personal and what the
    catalogue does not name, as JSON of the same shape, so that `whole` puts the two together again.
    `sealed_fields` names what is in there (`customer.email`, `text`; `*` for keys that the catalogue does not
    name, because such a name may be personal itself). `extensions` (base64, sealed likewise) are attributes of
    the CloudEvent beyond those of Regulars. `historical` marks imported history, about which nobody is
    written to; `unrewarded` what earns neither points nor offers.
    """

    id: str
    source: str
    type: str
    time: datetime
    received: datetime
    subject: str
    identifiers: dict[str, str]
    data: dict[str, Any]
    sealed: str | None = None
    sealed_fields: list[str] = []
    extensions: str | None = None
    historical: bool = False
    unrewarded: bool = False


def event_key(source: str, id: str) -> bytes:  # noqa: A002  # CloudEvents names it so
    """The identity of an event as 16 bytes: kept in the inbox for ever, and what sorts events of one instant."""
    # The length of the source stands in front so that ("a", "bc") and ("ab", "c") stay two events.
    head = f"{len(source)}:{source}"
    return blake2b(f"{head}{id}".encode(), digest_size=16, person=b"regulars.event").digest()


def whole(plain: dict[str, Any], sealed: dict[str, Any]) -> dict[str, Any]:
    """The data as it was accepted: what travelled in plain sight and what was sealed, in one object again.

    A key stands on both sides only where an object, or a list of objects, has parts of both kinds.
    """
    merged = dict(plain)
    for key, hidden in sealed.items():
        merged[key] = _joined(merged[key], hidden) if key in merged else hidden
    return merged


def _joined(plain: Any, hidden: Any) -> Any:
    if isinstance(plain, dict):
        return whole(plain, hidden)
    return [whole(one, other) for one, other in zip(plain, hidden, strict=True)]
