"""By which ways a customer can be written to, and what for."""

from enum import StrEnum


class Channel(StrEnum):
    """A way to a person."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class Purpose(StrEnum):
    """What a message is for. Marketing asks for consent and keeps to how often; service answers to something that the
    customer did, and is only kept from those who want nothing by that channel."""

    MARKETING = "marketing"
    SERVICE = "service"
