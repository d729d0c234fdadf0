"""SMS and push handed to providers over HTTP, on real sockets: our own interface, and Twilio's."""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from standardwebhooks import Webhook

from services.deliveries.adapters.providers.http import HttpSender, check_address, parse_secret
from services.deliveries.adapters.providers.twilio import TwilioAccount, TwilioSender, parse_twilio
from services.deliveries.application.ports import Rendered
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent
from services.deliveries.domain.recipients.recipient import Contact
from shared.clock import system_clock
from tests.support.clock import ManualClock
from tests.support.receiver import Act, Receiver, answers, hangs, receiving, writes

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
PHONE = Contact(Channel.SMS, "+15005550001", "part", "subject", {})
WORDS = Rendered("Hallo Zoë")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A provider that takes all."""
    async with receiving(answers(202, b'{"id": "p-7"}')) as server:
        yield server


async def send(url: str, *, within_s: float = 5.0, rendered: Rendered = WORDS) -> Receipt:
    sender = HttpSender(url, parse_secret(SECRET), system_clock, within_s=within_s)
    try:
        return await sender.send(Channel.SMS, rendered, PHONE, "msg_1")
    finally:
        await sender.close()


class TestOurOwnInterface:
    async def test_what_a_provider_gets(self, receiver: Receiver) -> None:
        assert await send(receiver.url, rendered=Rendered("Hallo Zoë", subject="Hi")) == Sent("p-7")

        (request,) = receiver.requests
        assert request.json == {
            "id": "msg_1",
            "channel": "sms",
            "to": "+15005550001",
            "text": "Hallo Zoë",
            "title": "Hi",
        }
        assert request.headers["idempotency-key"] == request.headers["webhook-id"] == "msg_1"
        Webhook(SECRET).verify(request.body, request.headers)

    async def test_the_same_message_again_has_the_same_key(self, receiver: Receiver) -> None:
        await send(receiver.url)
        receiver.act = answers(409, b'{"id": "p-7"}')

        assert await send(receiver.url) == Sent("p-7"), "it has it already"

        assert [request.headers["idempotency-key"] for request in receiver.requests] == ["msg_1", "msg_1"]

    @pytest.mark.parametrize(
        ("act", "expected"),
        [
            (answers(422, b'{"code": "too_long"}'), Refused("refused", "422 too_long")),
            (answers(410), Refused("no_such_address", "410", suppress=True)),
            (answers(429, Retry_After="20"), Again("busy", "429", 20.0, down=True)),
            (answers(500, b"<html>oops"), Again("in_trouble", "500", down=True)),
            (answers(401), Again("provider_refused", "401", down=True)),
            (answers(302, Location="http://127.0.0.1:1/"), Again("answered_wrongly", "302", down=True)),
            (answers(200, b"[1]"), Sent()),
            (answers(200, b"x" * 100_000), Sent()),
            (answers(200, b"[" * 60_000), Sent()),
            (writes(b"", close=True), Again("cut_off", "answer", down=True)),
            (writes(b"HTTP/1.1 200 OK\r\nContent-Len", close=True), Again("cut_off", "answer", down=True)),
            (
                writes(b"220 mail.test ESMTP\r\n\r\n", close=True),
                Again("answered_wrongly", "answer", down=True),
            ),
            (hangs, Again("timed_out", "answer", down=True)),
            (
                writes(*[b"HTTP/1.1 200 OK\r\nX: "] + [b"y"] * 500, pause_s=0.02),
                Again("timed_out", "answer", down=True),
            ),
        ],
    )
    async def test_whatever_it_answers_decides(self, receiver: Receiver, act: Act, expected: Receipt) -> None:
        receiver.act = act
        began = monotonic()

        assert await send(receiver.url, within_s=0.4) == expected

        assert len(receiver.requests) == 1, "no redirect is followed, nothing is tried twice"
        assert monotonic() - began < 8  # the limits are a fraction; a machine in use may be slow

    async def test_nobody_there(self) -> None:
        async with receiving() as gone:
            pass
        assert await send(gone.url) == Again("no_connection", "connect", down=True)

    @pytest.mark.parametrize(
        "url", ["http://sms.example.com", "sms.example.com", "ftp://127.0.0.1", "https://", ""]
    )
    def test_the_secret_words_of_customers_go_nowhere_in_the_clear(self, url: str) -> None:
        with pytest.raises(ValueError, match="https://"):
            check_address(url)

    @pytest.mark.parametrize(
        "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", b64encode(b"k" * 32).decode()]
    )
    def test_a_secret_is_one_of_standard_webhooks(self, secret: str) -> None:
        with pytest.raises(ValueError, match="whsec_"):
            parse_secret(secret)


def twilio(receiver: Receiver, clock: ManualClock, sender: str = "+15005550006") -> TwilioSender:
    return TwilioSender(
        TwilioAccount(f"http://127.0.0.1:{receiver.port}", "AC1", "t0ken", sender), clock, within_s=2.0
    )


class TestTwilio:
    async def test_what_it_gets(self, receiver: Receiver, clock: ManualClock) -> None:
        receiver.act = answers(201, b'{"sid": "SM1", "status": "queued"}')
        sender = twilio(receiver, clock)
        assert await sender.send(Channel.SMS, WORDS, PHONE, "msg_1") == Sent("SM1")
        await sender.close()

        (request,) = receiver.requests
        assert request.path == "/2010-04-01/Accounts/AC1/Messages.json"
        assert request.headers["authorization"] == "Basic " + b64encode(b"AC1:t0ken").decode()
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qs(request.body.decode()) == {
            "To": ["+15005550001"],
            "From": ["+15005550006"],
            "Body": ["Hallo Zoë"],
        }

    async def test_a_messaging_service_sends_by_its_name(
        self, receiver: Receiver, clock: ManualClock
    ) -> None:
        sender = twilio(receiver, clock, "MG1")
        await sender.send(Channel.SMS, WORDS, PHONE, "msg_1")
        await sender.close()

        assert parse_qs(receiver.requests[0].body.decode())["MessagingServiceSid"] == ["MG1"]

    async def test_an_address_that_answered_stop_is_suppressed(
        self, receiver: Receiver, clock: ManualClock
    ) -> None:
        receiver.act = answers(400, b'{"code": 21610, "message": "unsubscribed", "status": 400}')
        sender = twilio(receiver, clock)
        assert await sender.send(Channel.SMS, WORDS, PHONE, "msg_1") == Refused(
            "no_such_address", "400 21610", suppress=True
        )
        await sender.close()

    @pytest.mark.parametrize(
        ("messages", "sent"),
        [
            ([{"sid": "SM1", "body": "Hallo Zoë", "date_created": "Mon, 01 Jun 2026 12:00:01 +0000"}], False),
            ([{"sid": "SM1", "body": "Hallo Zoë", "date_created": "Fri, 01 May 2026 12:00:01 +0000"}], True),
            ([{"sid": "SM1", "body": "Other", "date_created": "Mon, 01 Jun 2026 12:00:01 +0000"}], True),
            ([{"sid": "SM1", "body": "Hallo Zoë", "date_created": "nonsense"}], True),
            ([{"sid": "SM1", "body": "Hallo Zoë", "date_created": 7}], True),
            ([{"sid": "SM1", "body": "Hallo Zoë", "date_created": f"Mon, {'9' * 20} Jun 2026 0:0:0"}], True),
            ([], True),
            ("nonsense", True),
            ([None, 7, {}], True),
        ],
    )
    async def test_where_it_may_have_it_already_it_is_asked_first(
        self, receiver: Receiver, clock: ManualClock, messages: Any, sent: bool
    ) -> None:
        """Given a worker that was killed; when the message comes again; then it is not given to Twilio twice."""

        async def act(request: Any, writer: Any) -> None:
            asked = request.method == "GET"
            body = msgspec.json.encode({"messages": messages} if asked else {"sid": "SM2"})
            await answers(200 if asked else 201, body)(request, writer)

        receiver.act = act
        sender = twilio(receiver, clock)
        receipt = await sender.send(Channel.SMS, WORDS, PHONE, "msg_1", since=clock() - timedelta(seconds=30))
        await sender.close()

        assert receipt == Sent("SM2" if sent else "SM1")
        assert [request.method for request in receiver.requests] == (["GET", "POST"] if sent else ["GET"])
        assert parse_qs(urlsplit(receiver.requests[0].path).query)["To"] == ["+15005550001"]

    async def test_while_it_cannot_be_asked_nothing_is_sent(
        self, receiver: Receiver, clock: ManualClock
    ) -> None:
        receiver.act = answers(503)
        sender = twilio(receiver, clock)
        receipt = await sender.send(Channel.SMS, WORDS, PHONE, "msg_1", since=clock())
        await sender.close()

        assert receipt == Again("in_trouble", "503", down=True)
        assert [request.method for request in receiver.requests] == ["GET"]

    def test_the_address_says_it_all(self) -> None:
        assert parse_twilio("twilio://AC1:t0ken@api.twilio.com?from=+15005550006") == TwilioAccount(
            "https://api.twilio.com", "AC1", "t0ken", "+15005550006"
        )

    @pytest.mark.parametrize(
        "url", ["twilio://api.twilio.com", "twilio://AC1:hunter2@api.twilio.com", "twilio://AC1@x?from=+1"]
    )
    def test_what_cannot_be_meant_is_refused_without_telling_the_token(self, url: str) -> None:
        with pytest.raises(ValueError, match="twilio://SID:TOKEN") as refused:
            parse_twilio(url)
        assert "hunter2" not in str(refused.value)


async def test_a_certificate_nobody_knows_is_not_trusted(certificate: tuple[ssl.SSLContext, Any]) -> None:
    async with receiving(tls=certificate[0]) as receiver:
        url = f"https://localhost:{receiver.port}/"
        assert await send(url) == Again("no_connection", "connect", down=True)

    assert receiver.requests == []
