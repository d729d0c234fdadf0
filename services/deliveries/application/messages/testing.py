"""Test e-mails: the words of a preview, marked as what they are. Nothing is counted of them."""

import re
from dataclasses import replace
from html import escape
from typing import Final

from services.deliveries.application.ports import Rendered

NOTICE: Final = "This is a test. Only you got it; its links to unsubscribe and to preferences lead nowhere."
MARK: Final = "[Test] "
HEADER: Final = "X-Regulars-Test"
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_BANNER: Final = (
    '<p style="margin:0;padding:12px;text-align:center;background:#fef3c7;color:#1c1917;'
    "font:14px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif\">{words}</p>\n"
)


def marked(rendered: Rendered) -> Rendered:
    """The e-mail as a test: said by its subject, its first line, and a header."""
    banner = _BANNER.format(words=escape(NOTICE))
    body = _BODY.search(rendered.html)
    begin = body.end() if body is not None else 0
    return replace(
        rendered,
        subject=MARK + rendered.subject,
        text=f"{NOTICE}\n\n{rendered.text}",
        html=rendered.html[:begin] + banner + rendered.html[begin:],
        headers={**rendered.headers, HEADER: "true"},
    )
