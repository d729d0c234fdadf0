"""Requests with something about them that nobody should send."""

import json
from gzip import compress
from urllib.parse import quote

from hypothesis import strategies as st

from tests.property.routes.requests import Known, Operation, Request, as_json, described, places_in


@st.composite
def spoilt(draw: st.DrawFn, operation: Operation, known: Known, key: str) -> Request:
    """A request with one to three things about it that nobody should send."""
    request = draw(described(operation, known, key))
    ways = [_spoil_header, _spoil_query]
    if request.path:
        ways.append(_spoil_path)
    ways += [_spoil_value, _spoil_value, _spoil_body] if operation.body else [_spoil_body]
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from(ways))(request, draw)
    return request


_DIGITS = "9" * 5000
_TEXTS = [
    "", " ", "\t", "x" * 201, "y" * 70_000, "💥", "\u202eabc", "é\u0301" * 40, "\ufeff", "\x7f", "a\nb",
    "\u0663", "\uff11", "1_000", "1e5", "+1", "-0", "0x10", "NaN", "Infinity", "-1", "0", "1.5", _DIGITS,
    "true", "null", "[]", "{}", "..", "../../etc", "'; DROP TABLE x; --", "%00", "%", "cus_",
    "cus_" + "0" * 24, "cus_" + "z" * 24, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-06-01T24:00:00Z", "2026-06-01",
    "2026-06-01T12:00:60Z", "2026-06-01T12:00:00", "99999-01-01T00:00:00Z", "1e9999", "1e-9999",
    "0." + "0" * 400 + "1", "00000000-0000-0000-0000-000000000000", "http://[::1", "http://\u2100.example",
    "javascript:alert(1)", "@", "a@b",
]  # fmt: skip
_RAW_VALUES = [
    b"null", b"true", b"0", b"-1", b"1.5", b"-0", b"-0.0", b"1e999", b"-1e999", b"1E400", b"1e-999", b"NaN",
    b"Infinity", b"-Infinity", _DIGITS.encode(), b"-" + _DIGITS.encode(), b"2147483648",
    b"9223372036854775808", b"1" + b"0" * 400, b"0.1" + b"0" * 5000 + b"1", b"1e308",
    b"123456789.123456789123456789", b"[]", b"{}", b'""', b'"\\u0000"', b'"a\\u0000b"', b'"\\ud800"',
    b'"\\udc00\\ud800"', b'"\\ud83d\\udca5"', b'"\xff"', b'"\xed\xa0\x80"', b'"\x00"', b'"\x01"',
    b"[" * 400 + b"]" * 400, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 400 + b"0" + b"}" * 400,
    b'{"\\u0000": 1}', b'{"\\ud800": 1}', b'{"": 1}', b'[null, 1, "a", {}]', b"'single'", b"undefined", b"01",
    b"0x1", b"1_0", b"+1",
]  # fmt: skip
_BODIES = [
    b"", b" ", b"{", b"[", b"]", b"{}", b"[]", b"null", b"0", b'""', b'"a"', b"{}{}", b"{} x",
    b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", "{}".encode("utf-32"), b"\x00", b"\x00" * 100, b"\x1f\x8b",
    compress(b"{}"), compress(b"{}")[:-3], b"a=b&c=d", b"[" * 200_000, b'{"a":' * 200_000, b'[{"a":' * 50_000,
    b'{"a":1,"a":2}', b"--x\r\nContent-Disposition: form-data\r\n\r\n", b"a: &a [*a]",
    b"a: !!python/object/apply:os.system [x]", b"&a [&b [*a, *a], *b]", b"? [a]\n: b", b"a: \xff",
    b"%YAML 9.9\n---\na", b"---\n---", b"\xc3\x28", b"{'a': 1}", b"// x\n{}", b'{"a": "\n"}',
    b"x" * (2 * 1024 * 1024 + 1),
]  # fmt: skip
_HEADERS: dict[bytes, list[bytes]] = {
    b"content-type": [
        b"", b"text/plain", b"application/xml", b"application/json; charset=utf-16",
        b"application/json; charset=latin-1", b"application/json;charset=", b"APPLICATION/JSON",
        b"application/merge-patch+json", b"multipart/form-data", b";", b"multipart/form-data; boundary=x",
        b"application/x-www-form-urlencoded", b"application/yaml", b"text/yaml", b"\xff\xfe",
        b"application/json, text/plain", b"application/" + b"j" * 5000, b"json", b"application/problem+json",
    ],
    b"content-encoding": [b"", b"gzip", b"br", b"gzip, gzip", b"identity", b"\xff", b"deflate", b"GZIP"],
    b"content-length": [
        b"", b"-1", b"+5", b"1_0", b"0x10", b"9" * 30, b"1, 1", b"\xb2", b" 5", b"abc", b"1.0", b"0",
        _DIGITS.encode(),
    ],
    b"transfer-encoding": [b"chunked", b"gzip, chunked", b"identity", b"x"],
    b"idempotency-key": [
        b"", b" ", b"a b", b"\xff", b"k" * 256, b"k" * 70_000, b"\x7f", b"a\tb", b"\xc3\xa9", b"'",
    ],
    b"authorization": [
        b"", b"Bearer", b"Bearer ", b"Bearer  ", b"Basic YTpi", b"Bearer \xff", b"Bearer " + b"x" * 70_000,
        b"bearer a b", b"Bearer\ta", b"Bearer reg_" + b"z" * 43, b"Bearer \xc3\xa9", b"reg_x",
        b'Digest username="a"', b"Bearer null",
    ],
    b"if-match": [b"*", b'"x"', b"W/", b"\xff", b"", b"x" * 5000, b'"1", "2"', b"1"],
    b"if-none-match": [b"*", b'"x"', b"\xff"],
    b"if-modified-since": [b"yesterday", b"Thu, 01 Jan 1970 00:00:00 GMT"],
    b"accept": [b"", b"text/html", b"*/*;q=abc", b"\xff", b"application/json;q=0", b"text/plain", b"," * 5000],
    b"accept-language": [b"", b"\xff", b"xx-YY-zz;q=9", b"-", b"*", b"a" * 5000],
    b"accept-encoding": [b"gzip;q=x", b"\xff"],
    b"x-request-id": [b"", b"\xff", b"a b", b'"},{"', b"x" * 129, b"\x1b[31m"],
    b"x-forwarded-for": [b"\xff", b"1.2.3.4, , ,"],
    b"forwarded": [b"for=\xff"],
    b"host": [b"", b"\xff", b"a b", b"[::1", b"localhost:99999", b"x" * 5000],
    b"expect": [b"100-continue", b"x"],
    b"range": [b"bytes=0-", b"bytes=9-1", b"x"],
    b"cookie": [b"\xff", b"a=" + b"b" * 5000, b";;;="],
    b"origin": [b"null", b"\xff"],
    b"user-agent": [b"", b"\xff\x00", b"x" * 5000],
    b"traceparent": [b"00-0-0-00", b"\xff"],
    b"x-http-method-override": [b"DELETE"],
}  # fmt: skip
_ENCODED = [
    b"", b"%", b"%%", b"%zz", b"%0", b"%00", b"%00%00", b"%ff", b"%ED%A0%80", b"%C0%80", b"%F0%9F%92%A5",
    b"%2F", b"a%2fb", b"%5c", b"..", b"%2e%2e", b"%2e%2e%2f", b".", b"+", b"%20", b"%0a", b"%0d%0aX: y",
    b"%7f", b"%25", b"%2500", b";", b";a=b", b"a:b", b"*", b"~", b"x" * 201, b"x" * 60_000, b"%41" * 300,
    b"%E2%80%AE", b"-1", b"0", b"1.5", b"9" * 30, b"null", b"true", b"[]", b"[0]", b"%ef%bb%bf", b"%dc%af",
    b"cus_", b"cus_" + b"0" * 24, b"MA", b"e30", b"bnVsbA", b"W10", b"WzFd", b"WyJhIl0", b"eyJhIjoxfQ",
    b"MWU5OTk", b"MTIz", b"2026-06-01", b"2026-06-01T12:00:00%2B00:00", b"2026-06-01T12:00:00+00:00",
    b"2026-13-01T00:00:00Z", b"0001-01-01T00:00:00%2B14:00", b"9999-12-31T23:59:59Z",
    b"9999-12-31T23:59:59-14:00", b"1e999", b"%D9%A3",
]  # fmt: skip


def _spoil_header(request: Request, draw: st.DrawFn) -> None:
    name = draw(st.sampled_from(sorted(_HEADERS)))
    kept = [header for header in request.headers if header[0] != name]
    match draw(st.sampled_from(["replace", "replace", "remove", "add"])):
        case "remove":
            request.headers = kept
        case "add":
            request.headers.append((name, draw(st.sampled_from(_HEADERS[name]))))
        case _:
            request.headers = [*kept, (name, draw(st.sampled_from(_HEADERS[name])))]


def _spoil_query(request: Request, draw: st.DrawFn) -> None:
    names = [
        each["name"].encode()
        for each in request.operation.described.get("parameters", ())
        if each["in"] == "query"
    ]
    name = draw(
        st.sampled_from([*names, *names, b"at", b"limit", b"cursor", b"x", b"", b"%00", b"%ff", b"a[b]"])
    )
    encoded = st.sampled_from(_ENCODED) | st.sampled_from(_TEXTS).map(
        lambda text: quote(text, safe="").encode()
    )
    value = draw(encoded)
    if draw(st.booleans()):
        request.query = [pair for pair in request.query if pair[0] != name]
    request.query.append((name, value))


def _spoil_path(request: Request, draw: st.DrawFn) -> None:
    texts = st.sampled_from(_TEXTS).map(lambda text: quote(text, safe="").encode())
    part = draw(st.sampled_from(sorted(request.path)))
    request.path[part] = (
        draw(st.sampled_from(_ENCODED) | texts) or b"-"
    )  # without any it would be another path


def _spoil_value(request: Request, draw: st.DrawFn) -> None:
    """Put something else in one place of the body, leave it away, or add what does not belong there."""
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return
    places = list(places_in(value))
    if not places:
        return
    holder, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["raw", "raw", "text", "drop", "add"])):
        case "raw":
            holder[key] = _STAND_IN
        case "text":
            holder[key] = draw(st.sampled_from(_TEXTS))
        case "drop":
            del holder[key]
        case _ if isinstance(holder, dict):
            holder[draw(st.sampled_from([*_TEXTS, "\x00", "a/b~c", "\ud800"]))] = 1
        case _:
            holder.append(holder[key])
    request.body = as_json(value).replace(f'"{_STAND_IN}"'.encode(), draw(st.sampled_from(_RAW_VALUES)))


def _spoil_body(request: Request, draw: st.DrawFn) -> None:
    match draw(st.sampled_from(["replace", "cut", "lengthen", "flip", "gzip"])):
        case "replace":
            request.body = draw(st.sampled_from(_BODIES))
        case "cut":
            request.body = request.body[: draw(st.integers(0, len(request.body)))]
        case "lengthen":
            request.body += draw(st.sampled_from(_BODIES))
        case "flip" if request.body:
            at = draw(st.integers(0, len(request.body) - 1))
            request.body = request.body[:at] + bytes([draw(st.integers(0, 255))]) + request.body[at + 1 :]
        case _:
            request.body = compress(request.body, mtime=0)
            request.headers.append((b"content-encoding", b"gzip"))


_STAND_IN = "@@RAW@@"
