"""What customers do beside buying: e-mails, visits, sign-ins, use of the product, social networks, referrals."""

from datetime import datetime

from msgspec import Struct

from services.scoring.domain.tally import NONE, Tally


class Emails(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shop's e-mails to the customer. `opened` and `clicked` count each message once.

    `unopened` is how many were sent since one was last opened. `seen` and `followed` are fingerprints of the newest
    messages opened and clicked, so that the second opening of a message is known as such.
    """

    sent: Tally = NONE
    opened: Tally = NONE
    clicked: Tally = NONE
    unopened: int = 0
    unsubscribed_at: datetime | None = None
    seen: tuple[int, ...] = ()
    followed: tuple[int, ...] = ()


class Engagement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything but e-mails. A visit is a run of page views without a pause of half an hour: `visits` counts them,
    `views` the pages. `used` counts uses of the product, `features` holds fingerprints of different features."""

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


NO_EMAILS = Emails()
NO_ENGAGEMENT = Engagement()
