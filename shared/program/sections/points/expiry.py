"""When points expire, in the section `points`: after a while, at the end of a month or year, or by inactivity."""

from dataclasses import dataclass
from datetime import timedelta

from shared.program.document.fields import Fields
from shared.program.document.tree import Scalar
from shared.program.faults import suggestion
from shared.program.sections.triggers import check_event_type
from shared.program.values.calendar import ExpireAt
from shared.program.values.period import Period

KEYS = ("expire_after", "expire_at", "renewed_by", "notice_before")

ENDS: dict[str, ExpireAt] = {"end_of_day": "day", "end_of_month": "month", "end_of_year": "year"}
_LONGER: dict[ExpireAt, float] = {"day": 0, "month": 31, "year": 366}
"""By how many days points may live longer than `expire_after`."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """The four keys; `after` None: points never expire. `days` is how long they live at most, in about days."""

    after: Period | None
    at: ExpireAt
    renewed_by: frozenset[str]
    notice_before: Period | None
    days: float | None


def read_expiry(fields: Fields) -> Expiry:
    """What the section says of expiry. `expire_at` alone means the end of the month or year in which points can be
    spent first."""
    at = _end(fields)
    after = fields.period("expire_after", zero=at != "day")
    if after is None and "expire_after" not in fields and at != "day":
        after = Period()
    days = None if after is None else about_days(after) + _LONGER[at]
    return Expiry(after, at, _renewed_by(fields), _notice(fields, days), days)


def about_days(period: Period) -> float:
    """About how many days; exact enough to say which of two periods is the longer one."""
    return period.months * 30.4 + period.rest / timedelta(days=1)


def _end(fields: Fields) -> ExpireAt:
    text = fields.text("expire_at")
    if text is not None and text not in ENDS:
        fields.fault("expire_at", f"Points cannot expire at {text}.", suggestion(text, ENDS))
    return ENDS.get(text or "", "day")


def _renewed_by(fields: Fields) -> frozenset[str]:
    found: set[str] = set()
    for node, path in fields.nodes("renewed_by", least="Write such as renewed_by: [order.completed]."):
        if isinstance(node, Scalar) and not node.empty:
            check_event_type(fields.reading, node, path)
            found.add(node.text)
        else:
            fields.reading.faults.add(
                node.place, path, "An event type is needed here.", "Such as order.completed."
            )
    if "renewed_by" in fields and "expire_after" not in fields:
        message = "Nothing says how long points last without one of these events."
        fields.fault("renewed_by", message, "Add expire_after, such as expire_after: P12M.")
    return frozenset(found)


def _notice(fields: Fields, days: float | None) -> Period | None:
    notice = fields.period("notice_before")
    if notice is None:
        return None
    if days is None and "expire_after" not in fields:
        fields.fault(
            "notice_before", "Points never expire, so nobody can be told before.", "Add expire_after."
        )
    elif days is not None and about_days(notice) >= days:
        fields.fault("notice_before", "notice_before must be shorter than expire_after.")
    return notice
