"""The section `messages`: what keeps them human."""

import re
from datetime import time
from typing import TypeVar, get_args

from shared.program.document.fields import Fields
from shared.program.document.tree import Scalar
from shared.program.faults import suggestion
from shared.program.model.program import AtNight, ConsentRule, MessageChannel, Messages
from shared.program.sections.triggers import read_limit

KEYS = (
    "quiet_hours",
    "at_most",
    "channels",
    "sms_after_unopened",
    "consent",
    "hold_for_angry_tickets",
    "service_at_night",
    "imprint",
)
CHANNELS: tuple[MessageChannel, ...] = get_args(MessageChannel)
CONSENT: tuple[ConsentRule, ...] = get_args(ConsentRule)
AT_NIGHT: tuple[AtNight, ...] = get_args(AtNight)
IMPRINT_MAX = 1_000
Word = TypeVar("Word", bound=str)

_HOURS = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9]) ?[-\u2013] ?([01][0-9]|2[0-3]):([0-5][0-9])\Z", re.ASCII
)


def read_messages(root: Fields) -> Messages:
    """The limits; a program without them sends by e-mail, at any hour."""
    fields = root.fields("messages", KEYS)
    if fields is None:
        return Messages()
    quiet_from, quiet_until = _quiet_hours(fields)
    channels = _channels(fields)
    unopened = fields.whole("sms_after_unopened", high=1000)
    if unopened is not None and not {"email", "sms"} <= set(channels):
        message = "sms_after_unopened switches from e-mail to SMS, and channels does not name both."
        fields.fault("sms_after_unopened", message, "Write channels: [email, sms].")
    at_most = read_limit(fields, "at_most", None, by_field=False)
    hold = fields.flag("hold_for_angry_tickets")
    return Messages(
        quiet_from=quiet_from,
        quiet_until=quiet_until,
        at_most=at_most,
        channels=channels,
        sms_after_unopened=unopened,
        consent=_one_of(fields, "consent", CONSENT),
        hold_for_angry_tickets=True if hold is None else hold,
        service_at_night=_one_of(fields, "service_at_night", AT_NIGHT),
        imprint=_imprint(fields),
    )


def _imprint(fields: Fields) -> str:
    node = fields.scalar("imprint")
    text = "" if node is None else node.text.strip()
    if node is not None and not (text and len(text) <= IMPRINT_MAX and text.replace("\n", "").isprintable()):
        hint = "Write who you are and where, such as imprint: Mugs & more Ltd, 1 High Street, Springfield."
        fields.fault("imprint", f"imprint needs a text of 1 to {IMPRINT_MAX} characters.", hint)
        return ""
    return text


def _one_of(fields: Fields, key: str, words: tuple[Word, ...]) -> Word:
    """One of these words; the first where the key is left out."""
    text = fields.text(key)
    for word in words:
        if text == word:
            return word
    if text is not None:
        fields.fault(key, f"{key} cannot be {text}.", suggestion(text, words))
    return words[0]


def _quiet_hours(fields: Fields) -> tuple[time | None, time | None]:
    text = fields.text("quiet_hours")
    if text is None:
        return None, None
    match = _HOURS.match(text)
    if match is None:
        hint = 'Write such as "21:00-08:00", in the customer\'s own time.'
        fields.fault("quiet_hours", f"quiet_hours needs two times of day, not {text!r}.", hint)
        return None, None
    hours = [int(part) for part in match.groups()]
    begin, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    if begin == end:
        fields.fault(
            "quiet_hours", "quiet_hours begins and ends at the same time.", "Remove it, or let it end later."
        )
    return begin, end


def _channels(fields: Fields) -> tuple[MessageChannel, ...]:
    found: list[MessageChannel] = []
    nodes = fields.nodes("channels", least="Write such as channels: [email, sms].")
    for node, path in nodes:
        text = node.text if isinstance(node, Scalar) else "that"
        if text not in CHANNELS:
            fields.reading.faults.add(
                node.place, path, f"There is no channel {text}.", suggestion(text, CHANNELS)
            )
        elif text in found:
            fields.reading.faults.add(
                node.place, path, f"The channel {text} stands here twice.", "Remove one."
            )
        else:
            found.append(text)
    return tuple(found) or ("email",)
