"""What a service's refusal says, for people at a terminal."""

import httpx

SHOWN_MAX = 500
FAULTS_SHOWN_MAX = 10


def in_words(answer: httpx.Response) -> str:
    """A problem (RFC 9457) in a line: what it is, and of each fault where it stands. Anything else as it came,
    cut off."""
    try:
        problem = answer.json()
        faults = problem.get("errors", [])
        told = " ".join([problem["detail"], *(_fault(each) for each in faults[:FAULTS_SHOWN_MAX])])
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.text[:SHOWN_MAX]
    beyond = len(faults) - FAULTS_SHOWN_MAX
    return told + (f" And {beyond} more." if beyond > 0 else "")


def _fault(fault: dict[str, str]) -> str:
    place = fault.get("pointer") or fault.get("parameter")
    return f"{place}: {fault['detail']}." if place else f"{fault['detail']}."
