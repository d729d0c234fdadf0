"""What was read in the texts of one event: how they sound, and where they say something that is worth a tag."""

from typing import Final

import msgspec
from msgspec import Struct

LOYALTY: Final = "loyalty-indicator"
TRUST: Final = "trust-signal"
DELIVERY: Final = "friction-delivery"
PRICE: Final = "friction-price"
QUALITY: Final = "friction-quality"
SERVICE: Final = "friction-service"
FRUSTRATED: Final = "frustrated"

FRICTIONS = frozenset({DELIVERY, PRICE, QUALITY, SERVICE})
FRICTION: Final = "friction"
"""The tag that stands beside each of these, for rules that ask for any of them."""

TAGS = (LOYALTY, TRUST, DELIVERY, PRICE, QUALITY, SERVICE, FRUSTRATED)
"""All tags that a text can give."""

SENTIMENT_MIN, SENTIMENT_MAX = -100, 100

EDITION: Final = 1
"""Of our own rules, which give the tags. Raise it with every change by which a text may be read otherwise: a rebuild
reads again what an earlier edition has read."""


class Mention(Struct, frozen=True, array_like=True):
    """Where a tag comes from: characters `start` to `end` (exclusive) of the field `field` of the event's data.

    A place, never the words themselves: these stay sealed, and are gone once the subject is erased.
    """

    tag: str
    field: str
    start: int
    end: int


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The reading of one event, made when the event is taken in, and kept beside it until a rebuild makes another.

    `sentiment` runs from -100 (as bad as can be) to 100; None where the engine could not tell, such as in a language
    that it does not know. `engine` names who read the sentiment, with its version; `edition` is that of our rules.
    """

    engine: str
    sentiment: int | None = None
    mentions: tuple[Mention, ...] = ()
    edition: int = 1


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Reading)


def encode_reading(reading: Reading) -> str:
    """The text of a reading, as it is kept."""
    return _encoder.encode(reading).decode()


def decode_reading(text: str) -> Reading:
    """The reading in a text that `encode_reading` made."""
    return _decoder.decode(text)
