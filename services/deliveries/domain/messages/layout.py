"""The HTML of a mail: made of its text where there is none, with the way out below, and links that are counted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final

URL: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}]")
_LINE_END = re.compile("\n")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_HREF = re.compile(r"""(\shref\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
SCHEMES: Final = ("http://", "https://", "mailto:", "tel:", "#")
"""What a link in a mail may lead to; `javascript:` and the like are taken out."""

_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body style="margin:0;padding:24px;background:#f5f5f4">
<div style="max-width:560px;margin:0 auto;padding:32px;background:#fff;border-radius:8px;\
font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1c1917">
{body}
</div>
</body>
</html>
"""
_FOOTER = """<p style="max-width:560px;margin:24px auto 0;text-align:center;\
font:13px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#78716c">{words}</p>
"""


@dataclass(frozen=True, slots=True)
class WayOut:
    """The foot of every e-mail: who writes, and how the reader ends or changes what they get. `unsubscribe` is empty
    for messages of service; `imprint`, plain text, where the program has none."""

    shop: str
    preferences: str
    unsubscribe: str = ""
    imprint: str = ""

    def below_text(self, text: str) -> str:
        """The text with the way out below it, unless it is in there."""
        lines = [
            f"{words}: {url}"
            for words, url in (("Unsubscribe", self.unsubscribe), ("What you get from us", self.preferences))
            if url and url not in text
        ]
        foot = [*([self.shop, *lines] if lines else []), *([self.imprint] if self.imprint else [])]
        return "\n".join([text.rstrip(), "", "-- ", *foot, ""]) if foot else text

    def below_html(self, html: str) -> str:
        """The same for HTML."""
        links = [
            f'<a href="{escape(url)}" style="color:#78716c">{words}</a>'
            for words, url in (("Unsubscribe", self.unsubscribe), ("What you get from us", self.preferences))
            if url and url not in html and escape(url) not in html
        ]
        lines = [" · ".join([escape(self.shop), *links])] if links else []
        lines += [escape(line) for line in self.imprint.splitlines()]
        return at_end(html, _FOOTER.format(words="<br>\n".join(lines))) if lines else html


def page_of(text: str, title: str, language: str = "en") -> str:
    """A plain layout of a text: a paragraph for each block of lines, with its addresses as links."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    body = "\n".join(f'<p style="margin:0 0 16px">{_linked(block)}</p>' for block in blocks)
    return _PAGE.format(language=escape(language), title=escape(title), body=body)


def text_of(html: str) -> str:
    """The words of HTML, for who reads mails as text."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.words).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def at_end(html: str, more: str) -> str:
    """More HTML as the last of the body."""
    ends = list(_BODY_END.finditer(html))
    if not ends:
        return html + more
    return html[: ends[-1].start()] + more + html[ends[-1].start() :]


def with_links(html: str, change: Callable[[str], str]) -> str:
    """The HTML with each address that a link leads to changed; one that may not be in a mail becomes `#`."""
    finder = _Anchors()
    finder.feed(html)
    finder.close()
    lines = _offsets(html)
    made: list[str] = []
    done = 0
    for (line, column), tag in finder.found:
        start = lines[line - 1] + column
        if html[start : start + len(tag)] != tag or start < done:  # a tag that was never closed
            continue
        made += [html[done:start], _HREF.sub(lambda match: _changed(match, change), tag)]
        done = start + len(tag)
    return "".join([*made, html[done:]])


def pixel(address: str) -> str:
    """An image of one point, whose loading tells that the mail was opened."""
    return f'<img src="{escape(address)}" width="1" height="1" alt="" style="display:block;border:0">\n'


def one_line(text: str) -> str:
    """What fits into a header: no line breaks or other control characters, whatever a template printed."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _linked(block: str) -> str:
    made: list[str] = []
    done = 0
    for match in URL.finditer(block):
        url = escape(match.group())
        made += [escape(block[done : match.start()]), f'<a href="{url}">{url}</a>']
        done = match.end()
    return "".join([*made, escape(block[done:])]).replace("\n", "<br>\n")


def _changed(match: re.Match[str], change: Callable[[str], str]) -> str:
    address = unescape(match.group(2).strip("\"'")).strip()
    if not address.lower().startswith(SCHEMES):
        address = "#"
    return f'{match.group(1)}"{escape(change(address))}"'


def _offsets(text: str) -> list[int]:
    """Where each line begins, as the parser counts lines."""
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


class _Parser(HTMLParser):
    """Takes any HTML, as browsers do: what looks like a declaration (`<![x]>`) and is none is a comment."""

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """See `HTMLParser`."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i, report)


class _Anchors(_Parser):
    """Finds the tags that lead elsewhere, with their places."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[tuple[int, int], str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "area") and any(name == "href" for name, _ in attrs):
            self.found.append((self.getpos(), self.get_starttag_text() or ""))


class _Words(_Parser):
    """Collects what is read."""

    BREAKS = frozenset({"br", "p", "div", "tr", "table", "h1", "h2", "h3", "h4", "ul", "ol", "blockquote"})
    UNREAD = frozenset({"style", "script", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unread = 0
        self._address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.UNREAD:
            self._unread += 1
        elif tag in self.BREAKS:
            self.words.append("\n" if tag == "br" else "\n\n")
        elif tag == "li":
            self.words.append("\n- ")
        elif tag == "a":
            self._address = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in self.UNREAD:
            self._unread = max(self._unread - 1, 0)
        elif tag in self.BREAKS:
            self.words.append("\n\n")
        elif tag == "a" and self._address:
            if not "".join(self.words[-1:]).strip().endswith(self._address):
                self.words.append(f" ({self._address})")
            self._address = ""

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.words.append(" ".join(data.split()) if not data.strip() else re.sub(r"\s+", " ", data))
