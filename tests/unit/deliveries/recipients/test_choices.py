"""What a customer chooses, and which consents say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.recipients.choices import Cell, Consents, choosing, name_of, unsubscribing
from shared.program.model.program import ConsentRule

EMAIL, SMS = Channel.EMAIL, Channel.SMS
NEWS, SERVICE = Purpose.MARKETING, Purpose.SERVICE
CELLS: list[Cell] = [(channel, purpose) for channel in Channel for purpose in Purpose]
NAMES = st.sampled_from(
    ["email", "sms", "push", "marketing", "service", "news.email", "terms", *map(name_of, CELLS)]
)
RULES: list[ConsentRule] = ["required", "unless_withdrawn"]


class TestUnsubscribing:
    def test_withdraws_marketing_by_the_channel_under_all_its_names_and_nothing_that_speaks_of_more(
        self,
    ) -> None:
        consents = Consents(
            frozenset({"email", "news.marketing-email", "marketing", "sms_marketing", "terms"})
        )
        assert unsubscribing(consents, EMAIL) == {"email_marketing": False, "news.marketing-email": False}

    def test_twice_withdraws_nothing_more(self) -> None:
        consents = Consents(frozenset({"email"}))
        after = consents.changed(unsubscribing(consents, EMAIL))
        assert unsubscribing(after, EMAIL) == {}

    @given(st.frozensets(NAMES), st.sampled_from(list(Channel)), st.sampled_from(RULES))
    def test_ends_marketing_by_the_channel_and_nothing_else(
        self, names: frozenset[str], channel: Channel, rule: ConsentRule
    ) -> None:
        consents = Consents(names)
        after = consents.changed(unsubscribing(consents, channel))
        for cell in CELLS:
            assert after.allow(cell, rule) is (cell != (channel, NEWS) and consents.allow(cell, rule)), cell


class TestChoosing:
    @pytest.mark.parametrize(
        ("given_", "withdrawn", "wanted", "names"),
        [
            (set(), set(), {(EMAIL, NEWS): True}, {"email_marketing": True}),
            ({"marketing"}, set(), {(EMAIL, NEWS): True}, {}),
            ({"marketing"}, set(), {(EMAIL, NEWS): False}, {"email_marketing": False}),
            (
                set(),
                {"email"},
                {(EMAIL, SERVICE): True, (EMAIL, NEWS): False},
                {"email": True, "email_marketing": False},
            ),
            (set(), set(), {(EMAIL, SERVICE): False}, {"email_service": False}),
            # Marketing as a whole was withdrawn: to want it by e-mail brings none by SMS or push.
            (
                {"sms"},
                {"marketing"},
                {(EMAIL, NEWS): True},
                {"marketing": True, "push_marketing": False, "sms_marketing": False},
            ),
        ],
    )
    def test_changes_as_little_as_it_needs(
        self, given_: set[str], withdrawn: set[str], wanted: dict[Cell, bool], names: dict[str, bool]
    ) -> None:
        consents = Consents(frozenset(given_), frozenset(withdrawn))
        assert choosing(consents, wanted, "required") == names

    @given(
        st.frozensets(NAMES),
        st.frozensets(NAMES),
        st.dictionaries(st.sampled_from(CELLS), st.booleans()),
        st.sampled_from(RULES),
    )
    def test_brings_exactly_what_is_wanted(
        self, given_: frozenset[str], withdrawn: frozenset[str], wanted: dict[Cell, bool], rule: ConsentRule
    ) -> None:
        """Given any consents and any wishes; then the wishes hold afterwards, nothing else has changed, and the same
        wishes again change nothing."""
        consents = Consents(given_ - withdrawn, withdrawn)
        after = consents.changed(choosing(consents, wanted, rule))
        for cell in CELLS:
            assert after.allow(cell, rule) is wanted.get(cell, consents.allow(cell, rule)), cell
        assert choosing(after, wanted, rule) == {}

    @given(st.frozensets(NAMES), st.dictionaries(st.sampled_from(CELLS), st.booleans(), min_size=1))
    def test_a_no_outlives_a_change_of_the_rule(
        self, given_: frozenset[str], wanted: dict[Cell, bool]
    ) -> None:
        """Who says no under `required` is not written to when the shop goes over to `unless_withdrawn`."""
        consents = Consents(given_)
        after = consents.changed(choosing(consents, wanted, "required"))
        for cell, wish in wanted.items():
            assert wish or not after.allow(cell, "unless_withdrawn")
