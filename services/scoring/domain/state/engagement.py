"""What customers do beside buying: e-mails and other messages, visits, sign-ins, use of the product, social networks,
referrals."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.scoring.domain.state.distinct import fingerprint, with_names
from services.scoring.domain.state.tally import NONE, Tally

VISIT_PAUSE = timedelta(minutes=30)
"""A page view after a longer pause begins another visit: the convention of web analytics."""

MESSAGES_MAX = 100
"""So many of the newest opened, and clicked, messages are remembered, to know a second opening."""

_MARK = 4


class Emails(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shop's e-mails to the customer. `opened` and `clicked` count each message once; a click is an opening too,
    as programs that show no pictures do not tell the opening.

    `unopened` is how many were sent since one was last opened. `seen` and `followed` are fingerprints of the newest
    messages opened and clicked, newest last.
    """

    sent: Tally = NONE
    opened: Tally = NONE
    clicked: Tally = NONE
    unopened: int = 0
    unsubscribed_at: datetime | None = None
    seen: bytes = b""
    followed: bytes = b""


class Engagement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything but e-mails. A visit is a run of page views without a pause of half an hour: `visits` counts them,
    `views` the pages. `used` counts uses of the product, `features` is a sketch of different features."""

    visits: Tally = NONE
    views: Tally = NONE
    logins: Tally = NONE
    used: Tally = NONE
    features: bytes = b""
    follows: Tally = NONE
    likes: Tally = NONE
    mentions: Tally = NONE
    referrals: Tally = NONE
    referrals_converted: Tally = NONE
    texts: Tally = NONE
    pushes: Tally = NONE
    pushes_opened: Tally = NONE


NO_EMAILS = Emails()
NO_ENGAGEMENT = Engagement()


def sent(emails: Emails, at: datetime, day: int) -> Emails:
    """One more was sent."""
    return replace(emails, sent=emails.sent.plus(at, day), unopened=emails.unopened + 1)


def opened(emails: Emails, message: str | None, at: datetime, day: int) -> Emails:
    """A message was opened; without an id it counts as one of its own."""
    if message is None:
        return replace(emails, opened=emails.opened.plus(at, day), unopened=0)
    seen = _remember(emails.seen, message)
    if seen is None:
        return emails if not emails.unopened else replace(emails, unopened=0)
    return replace(emails, opened=emails.opened.plus(at, day), unopened=0, seen=seen)


def clicked(emails: Emails, message: str | None, at: datetime, day: int) -> Emails:
    """A link in a message was followed; without an id it counts as a message of its own, whose opening was told."""
    if message is None:
        return replace(emails, clicked=emails.clicked.plus(at, day), unopened=0)
    emails = opened(emails, message, at, day)
    followed = _remember(emails.followed, message)
    if followed is None:
        return emails
    return replace(emails, clicked=emails.clicked.plus(at, day), followed=followed)


def _remember(marks: bytes, message: str) -> bytes | None:
    """The marks with one more; None when it was there."""
    mark = fingerprint(message)
    if any(marks[at : at + _MARK] == mark for at in range(0, len(marks), _MARK)):
        return None
    return (marks + mark)[-MESSAGES_MAX * _MARK :]


def unsubscribed(emails: Emails, at: datetime) -> Emails:
    """The customer wants no more of them."""
    return replace(emails, unsubscribed_at=at)


def tallied(engagement: Engagement, name: str, at: datetime, day: int) -> Engagement:
    """The tally of that name counts one more."""
    tally: Tally = getattr(engagement, name)
    return replace(engagement, **{name: tally.plus(at, day)})


def viewed(engagement: Engagement, at: datetime, day: int) -> Engagement:
    """A page was seen; perhaps a visit begins with it."""
    views, visits = engagement.views, engagement.visits
    if views.last_at is None or at - views.last_at > VISIT_PAUSE:
        visits = visits.plus(at, day)
    return replace(engagement, views=views.plus(at, day), visits=visits)


def used(engagement: Engagement, what: str | None, at: datetime, day: int) -> Engagement:
    """The product was used; `what` names the feature, or the product."""
    features = engagement.features if what is None else with_names(engagement.features, (what,))
    return replace(engagement, used=engagement.used.plus(at, day), features=features)
