"""The table at the end of the demo: what campaigns did, in two lines."""

from typing import Any

from deploy.demo.summary import campaign_rows


def counted(runs: int, messages: int) -> dict[str, Any]:
    """As `GET /v1/summary` tells of a campaign."""
    return {"runs": runs, "messages": messages}


def test_what_began_and_that_nothing_is_sent_without_a_mail_server() -> None:
    found = {"thanks": counted(1_200, 1_000), "back": counted(30, 0)}
    assert campaign_rows(found, mail=False) == [
        ("Campaigns begun", "1,230 (thanks 1,200, back 30)"),
        ("Messages asked for", "1,000 (thanks 1,000)"),
        ("E-mails sent", "none: there is no REGULARS_SMTP_URL"),
    ]
    assert campaign_rows(found, mail=True)[2] == ("E-mails sent", "GET /v1/deliveries says which")


def test_many_campaigns_are_cut_short_and_none_is_said() -> None:
    many = {f"c{number}": counted(10 - number, 0) for number in range(7)}
    assert campaign_rows(many, mail=False) == [
        ("Campaigns begun", "49 (c0 10, c1 9, c2 8, c3 7, c4 6, …)"),
    ]
    assert campaign_rows({}, mail=False) == [("Campaigns begun", "0")]
