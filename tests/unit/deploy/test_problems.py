"""Refusals in words."""

import httpx
import pytest

from deploy.problems import FAULTS_SHOWN_MAX, SHOWN_MAX, in_words

FAULT = {"pointer": "/0/data/total", "code": "wrong_format", "detail": "expected an amount"}


def test_a_problem_says_what_is_wrong_and_where() -> None:
    """Given the problem of a batch; then each fault stands with its place, and no JSON is shown."""
    faults = [FAULT, {"parameter": "Idempotency-Key", "code": "required", "detail": "is required"}]
    answer = httpx.Response(422, json={"detail": "1 of 1 events are not valid.", "errors": faults})

    assert in_words(answer) == (
        "1 of 1 events are not valid. /0/data/total: expected an amount. Idempotency-Key: is required."
    )


def test_of_many_faults_the_first_are_shown() -> None:
    answer = httpx.Response(422, json={"detail": "Wrong.", "errors": [FAULT] * (FAULTS_SHOWN_MAX + 7)})

    assert in_words(answer).count("/0/data/total") == FAULTS_SHOWN_MAX
    assert in_words(answer).endswith("And 7 more.")


@pytest.mark.parametrize(
    "text", ["<h1>Bad gateway</h1>", "[1]", '{"error": "no"}', '{"detail": 5}', "x" * 9_999]
)
def test_what_is_no_problem_is_shown_as_it_came(text: str) -> None:
    assert in_words(httpx.Response(502, text=text)) == text[:SHOWN_MAX]
