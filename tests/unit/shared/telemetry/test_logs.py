"""Log lines: JSON, with their context, without secrets or personal data."""

import json
import logging
from typing import Any

import pytest
import structlog

from shared.telemetry.context import bind_request_id
from shared.telemetry.logs import configure


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line written, parsed."""
    line: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return line


def test_a_line_has_time_level_service_and_event(capsys: pytest.CaptureFixture[str]) -> None:
    """Given logging; when something is logged; then the line names it, with its facts."""
    configure("trial", "info")
    structlog.get_logger().info("batch_done", records=7)

    line = last_line(capsys)
    assert (line["level"], line["service"], line["event"], line["records"]) == (
        "info",
        "trial",
        "batch_done",
        7,
    )
    assert line["time"].endswith("Z")


def test_lines_carry_request_and_event_ids(capsys: pytest.CaptureFixture[str]) -> None:
    """Given a request and an event at hand; when something is logged; then both ids are in the line."""
    configure("trial", "info")
    reset = bind_request_id("r-7")
    with structlog.contextvars.bound_contextvars(event_id="shop:order-1"):
        structlog.get_logger().warning("odd")
    reset.var.reset(reset)

    line = last_line(capsys)
    assert (line["request_id"], line["event_id"]) == ("r-7", "shop:order-1")


def test_the_standard_library_goes_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    """Given a library that logs by itself; when it does; then the line is JSON like ours."""
    configure("trial", "info")
    logging.getLogger("uvicorn.error").info("Started %s", "it")

    line = last_line(capsys)
    assert (line["event"], line["service"], line["logger"]) == ("Started it", "trial", "uvicorn.error")


def test_an_exception_of_a_library_is_described_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Given a library that logs an exception holding an address; when it does; then the address is not shown."""
    configure("trial", "info")
    try:
        raise ValueError("bad 'ana@example.com'")
    except ValueError:
        logging.getLogger("aiokafka").exception("failed")

    line = last_line(capsys)
    assert line["exception"][0]["type"] == "ValueError"
    assert "ana" not in json.dumps(line)


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Given level warning; when info is logged; then nothing is written."""
    configure("trial", "warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("alembic").info("quiet")

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "facts",
    [
        {"authorization": "Bearer reg_secretsecret"},
        {"token": "reg_secretsecret"},
        {"detail": "key reg_secretsecret refused"},
        {"url": "postgresql://user:secretsecret@host/db"},
        {"email": "secretsecret@example.com"},
    ],
)
def test_secrets_are_blanked(facts: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Given a careless line; when written; then the secret is not in it."""
    configure("trial", "info")
    structlog.get_logger().info("careless", **facts)

    assert "secretsecret" not in capsys.readouterr().out


def test_the_causes_of_an_exception_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Given an exception with a cause; when logged; then both are described, the nearest first."""
    configure("trial", "info")
    try:
        try:
            raise KeyError("ana")
        except KeyError as cause:
            raise RuntimeError("lookup failed") from cause
    except RuntimeError as error:
        structlog.get_logger().error("failed", exc_info=error)

    line = last_line(capsys)
    assert [each["type"] for each in line["exception"]] == ["RuntimeError", "KeyError"]
    assert "ana" not in json.dumps(line["exception"][1]["message"])
