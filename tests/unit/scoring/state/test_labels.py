"""Tags that are given to a customer, and messages beside e-mails, as facts."""

from typing import Any

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.state.labels import LABELS_MAX
from shared.contracts.facts import Facts
from tests.support.life import SETTINGS, event, moment


def facts_after(*happened: tuple[str, dict[str, Any]]) -> Facts:
    """The facts of a customer to whom this happened, a day after the other."""
    events = [event(type_, moment(day), data) for day, (type_, data) in enumerate(happened, 1)]
    return assess(fold(events, SETTINGS).state, moment(len(happened) + 1), SETTINGS).facts


def test_a_tag_stands_until_it_is_taken_away() -> None:
    """Given tags of which one is given twice; when one is taken away; then the other stands, once."""
    given = [("customer.tagged", {"tag": tag}) for tag in ("winback", "vip-by-hand", "winback")]

    assert facts_after(*given).tags == ["vip-by-hand", "winback"]
    assert facts_after(*given, ("customer.untagged", {"tag": "winback"})).tags == ["vip-by-hand"]
    assert facts_after(*given, ("customer.untagged", {"tag": "unknown"})).tags == ["vip-by-hand", "winback"]


def test_of_very_many_tags_the_newest_are_kept() -> None:
    """Given one tag more than are kept; when all are given; then the first has made room."""
    names = [f"t{number:03}" for number in range(LABELS_MAX + 1)]

    assert facts_after(*(("customer.tagged", {"tag": name}) for name in names)).tags == names[1:]


def test_messages_by_sms_and_push_are_counted() -> None:
    """Given messages by SMS and push; when one is opened; then each is counted by itself, and no e-mail is."""
    facts = facts_after(
        ("sms.sent", {}), ("push.sent", {}), ("push.sent", {}), ("push.opened", {"message_id": "m"})
    )

    assert (facts.sms_sent, facts.sms_sent_30d) == (1, 1)
    assert (facts.pushes_sent, facts.pushes_sent_30d, facts.pushes_opened) == (2, 2, 1)
    assert facts.emails_sent == 0
