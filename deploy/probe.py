"""Is a process healthy? `python -m deploy.probe URL` exits 0 when the URL answers 200, else 1 with the reason.

For the health checks of containers: the image has no curl.
"""

import sys
import urllib.error
import urllib.request

ANSWER_S_MAX = 4.0


def probe(url: str) -> str:
    """Why `url` does not answer 200; empty when it does."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S_MAX) as answer:  # noqa: S310  # from our own command
            return "" if answer.status == 200 else f"answered {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"answered {error.code}: {error.read(500).decode(errors='replace')}"
    except OSError as error:
        return f"does not answer: {error}"


def main() -> None:
    """Probe the URL on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.probe URL")
    reason = probe(sys.argv[1])
    if reason:
        sys.exit(f"{sys.argv[1]} {reason}")


if __name__ == "__main__":
    main()
