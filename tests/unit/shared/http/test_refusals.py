"""What is wrong with a request is said as a problem document that points at the place."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.http import client_of, service

PROBLEM = "application/problem+json"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the trial service."""
    async with client_of(service()) as client:
        yield client


def code_of(answer: httpx.Response) -> str:
    """The code of a problem, having checked that it is one in every respect."""
    document = answer.json()
    assert answer.headers["content-type"] == PROBLEM
    assert document["status"] == answer.status_code
    assert document["type"] == f"/problems/{document['code']}"
    assert document["title"]
    assert document["request_id"] == answer.headers["x-request-id"]
    return str(document["code"])


async def test_a_wrong_field_is_named_by_a_json_pointer(client: httpx.AsyncClient) -> None:
    """Given a body with points as text; when it is posted; then the error points at /points."""
    answer = await client.post("/spend", json={"customer": "c-1", "points": "5"})

    assert answer.status_code == 422
    assert code_of(answer) == "invalid_request"
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/points"
    assert error["code"] == "int_type"


async def test_a_wrong_field_inside_a_list_is_named_by_its_index(client: httpx.AsyncClient) -> None:
    """Given the second line without a sku; when posted; then the pointer leads into the list."""
    lines = [{"sku": "a", "points": 1}, {"points": 1}]
    answer = await client.post("/spend", json={"customer": "c-1", "points": 5, "lines": lines})

    assert answer.json()["errors"] == [
        {"pointer": "/lines/1/sku", "code": "required", "detail": "is required"}
    ]


async def test_a_field_with_a_slash_in_its_name_is_escaped(client: httpx.AsyncClient) -> None:
    """Given an unknown field a/b~c; when posted; then the pointer follows RFC 6901."""
    answer = await client.post("/spend", json={"customer": "c-1", "points": 5, "a/b~c": 1})

    assert answer.json()["errors"][0]["pointer"] == "/a~1b~0c"


async def test_a_refusal_does_not_repeat_what_was_sent(client: httpx.AsyncClient) -> None:
    """Given an address where a number belongs; when refused; then the address is not in the answer."""
    answer = await client.post("/spend", json={"customer": "c-1", "points": "ana@example.com"})

    assert "ana@example.com" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b'{"a" 1}', b'{"points": NaN}', b"[1,]", b"\xff\xfe", b'{"a":"\\ud800"}', b"[" * 200_000],
)
async def test_what_is_not_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    """Given bytes that are not JSON; when posted as JSON; then the answer is 400, or 422 for nothing at all."""
    answer = await client.post("/spend", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, code_of(answer)) == (
        (400, "malformed_json") if body else (422, "invalid_request")
    )


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"]
)
async def test_another_content_type_is_refused_as_such(client: httpx.AsyncClient, media_type: str) -> None:
    """Given JSON under another content type; when posted; then the answer is 415 and says what to send."""
    headers = {"content-type": media_type} if media_type else {}
    answer = await client.post("/spend", content=b'{"customer": "c", "points": 1}', headers=headers)

    assert answer.status_code == 415
    assert code_of(answer) == "unsupported_media_type"


async def test_an_unknown_route_is_not_found(client: httpx.AsyncClient) -> None:
    """Given no such route; when asked; then 404 not_found."""
    answer = await client.get("/nowhere")

    assert (answer.status_code, code_of(answer)) == (404, "not_found")


async def test_a_trailing_slash_is_not_redirected(client: httpx.AsyncClient) -> None:
    """Given a route with a slash too many; when posted; then 404, since a redirect would lose the body."""
    answer = await client.post("/spend/", json={})

    assert (answer.status_code, code_of(answer)) == (404, "not_found")


async def test_another_method_is_refused_with_those_allowed(client: httpx.AsyncClient) -> None:
    """Given a route that only takes POST; when got; then 405 with Allow."""
    answer = await client.get("/spend")

    assert (answer.status_code, code_of(answer)) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


async def test_the_methods_of_all_routes_with_a_path_are_allowed() -> None:
    """Given a path that is got by one route and put by another; when posted; then 405 names both."""
    app = service()

    @app.get("/program")
    async def get() -> str:
        return "got"

    @app.put("/program")
    async def put() -> str:
        return "put"

    async with client_of(app) as client:
        answer = await client.post("/program")

    assert (answer.status_code, code_of(answer)) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, PUT"


@pytest.mark.parametrize("points", [0, -1, 2**63, 10**30, 1.5, True, None, 10**12 + 1])
async def test_points_that_no_ledger_holds_are_refused(client: httpx.AsyncClient, points: object) -> None:
    """Given a number beyond what points may be; when posted; then 422 at /points."""
    answer = await client.post("/spend", json={"customer": "c-1", "points": points})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/points"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"customer": "a\\u0000b", "points": 1}', "/customer"),
        (b'{"customer": "a", "points": 1, "note": {"deep": ["x", "\\u0000"]}}', "/note/deep/1"),
        (b'{"customer": "a", "points": 1, "note": {"\\u0000": 1}}', "/note"),
    ],
)
async def test_nul_in_a_body_is_refused_wherever_it_is(
    client: httpx.AsyncClient, body: bytes, pointer: str
) -> None:
    """Given a NUL in some text; when posted; then 422 pointing at the text."""
    answer = await client.post("/spend", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, code_of(answer)) == (422, "invalid_request")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_an_escaped_backslash_before_u0000_is_no_nul(client: httpx.AsyncClient) -> None:
    r"""Given the six characters \u0000 as text; when posted; then they pass."""
    body = b'{"customer": "a\\\\u0000b", "points": 1}'
    answer = await client.post("/spend", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 201


async def test_an_escaped_emoji_passes(client: httpx.AsyncClient) -> None:
    """Given a whole surrogate pair, as many JSON writers emit; when posted; then it passes."""
    body = b'{"customer": "\\ud83d\\ude00", "points": 1}'
    answer = await client.post("/spend", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("part", "meant"),
    [
        ("a%2Fb", "a/b"),
        ("a%2fscore", "a/score"),
        ("%2F", "/"),
        ("a%252Fb", "a%2Fb"),
        ("%C3%BC%2F%C3%A9", "ü/é"),
        ("a%0Ab", "a\nb"),
        ("..%2F..", "../.."),
    ],
)
async def test_a_customer_is_who_the_shop_named(client: httpx.AsyncClient, part: str, meant: str) -> None:
    """Given a shop's id with slashes or control characters, encoded in the path; when asked; then it is that one."""
    answer = await client.get(f"/customers/{part}")

    assert (answer.status_code, answer.json()["customer"]) == (200, meant)


@pytest.mark.parametrize(
    "address", ["/customers/a%2Fb%00", "/customers/a%00b", "/customers/a?x=%00", "/at?moment=%00"]
)
async def test_nul_in_an_address_is_refused(client: httpx.AsyncClient, address: str) -> None:
    """Given a NUL in path or query; when asked; then 422."""
    answer = await client.get(address)

    assert (answer.status_code, code_of(answer)) == (422, "invalid_request")


@pytest.mark.parametrize(
    "moment", ["2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00", "x"]
)
async def test_a_time_without_offset_or_beyond_reason_is_refused(
    client: httpx.AsyncClient, moment: str
) -> None:
    """Given a time that is not an instant; when asked; then 422 naming the parameter."""
    answer = await client.get("/at", params={"moment": moment})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "moment"


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "caf\xe9"])
async def test_an_idempotency_key_is_visible_ascii(client: httpx.AsyncClient, key: str) -> None:
    """Given another kind of key; when posted; then 422 naming the header."""
    answer = await client.post("/keyed", headers={"Idempotency-Key": key.encode("latin-1")})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"


async def test_a_good_idempotency_key_reaches_the_route(client: httpx.AsyncClient) -> None:
    """Given a key of the longest length; when posted; then the route has it."""
    answer = await client.post("/keyed", headers={"Idempotency-Key": "~" * 255})

    assert answer.json() == {"key": "~" * 255}
