"""A process that answers /readyz and ends on SIGTERM, for tests of the supervisor.

Environment: LITTLE_PORT; LITTLE_MODE `stubborn` ignores SIGTERM, `broken` exits at once with code 3.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name that the base class asks for
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")


def main() -> None:
    mode = os.environ.get("LITTLE_MODE", "")
    print(f"little service begins, {mode or 'well behaved'}", flush=True)
    if mode == "broken":
        sys.exit(3)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "stubborn" else lambda *_: sys.exit(0))
    HTTPServer(("127.0.0.1", int(os.environ["LITTLE_PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
