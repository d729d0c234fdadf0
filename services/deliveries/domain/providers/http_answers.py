"""What the answers of HTTP providers mean: of those that speak our own interface, and of Twilio's.

Sources: RFC 9110, section 15 (status codes) and 10.2.3 (Retry-After); docs/providers.md; Twilio's REST API, "Error and
Warning Dictionary".
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent

CONFIGURATION: Final = frozenset({401, 403, 404, 405})
"""Our key, our address or our method is wrong: the next message would hear the same."""
LATER: Final = frozenset({408, 425, 429})
RETRY_AFTER_S_MAX: Final = 3600.0

_CODE = re.compile(r"\A[A-Za-z0-9_.-]{1,64}\Z")


def answer_of(status: int, body: dict[str, Any], after_s: float | None = None) -> Receipt:
    """What a provider that speaks our own interface said. `body` is its JSON object; empty if it was none."""
    if 200 <= status < 300:
        return Sent(_word(body.get("id")))
    if status == 409:
        return Sent(_word(body.get("id")))  # it had the key before
    if fault := _fault(status, after_s):
        return fault
    code = _word(body.get("code"))
    suppress = status == 410 or body.get("suppress") is True
    return Refused("no_such_address" if suppress else "refused", f"{status} {code}".strip(), suppress)


TWILIO_DEAD: Final = frozenset({21211, 21214, 21217, 21610, 21614})
"""Of the number: not valid, not reachable, not a mobile one; its owner answered STOP."""
TWILIO_OURS: Final = frozenset({20003, 20005, 21606, 21611, 21659, 21660, 21703, 63038})
"""Of our account: credentials, suspended, a sender number that is not ours, full queues, the daily limit."""


def answer_of_twilio(status: int, body: dict[str, Any], after_s: float | None = None) -> Receipt:
    """What Twilio said to a message that it was given."""
    if 200 <= status < 300:
        return Sent(_word(body.get("sid")))
    code = body.get("code")
    code = code if isinstance(code, int) else 0
    detail = f"{status} {code}" if code else str(status)
    if code in TWILIO_OURS:
        return Again("provider_refused", detail, after_s, down=True)
    if code in TWILIO_DEAD:
        return Refused("no_such_address", detail, suppress=True)
    if fault := _fault(status, after_s):
        return Again(fault.code, detail, after_s, down=fault.down)
    return Refused("refused", detail)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After asks for, at most `RETRY_AFTER_S_MAX`; None where it says nothing readable."""
    if value is None:
        return None
    try:
        if value.strip().isdigit():
            seconds = float(value)
        else:
            moment = parsedate_to_datetime(value)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_S_MAX)


def _fault(status: int, after_s: float | None) -> Again | None:
    """An answer that is the provider's trouble, or our settings', and not about the message."""
    if status in LATER:
        return Again("busy", str(status), after_s, down=True)
    if status in CONFIGURATION:
        return Again("provider_refused", str(status), after_s, down=True)
    if status >= 500:
        return Again("in_trouble", str(status), after_s, down=True)
    if not 400 <= status < 500:
        return Again("answered_wrongly", str(status), down=True)  # a redirect, for instance: none is followed
    return None


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _CODE.match(value) else ""
