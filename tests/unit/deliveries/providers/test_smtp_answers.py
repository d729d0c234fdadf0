"""What a mail server's answers mean for a message."""

import pytest

from services.deliveries.domain.providers.answers import Again, Receipt, Refused
from services.deliveries.domain.providers.smtp_answers import Step, answer_to, enhanced

DEAD = Refused("no_such_address", suppress=True)
TABLE: list[tuple[Step, int, str, Receipt]] = [
    # The address is dead: nothing more is sent to it.
    (Step.RECIPIENT, 550, "5.1.1 No such user here", DEAD),
    (Step.RECIPIENT, 550, "No such user", DEAD),
    (Step.RECIPIENT, 556, "5.1.10 null MX", DEAD),
    (Step.RECIPIENT, 550, "5.2.1 disabled", DEAD),
    (Step.RECIPIENT, 553, "mailbox name not allowed", DEAD),
    # The address may be good: this message is refused, the next one may pass.
    (Step.RECIPIENT, 550, "5.7.1 blocked by policy", Refused("recipient_refused")),
    (Step.RECIPIENT, 552, "5.2.2 over quota", Refused("mailbox_full")),
    (Step.RECIPIENT, 554, "no thanks", Refused("recipient_refused")),
    (Step.CONTENT, 554, "5.7.1 looks like spam", Refused("content_refused")),
    (Step.CONTENT, 550, "5.1.1 said too late", Refused("content_refused")),
    # This message, later; the others go on.
    (Step.RECIPIENT, 450, "4.2.0 greylisted", Again("put_off")),
    (Step.RECIPIENT, 452, "4.5.3 too many", Again("put_off")),
    (Step.CONTENT, 451, "4.7.1 try later", Again("put_off")),
    # All messages, later: the server, or our settings.
    (Step.RECIPIENT, 421, "4.3.2 shutting down", Again("closing", down=True)),
    (Step.GREETING, 554, "5.7.1 you are blocked", Again("refused_greeting", down=True)),
    (Step.GREETING, 535, "5.7.8 wrong password", Again("refused_greeting", down=True)),
    (Step.SENDER, 550, "5.7.1 sender not owned", Again("refused_sender", down=True)),
    (Step.SENDER, 530, "5.7.0 authentication required", Again("refused_sender", down=True)),
    (Step.RECIPIENT, -1, "garbage", Again("answered_wrongly", down=True)),
    (Step.CONTENT, 999, "", Again("answered_wrongly", down=True)),
    (Step.RECIPIENT, 354, "go on", Again("answered_wrongly", down=True)),
]


@pytest.mark.parametrize(("step", "code", "text", "expected"), TABLE)
def test_the_answer_decides(step: Step, code: int, text: str, expected: Receipt) -> None:
    answer = answer_to(step, code, text)

    match answer, expected:
        case Refused(), Refused():
            assert (answer.code, answer.suppress) == (expected.code, expected.suppress)
        case Again(), Again():
            assert (answer.code, answer.down) == (expected.code, expected.down)
        case _:
            raise AssertionError(answer)


def test_only_codes_are_kept_of_what_the_server_said() -> None:
    answer = answer_to(Step.RECIPIENT, 550, "5.1.1 <ana@example.com>: unknown")

    assert isinstance(answer, Refused)
    assert answer.detail == "550 5.1.1"
    assert enhanced("ana 5.1.1") is None
