"""What the data of every event has."""

from msgspec import Struct

from shared.contracts.customer import Customer


class Data(Struct, frozen=True, kw_only=True):
    """What every event tells: who did it. The data of each type adds to this."""

    customer: Customer
