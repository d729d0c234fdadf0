"""Reads the events out of a request: media type, compression, JSON, number."""

import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from services.ingest.domain.limits import BODY_BYTES_MAX, EVENTS_MAX
from shared.http.problems import Problem, ProblemError, malformed_json

MEDIA_TYPES = frozenset(
    {"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"}
)

Headers = Mapping[bytes, bytes]
"""As ASGI gives them: names in small letters."""

_decode = msgspec.json.Decoder().decode


class Events(Struct, frozen=True):
    """The events of a request. `single` says that it was one event, not a list; `clean` that no NUL is in it."""

    items: list[Any]
    single: bool
    clean: bool


def read_events(headers: Headers, body: bytes) -> Events:
    """The events in `body`. Raises the problem that says why they cannot be read."""
    content_type = headers.get(b"content-type")
    if content_type is not None and content_type != b"application/json":
        _refuse_other_media(content_type.decode("latin-1"))
    encoding = headers.get(b"content-encoding")
    if encoding is not None:
        body = _unpacked(body, encoding.decode("latin-1"))
    value = _parsed(body)
    # JSON can only carry a NUL escaped, so this search tells whether a closer look is needed.
    clean = b"\\u0000" not in body
    if not isinstance(value, list):
        return Events([value], single=True, clean=clean)
    if not value:
        raise _refused("empty_batch", "an array must hold at least one event")
    if len(value) > EVENTS_MAX:
        raise _refused("too_many_events", f"at most {EVENTS_MAX} events in one call; here are {len(value)}")
    return Events(value, single=False, clean=clean)


def _parsed(body: bytes) -> Any:
    try:
        return _decode(body)
    except RecursionError:
        raise _refused("too_deep", "objects and lists are nested too deep") from None
    except UnicodeDecodeError as error:
        raise malformed_json(f"The body is not UTF-8 (byte {error.start}).") from None
    except msgspec.DecodeError as error:
        raise malformed_json(f"The body is not valid JSON: {error}.") from None


def _refuse_other_media(content_type: str) -> None:
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.partition("charset=")[2].partition(";")[0].strip().strip('"')
    if media_type.strip() in MEDIA_TYPES and charset in ("", "utf-8", "utf8"):
        return
    raise Problem(
        415,
        "unsupported_media_type",
        "Unsupported media type",
        f"Send the events in UTF-8 as one of {', '.join(sorted(MEDIA_TYPES))}.",
        headers={"Accept-Post": ", ".join(sorted(MEDIA_TYPES))},
    )


def _unpacked(body: bytes, encoding: str) -> bytes:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Problem(
            415,
            "unsupported_content_encoding",
            "Unsupported content encoding",
            "Send the body as it is, or compressed with gzip.",
            headers={"Accept-Encoding": "gzip"},
        )
    gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = gzip.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error:
        raise _not_gzip() from None
    if len(unpacked) > BODY_BYTES_MAX:
        detail = f"A body may have at most {BODY_BYTES_MAX} bytes once it is unpacked."
        raise Problem(413, "body_too_large", "Body too large", detail)
    if not gzip.eof or gzip.unused_data:
        raise _not_gzip()
    return unpacked


def _not_gzip() -> Problem:
    return Problem(400, "malformed_body", "Malformed body", "The body is not one whole gzip stream.")


def _refused(code: str, detail: str) -> Problem:
    return Problem(422, "invalid_events", "Invalid events", detail, [ProblemError("", code, detail)])
