"""An alert as it is raised: what somebody should look at, and why."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import json


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """A reason to look at something.

    `kind` names what it is (`loyal-at-risk`). `customer_id` is empty where it is about the shop; `subject` says what of
    it, such as `offer:summer`. `part` is the part of the customer (see `Activity.part`) whose doing it is, None for the
    one that gave the id. `rule` is the campaign that raises it, None the system itself. `cause` is what brought it
    about: the same cause raises it once. `details` are figures and ids, nothing personal.
    """

    kind: str
    cause: str
    at: datetime
    customer_id: str = ""
    part: str | None = None
    subject: str = ""
    rule: str | None = None
    program_version: int | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id that the alert has if this is what raises it: the same for the same cause."""
        told = json.encode([self.kind, self.customer_id, self.subject, self.cause])
        return "alr_" + blake2b(told, digest_size=16, person=b"regulars.alert").hexdigest()
