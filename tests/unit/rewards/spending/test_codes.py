"""Codes at the checkout: who may try one, until when and how often it is good, and what it gives."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.changes import Changes, IssuedOffer
from services.rewards.domain.issuing import issue_offer, offer_code
from services.rewards.domain.spending.carts import EMPTY, Cart
from services.rewards.domain.spending.offers import (
    DETAILS,
    Code,
    Offer,
    normal_code,
    shared_codes,
)
from services.rewards.domain.spending.terms import Claimant, Reason
from services.rewards.domain.state.member import Member
from shared.contracts.outcomes import Outcome
from shared.program.model.offers import OfferTemplate
from tests.unit.program.texts import load
from tests.unit.rewards.building import CUSTOMER, NOW, rulebook
from tests.unit.rewards.building import PROGRAM as PLAIN

PROGRAM = load("""
offers:
  own: {discount: {amount: 5}, valid_for: P14D, uses: 2}
  twice: {gift: pen, valid_for: P14D, limit: {times: 2}}
  monthly: {gift: pen, valid_for: P14D, limit: {times: 2, per: P1M}}
  free: {gift: pen, valid_for: P14D}
  summer: {code: SUMMER-26, discount: {percent: 10}, minimum_order: 20}
  july: {code: JULY, gift: pen, from: 2026-07-01}
  ship: {code: SHIPFREE, free_shipping: true, combinable: true}
""")
ISSUED = Offer(
    code="K7QD-2M4X-WP3A",
    customer_id=CUSTOMER,
    offer="own",
    rule="fifth",
    cause="c",
    program_version=1,
    issued_at=NOW,
    valid_until=NOW + timedelta(days=14),
    uses=2,
    used=0,
    revoked_at=None,
    percent=None,
    amount=Decimal(5),
    free_shipping=False,
    gift=None,
    currency="USD",
)


def code(offer: str, issued: Offer | None = None) -> Code:
    """A code of an offer of the program."""
    return Code(code="X", offer=PROGRAM.offers[offer], issued=issued)


def refusal(
    of: Code, cart: Cart = EMPTY, beside: tuple[bool, ...] = (), now: datetime = NOW
) -> Reason | None:
    """Why the code cannot be used."""
    found = of.refusal(cart, Claimant(), beside, PROGRAM, now)
    return found.reason if found is not None else None


@pytest.mark.parametrize(
    ("issued", "now", "reason"),
    [
        (ISSUED, NOW, None),
        (replace(ISSUED, used=1), ISSUED.valid_until - timedelta(microseconds=1), None),
        (ISSUED, ISSUED.valid_until, Reason.EXPIRED),
        (replace(ISSUED, used=2), NOW, Reason.USED),
        (replace(ISSUED, used=3), ISSUED.valid_until, Reason.USED),
        (replace(ISSUED, revoked_at=NOW, used=2), NOW, Reason.REVOKED),
    ],
)
def test_a_customers_code_ends_when_it_is_used_up_or_over_or_revoked(
    issued: Offer, now: datetime, reason: Reason | None
) -> None:
    found = code("own", issued).refusal(EMPTY, Claimant(), (), PROGRAM, now)

    assert issued.ended(now) is reason
    assert (found.reason, found.detail) == (reason, DETAILS[reason]) if reason else found is None


def test_a_code_for_everybody_is_good_in_its_time() -> None:
    july = datetime(2026, 7, 1, tzinfo=UTC)

    assert refusal(code("july"), now=july - timedelta(microseconds=1)) is Reason.NOT_YET_VALID
    assert refusal(code("july"), now=july) is None


def test_whose_code_it_is_may_try_it_and_everybody_that_of_everybody() -> None:
    own, shared = code("own", ISSUED), code("ship")

    assert [own.may_be_tried_by(who) for who in (CUSTOMER, "cus_other", None)] == [True, False, False]
    assert [shared.may_be_tried_by(who) for who in (CUSTOMER, "cus_other", None)] == [True, True, True]


@pytest.mark.parametrize(
    ("offer", "total", "beside", "reason"),
    [
        ("summer", "20", (), None),
        ("summer", "19.99", (), Reason.BELOW_MINIMUM_ORDER),
        ("summer", "20", (True,), Reason.NOT_COMBINABLE),
        ("summer", "19.99", (True,), Reason.BELOW_MINIMUM_ORDER),
        ("ship", "20", (), None),
        ("ship", "20", (True, True), None),
        ("ship", "20", (True, False), Reason.NOT_COMBINABLE),
    ],
)
def test_codes_go_together_only_where_each_of_them_may(
    offer: str, total: str, beside: tuple[bool, ...], reason: Reason | None
) -> None:
    """Given a code and which others are on the order; then it is refused unless all of them are combinable, itself too;
    and a term of its own that is not met is said first."""
    found = code(offer).refusal(Cart(total=Decimal(total)), Claimant(), beside, PROGRAM, NOW)

    assert (found.reason if found is not None else None) is reason
    assert found is None or found.detail


@pytest.mark.parametrize(
    ("of", "uses", "now", "left"),
    [
        (code("own", ISSUED), 0, 0, 2),
        (code("own", ISSUED), 0, 1, 1),
        (code("own", replace(ISSUED, used=1)), 9, 0, 1),
        (code("own", replace(ISSUED, used=2)), 0, 1, 0),
        (code("twice"), 0, 0, 2),
        (code("twice"), 1, 1, 0),
        (code("twice", replace(ISSUED, uses=5)), 1, 0, 1),
        (code("twice", replace(ISSUED, uses=1)), 0, 0, 1),
        (code("monthly"), 2, 0, None),
        (code("free"), 9, 9, None),
    ],
)
def test_how_often_it_is_good_still(of: Code, uses: int, now: int, left: int | None) -> None:
    """Given earlier uses, and uses that are made now; then so many are left: of the code, or of the offer, whichever
    ends first; no number where nothing ends it."""
    assert of.uses_left(uses, now) == left


def test_an_issued_code_gives_what_the_program_says_or_what_it_said_when_that_is_gone() -> None:
    """Given a code; then its terms are those of the offer; if the program knows it no more, what the code itself says,
    for as often as it says."""
    gone = replace(ISSUED, offer="gone", percent=Decimal(3), free_shipping=True, gift="pen")

    assert ISSUED.template(PROGRAM) is PROGRAM.offers["own"]
    assert gone.template(PROGRAM) == OfferTemplate(
        id="gone",
        valid_for=None,
        uses=2,
        percent=Decimal(3),
        amount=Decimal(5),
        free_shipping=True,
        gift="pen",
    )


def test_codes_for_everybody_are_found_by_what_tells_them_apart() -> None:
    assert shared_codes(PROGRAM) == {
        "SUMMER26": PROGRAM.offers["summer"],
        "JULY": PROGRAM.offers["july"],
        "SHIPFREE": PROGRAM.offers["ship"],
    }
    assert normal_code("k7qd 2m4x wp3a") == normal_code("K7QD-2M4XWP3A") == "K7QD-2M4X-WP3A"
    assert normal_code("10-o") == "IOO"


def test_codes_are_told_apart_by_all_they_are_made_of() -> None:
    """Given a key, a customer, an offer and a cause; when any of them is another; then so is the code, which has 60
    bits; made again it is the same."""
    made = offer_code(b"k", "cus_1", "five", "c")

    assert made == offer_code(b"k", "cus_1", "five", "c") == normal_code(made)
    assert len(made.replace("-", "")) == 12
    others = {
        offer_code(b"l", "cus_1", "five", "c"),
        offer_code(b"k", "cus_2", "five", "c"),
        offer_code(b"k", "cus_1", "six", "c"),
        offer_code(b"k", "cus_1", "five", "d"),
        offer_code(b"k", "cus_1f", "ive", "c"),
        offer_code(b"k", "cus_1", "fivec", ""),
    }
    assert len(others - {made}) == 6


def test_an_issued_code_is_written_to_the_last_field() -> None:
    """Given an offer of the program; when a customer is given a code for it; then row and outcome say all of it."""
    rules = rulebook()
    member, changes = Member(CUSTOMER, part="cus_part"), Changes(NOW, 3)

    issue_offer(
        member, rules, changes, offer="five-off", rule="r", cause="c", historical=True, occasion="/2026"
    )

    made = offer_code(rules.code_key, CUSTOMER, "five-off", "r/c/2026")
    until = datetime.fromisoformat("2026-06-16T04:00:00+00:00")
    assert changes.offers == [
        IssuedOffer(
            code=made,
            customer_id=CUSTOMER,
            offer="five-off",
            rule="r",
            cause="c",
            program_version=1,
            issued_at=NOW,
            valid_until=until,
            uses=2,
            percent=None,
            amount=Decimal(5),
            free_shipping=False,
            gift=None,
            currency="USD",
            part="cus_part",
        )
    ]
    assert changes.outcomes == [
        Outcome(
            id=f"{CUSTOMER}/c/offer/r/2026",
            customer_id=CUSTOMER,
            type="offer.issued",
            time=NOW,
            cause="c",
            program_version=3,
            data={"offer": "five-off", "code": made, "rule": "r", "valid_until": until},
            historical=True,
        )
    ]
    assert changes.members == {CUSTOMER: member}


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ("discount: {percent: 5}", (Decimal(5), None, False, None)),
        ("free_shipping: true", (None, None, True, None)),
        ("gift: pen", (None, None, False, "pen")),
    ],
)
def test_an_issued_code_keeps_what_it_gives(
    given: str, row: tuple[Decimal | None, Decimal | None, bool, str | None]
) -> None:
    """Given an offer; when a code for it is issued; then its row says what it gives, whatever is said later."""
    rules = rulebook(PLAIN.replace("discount: {amount: 5}", given))
    changes = Changes(NOW, 1)

    issue_offer(Member(CUSTOMER), rules, changes, offer="five-off", rule="r", cause="c", historical=False)

    (issued,) = changes.offers
    assert (issued.percent, issued.amount, issued.free_shipping, issued.gift) == row
