"""Templates of messages as frozen types: what is written to the customer, on each channel."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Purpose = Literal["marketing", "service"]
"""`service` is about what the customer has with the shop already (an order, a renewal); all else is `marketing`."""

PURPOSES: tuple[Purpose, ...] = ("marketing", "service")


class Markup(StrEnum):
    """What a piece is written in: in HTML, what a template prints is escaped."""

    TEXT = "text"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of a template, as its author wrote it."""

    source: str
    markup: Markup = Markup.TEXT


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """What is written: by e-mail `subject` with `text` and `html` (None: a plain layout is made of the text), by `sms`
    and by `push` one text each. A channel for which nothing is written is not used."""

    id: str
    purpose: Purpose = "marketing"
    subject: Piece | None = None
    text: Piece | None = None
    html: Piece | None = None
    sms: Piece | None = None
    push: Piece | None = None

    @property
    def channels(self) -> frozenset[str]:
        """The channels that it can go by."""
        email = self.text is not None or self.html is not None
        there = {"email": email, "sms": self.sms is not None, "push": self.push is not None}
        return frozenset(channel for channel, written in there.items() if written)
