"""Value types with their limits, as they appear in events and on the streams.

Limits are those of the columns and messages behind them: a value that passes here can be stored.
"""

from typing import Annotated

from msgspec import Meta

PERSONAL = {"personal": True}
"""Marks a field that travels on the streams only encrypted (see `shared.vault`)."""

Identifier = Annotated[str, Meta(min_length=1, max_length=200)]
"""An id given by the sender: opaque, case-sensitive."""

Label = Annotated[str, Meta(min_length=1, max_length=200)]
"""A short name chosen by the shop: a channel, a category, a coupon code."""

Money = Annotated[str, Meta(pattern=r"^\d{1,12}(\.\d{1,4})?\Z")]
"""An amount in a currency named beside it: a decimal string, never negative, at most four decimals."""

Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
"""An ISO 4217 code."""

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
"""How many pieces: of a line item, of a batch."""

PersonalText = Annotated[str, Meta(max_length=20_000, extra=PERSONAL)]
"""What a person wrote, in full."""

PersonalLabel = Annotated[str, Meta(min_length=1, max_length=320, extra=PERSONAL)]
"""A name, an address line, a contact."""
