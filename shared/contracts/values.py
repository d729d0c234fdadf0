"""Value types with their limits, as they appear in events and on the streams.

Limits are those of the columns and messages behind them: a value that passes here can be stored. The
`description` of each is what a sender reads when a value is refused, and what the API's documentation shows.
"""

from datetime import date
from typing import Annotated

from msgspec import Meta

PERSONAL = {"personal": True}
"""Marks a field that travels on the streams only encrypted (see `shared.vault`)."""

Identifier = Annotated[
    str, Meta(min_length=1, max_length=200, description="an id of 1 to 200 characters, as text")
]
"""An id given by the sender: opaque, case-sensitive."""

Label = Annotated[str, Meta(min_length=1, max_length=200, description="a name of 1 to 200 characters")]
"""A short name chosen by the shop: a channel, a category, a coupon code."""

TagName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}\Z",
        description="a tag of 1 to 64 letters, digits, _ . : -, such as winback",
    ),
]
"""A word kept with a customer, to find and address them by; nothing personal."""

Money = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?\Z",
        description='an amount as a decimal string such as "49.20", not negative, at most 4 decimals',
    ),
]
"""An amount in a currency named beside it: a decimal string, never negative, at most four decimals."""

Currency = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}\Z", description="a currency by its three letters in ISO 4217, such as USD")
]
"""An ISO 4217 code."""

Count = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number of pieces, 1 to 1,000,000")]
"""How many pieces: of a line item, of a batch."""

Day = Annotated[date, Meta(description='a calendar day such as "1990-05-17"')]
"""A calendar day without a time; a string `YYYY-MM-DD` on the streams."""

PersonalId = Annotated[
    str,
    Meta(min_length=1, max_length=200, extra=PERSONAL, description="an id of 1 to 200 characters, as text"),
]
"""An id that leads to a person."""

PersonalText = Annotated[
    str, Meta(max_length=20_000, extra=PERSONAL, description="text of up to 20,000 characters")
]
"""What a person wrote, in full."""

PersonalLabel = Annotated[
    str, Meta(min_length=1, max_length=320, extra=PERSONAL, description="text of 1 to 320 characters")
]
"""A name, an address line, a contact."""

PersonalUrl = Annotated[
    str, Meta(max_length=2000, extra=PERSONAL, description="an address of up to 2,000 characters")
]
"""A web address; what stands behind its question mark may tell who looked."""
