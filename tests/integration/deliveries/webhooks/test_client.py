"""The client of webhooks against real sockets: where it goes, where it never goes, what it makes of bad receivers."""

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.deliveries.adapters.webhooks import connection as module
from services.deliveries.adapters.webhooks.client import EXCERPT_CHARACTERS, SafeClient
from services.deliveries.domain.webhooks.retrying import Answer
from services.deliveries.domain.webhooks.targets import Target, parse_target
from tests.support.receiver import Act, Request, answers, hangs, receiving, writes

LOCAL = (ip_network("127.0.0.0/8"),)


class Names:
    """A resolver that answers what a test says; the last answer stays."""

    def __init__(self, *answered: list[str]) -> None:
        self.answered = list(answered)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answered.pop(0) if len(self.answered) > 1 else self.answered[0]


async def send(client: SafeClient, target: Target | str, endpoint: str = "e") -> Answer:
    target = parse_target(target, LOCAL) if isinstance(target, str) else target
    return await client.post(endpoint, target, {"webhook-id": "msg_1"}, b'{"a":1}')


async def ask(act: Act, *, try_s: float = 5.0) -> Answer:
    """What the client makes of one receiver."""
    async with receiving(act) as receiver:
        client = SafeClient(LOCAL, try_s=try_s)
        try:
            return await send(client, receiver.url)
        finally:
            await client.aclose()


async def test_the_message_arrives_as_it_is() -> None:
    async with receiving(answers(200, b"thanks")) as receiver:
        client = SafeClient(LOCAL)
        answer = await send(client, receiver.url + "?tenant=7")
        await client.aclose()

    (request,) = receiver.requests
    assert answer == Answer(200, None, None, "thanks")
    assert (request.method, request.path, request.body) == ("POST", "/hook?tenant=7", b'{"a":1}')
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "msg_1"


async def test_the_connection_is_used_again_for_the_same_endpoint_only() -> None:
    async with receiving() as receiver:
        client = SafeClient(LOCAL)
        for endpoint in ("a", "a", "a", "b"):
            await send(client, receiver.url, endpoint)
        await client.aclose()

    assert len(receiver.requests) == 4
    assert receiver.connections == 2


async def test_a_redirect_is_not_followed() -> None:
    async with receiving() as inside:
        answer = await ask(answers(302, Location=inside.url))

    assert answer.status == 302
    assert inside.requests == []


async def test_what_the_receiver_asks_us_to_wait_is_heard() -> None:
    assert (await ask(answers(429, Retry_After="120"))).retry_after == timedelta(minutes=2)
    assert (await ask(answers(503, Retry_After="soon"))).retry_after is None
    assert (await ask(answers(503, Retry_After="9" * 400))).retry_after == timedelta(days=7)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (hangs, "timeout"),
        (writes(b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 50, pause_s=0.1), "timeout"),
        (writes(), "cut_off"),
        (writes(b"HTTP/1.1 200 OK\r\n"), "cut_off"),
        (writes(b"220 mail.example ESMTP\r\n\r\n"), "not_http"),
        (writes(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), "not_http"),
        (writes(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000), "not_http"),
    ],
)
async def test_a_bad_receiver_costs_one_try_and_nothing_else(act: Act, error: str) -> None:
    began = time.monotonic()

    answer = await ask(act, try_s=0.5)

    assert (answer.status, answer.error) == (None, error)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "act",
    [
        writes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        writes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b"", pause_s=60),
        writes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", *[b"!"] * 50, pause_s=0.1),
    ],
)
async def test_what_counts_is_the_status_not_the_body(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_S", 0.2)

    answer = await ask(act)

    assert answer.status == 200
    assert answer.excerpt.startswith("half")


async def test_an_interim_answer_is_followed_by_the_real_one() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"

    answer = await ask(writes(hints, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", pause_s=0.05))

    assert (answer.status, answer.excerpt) == (200, "ok")


async def test_a_switch_of_protocols_is_no_answer() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"

    assert (await ask(writes(switch))).status is None


async def test_a_receiver_that_closes_after_each_answer_gets_every_message() -> None:
    async with receiving(writes(b"HTTP/1.1 204 No Content\r\n\r\n")) as receiver:
        client = SafeClient(LOCAL)
        found = [await send(client, receiver.url) for _ in range(5)]
        await client.aclose()

    assert [answer.status for answer in found] == [204] * 5
    assert receiver.connections == len(receiver.requests) == 5


async def test_a_connection_that_was_closed_in_the_moment_of_its_use_is_no_failure() -> None:
    async def once_per_connection(request: Request, writer: asyncio.StreamWriter) -> None:
        if len(receiver.requests) == 2:
            writer.close()  # it was about to close the idle connection when the second request came
        else:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with receiving(once_per_connection) as receiver:
        client = SafeClient(LOCAL)
        found = [await send(client, receiver.url) for _ in range(2)]
        await client.aclose()

    assert [answer.status for answer in found] == [204, 204]
    assert receiver.connections == 2


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    endless = writes(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 8192] * 1_000)

    answer = await ask(endless)

    assert answer.status == 200
    assert len(answer.excerpt) == EXCERPT_CHARACTERS < module.ANSWER_BYTES_MAX


async def test_an_excerpt_can_be_stored_whatever_it_was() -> None:
    answer = await ask(answers(500, b"\x00\x1b[31m\xff\xfe broken"))

    assert "\x00" not in answer.excerpt
    assert "broken" in answer.excerpt


async def test_a_closed_port_is_connection_refused() -> None:
    async with receiving() as receiver:
        pass
    client = SafeClient(LOCAL)

    answer = await send(client, receiver.url)

    await client.aclose()
    assert answer.error == "connection_refused"


async def test_a_name_that_does_not_exist() -> None:
    client = SafeClient()

    answer = await send(client, Target("https", "nowhere.invalid", 443, "/"))

    await client.aclose()
    assert answer.error == "name_not_found"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0"])
async def test_nothing_reaches_this_machine_however_it_is_spelt(host: str) -> None:
    async with receiving() as receiver:
        client = SafeClient()
        answer = await send(client, Target("https", host, receiver.port, "/"))
        await client.aclose()

    assert answer.error in {"address_refused", "name_not_found"}
    assert receiver.connections == 0


async def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    async with receiving() as receiver:
        client = SafeClient(resolve=Names(["8.8.8.8", "127.0.0.1"]))
        answer = await send(client, Target("https", "mixed.example", receiver.port, "/"))
        await client.aclose()

    assert answer.error == "address_refused"
    assert receiver.connections == 0


async def test_a_name_that_changes_between_check_and_connect_gains_nothing() -> None:
    """DNS rebinding: the name is resolved once per connection, and what was checked is what is connected to."""
    async with receiving() as receiver:
        names = Names([f"127.0.0.{receiver.port % 200 + 2}"], ["10.0.0.1"])
        client = SafeClient(LOCAL, resolve=names)
        answer = await send(client, Target("http", "rebinding.example", receiver.port, "/"))
        again = await send(client, Target("http", "rebinding.example", receiver.port, "/"))
        await client.aclose()

    assert (
        answer.error == "connection_refused"
    )  # it went to the address that was checked, where nobody listens
    assert again.error == "address_refused"
    assert names.asked == 2


async def test_plain_http_to_the_public_internet_is_refused() -> None:
    client = SafeClient(LOCAL, resolve=Names(["8.8.8.8"]))

    answer = await send(client, Target("http", "shop.example", 80, "/"))

    await client.aclose()
    assert answer.error == "address_refused"


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with receiving() as receiver:
        client = SafeClient(LOCAL, resolve=Names(["127.0.0.77", "127.0.0.1"]))
        answer = await send(client, Target("http", "two.example", receiver.port, "/"))
        await client.aclose()

    assert answer.status == 204


async def test_a_certificate_must_be_good_for_the_name(tmp_path: Path) -> None:
    server, trusting = _certificates("shop.example", tmp_path)
    async with receiving(tls=server) as receiver:
        for host, tls, expected in (
            ("shop.example", trusting, Answer(204)),
            ("other.example", trusting, Answer(None, "certificate_refused")),
            ("shop.example", None, Answer(None, "certificate_refused")),
        ):
            client = SafeClient(LOCAL, resolve=Names(["127.0.0.1"]), tls=tls)
            assert await send(client, Target("https", host, receiver.port, "/")) == expected
            await client.aclose()

    assert len(receiver.requests) == 1


async def test_check_sees_private_names_before_anything_is_stored() -> None:
    for addresses, fit in ((["10.0.0.1"], False), (["8.8.8.8"], True), (["8.8.8.8", "::1"], False)):
        client = SafeClient(resolve=Names(addresses))
        assert await client.check(Target("https", "shop.example", 443, "/")) is fit
        await client.aclose()


async def test_a_name_that_hangs_holds_nobody_else_up() -> None:
    class Hanging(Names):
        async def __call__(self, host: str, port: int) -> list[str]:
            if host == "slow.example":
                await asyncio.sleep(3_600)
            return await super().__call__(host, port)

    async with receiving() as receiver:
        client = SafeClient(LOCAL, resolve=Hanging(["127.0.0.1"]), try_s=1.0)
        slow = asyncio.create_task(send(client, Target("http", "slow.example", 80, "/"), "slow"))
        await asyncio.sleep(0)
        quick = await send(client, Target("http", "quick.example", receiver.port, "/"), "quick")
        assert not slow.done()
        assert quick.status == 204
        assert (await slow).error == "timeout"
        await client.aclose()


def _certificates(host: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for `host`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    trusting = ssl.create_default_context(cadata=pem.decode())
    return server, trusting
