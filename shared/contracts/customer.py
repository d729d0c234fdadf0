"""Who did it: the `customer` of every event."""

import re
from base64 import b32encode
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.contracts.values import PERSONAL, PersonalId, PersonalLabel

ShopId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^(?!cus_[a-z2-7]{24}\Z)",
        extra=PERSONAL,
        description="the shop's own id of 1 to 200 characters, as text, and none that looks like one of ours"
        " (cus_ and 24 letters and digits)",
    ),
]
"""An id of the shop's own. Wherever a customer is named either kind may stand, so no id may be both: whoever could
choose a name like one of our ids would spend another customer's points."""

EmailAddress = Annotated[
    str,
    Meta(
        pattern=r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]+\Z",
        max_length=320,
        extra=PERSONAL,
        description="an e-mail address such as ana@example.com",
    ),
]
PhoneNumber = Annotated[
    str,
    Meta(
        pattern=r"^\+?(?:[ ().\-/]*[0-9]){5,20}[ ().\-/]*\Z",
        max_length=40,
        extra=PERSONAL,
        description="a telephone number of 5 to 20 digits such as +1 212 555 0100",
    ),
]
CardToken = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        extra=PERSONAL,
        description="a token or fingerprint of a payment card of 1 to 200 characters, never its number",
    ),
]
Birthday = Annotated[date, Meta(extra=PERSONAL, description='a calendar day such as "1990-05-17"')]
PersonalMap = Annotated[
    dict[str, Any], Meta(extra=PERSONAL, description="an object with keys of your choice")
]
Purpose = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.:\-]{1,64}\Z",
        description="what consent is given for: 1 to 64 letters, digits, _ . : -",
    ),
]

AttributeName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}\Z",
        description="a name of 1 to 64 letters, digits and _, that starts with a letter",
    ),
]
_NUMBER_MAX = 10**15
AttributeText = Annotated[str, Meta(max_length=200)]
AttributeWhole = Annotated[int, Meta(ge=-_NUMBER_MAX, le=_NUMBER_MAX)]
AttributeNumber = Annotated[float, Meta(ge=-_NUMBER_MAX, le=_NUMBER_MAX)]
AttributeValue = Annotated[
    AttributeText | AttributeWhole | AttributeNumber | bool | None,
    Meta(
        description="a text of up to 200 characters, a number between -10^15 and 10^15, true, false, or null to"
        " withdraw it"
    ),
]
Attributes = Annotated[
    dict[AttributeName, AttributeValue],
    Meta(
        max_length=50,
        description="up to 50 attributes of your own, none of them personal: texts of up to 200 characters, numbers,"
        " true or false; null withdraws one",
    ),
]
"""What the shop wants to know of its customers beyond the catalogue. It travels in plain sight, for rules to ask."""


class Customer(Struct, frozen=True, kw_only=True):
    """Who did it: one identifier or more, and what registration and updates tell about the person."""

    id: ShopId | UnsetType | None = UNSET
    email: EmailAddress | UnsetType | None = UNSET
    phone: PhoneNumber | UnsetType | None = UNSET
    card: CardToken | UnsetType | None = UNSET
    anonymous_id: PersonalId | UnsetType | None = UNSET
    first_name: PersonalLabel | UnsetType | None = UNSET
    last_name: PersonalLabel | UnsetType | None = UNSET
    name: PersonalLabel | UnsetType | None = UNSET
    birthday: Birthday | UnsetType | None = UNSET
    address: PersonalMap | UnsetType | None = UNSET
    locale: Annotated[str, Meta(max_length=35)] | UnsetType | None = UNSET
    time_zone: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    preferences: PersonalMap | UnsetType | None = UNSET
    consent: dict[Purpose, bool] | UnsetType | None = UNSET
    attributes: Attributes | UnsetType | None = UNSET


IDENTIFIERS = ("id", "email", "phone", "card", "anonymous_id")
"""The identifier fields of `Customer`, strongest first: the strongest one present keys the event's stream."""

CUSTOMER_ID_BYTES = 15
_OURS = re.compile(r"cus_[a-z2-7]{24}\Z", re.ASCII)


def is_own_id(name: str) -> bool:
    """Whether a customer's name is one that only we give, as no `ShopId` is."""
    return _OURS.match(name) is not None


@lru_cache(maxsize=65_536)
def own_id(pseudonym: str) -> str:
    """The id of the customer that an identifier is by itself: the same for ever, and no personal data. Also the name
    of the part that the identifier is of whichever customer it belongs to."""
    digest = blake2b(pseudonym.encode(), digest_size=CUSTOMER_ID_BYTES, person=b"regulars.cust").digest()
    return "cus_" + b32encode(digest).decode().lower()
