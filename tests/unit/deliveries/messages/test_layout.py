"""The HTML of a mail."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.messages.layout import WayOut, at_end, one_line, page_of, text_of, with_links

OUT = WayOut("Mug & Shop", preferences="https://m/p/1", unsubscribe="https://m/u/1")


class TestAPlainLayout:
    def test_has_a_paragraph_for_each_block_and_keeps_its_lines(self) -> None:
        page = page_of("Hello Ana,\nhow are you?\n\nBye", "Hi")
        assert page.count("<p ") == 2
        assert "Hello Ana,<br>\nhow are you?</p>" in page
        assert "<title>Hi</title>" in page

    def test_shows_what_is_written_and_runs_nothing(self) -> None:
        page = page_of('<script>alert(1)</script> & "more"', "<b>")
        assert "<script>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;" in page
        assert "<title>&lt;b&gt;</title>" in page

    def test_makes_links_of_addresses_without_the_sentence_around_them(self) -> None:
        page = page_of("See https://shop.example.com/a?b=1&c=2. Or not.", "Hi")
        address = "https://shop.example.com/a?b=1&amp;c=2"
        assert f'See <a href="{address}">{address}</a>. Or not.' in page


class TestTheWayOut:
    def test_stands_below_the_text_and_the_page(self) -> None:
        assert OUT.below_text("Hello") == (
            "Hello\n\n-- \nMug & Shop\nUnsubscribe: https://m/u/1\nWhat you get from us: https://m/p/1\n"
        )
        html = OUT.below_html("<html><body><p>Hello</p></body></html>")
        assert html.index("Hello") < html.index('href="https://m/u/1"') < html.index("</body>")
        assert "Mug &amp; Shop" in html

    def test_does_not_repeat_what_is_there(self) -> None:
        text = OUT.below_text("Stop: https://m/u/1")
        assert text.count("https://m/u/1") == 1
        assert "https://m/p/1" in text
        whole = '<a href="https://m/u/1">Stop</a> <a href="https://m/p/1">Change</a>'
        assert OUT.below_html(whole) == whole

    def test_of_a_message_of_service_there_is_none_to_unsubscribe(self) -> None:
        out = WayOut("Shop", preferences="https://m/p/1")
        assert "Unsubscribe" not in out.below_text("Hello") + out.below_html("Hello")

    def test_ends_with_the_imprint_as_it_is_written_and_runs_nothing(self) -> None:
        """Given an imprint of two lines; then it stands at the end of text and page, also where the template has the
        links, and markup in it is shown."""
        out = replace(OUT, imprint="Mugs & more <Ltd>\n1 High Street")
        assert out.below_text("Hello").endswith("/p/1\nMugs & more <Ltd>\n1 High Street\n")
        assert out.below_text("https://m/u/1 https://m/p/1").endswith(
            "\n-- \nMugs & more <Ltd>\n1 High Street\n"
        )
        assert "Mugs &amp; more &lt;Ltd&gt;<br>\n1 High Street</p>" in out.below_html("<p>Hello</p>")
        whole = '<body><a href="https://m/u/1">Stop</a> <a href="https://m/p/1">Change</a></body>'
        assert (
            whole.index("Stop")
            < out.below_html(whole).index("High Street")
            < out.below_html(whole).index("</body>")
        )


class TestLinks:
    @pytest.mark.parametrize(
        ("html", "changed"),
        [
            ('<a href="https://a/">x</a>', '<a href="[https://a/]">x</a>'),
            ("<a  class='b' HREF='https://a/'>x</a>", "<a  class='b' HREF=\"[https://a/]\">x</a>"),
            ("<a href=https://a/>x</a>", '<a href="[https://a/]">x</a>'),
            ('<a href="https://a/?b=1&amp;c=2">x</a>', '<a href="[https://a/?b=1&amp;c=2]">x</a>'),
            ('<p>é\n\n<b>ü</b><a\n href="https://a/">', '<p>é\n\n<b>ü</b><a\n href="[https://a/]">'),
            ('<area href="https://a/">', '<area href="[https://a/]">'),
            ('<a href="javascript:alert(1)">x</a>', '<a href="[#]">x</a>'),
            ('<a href=" JaVaScript:alert(1)">x</a>', '<a href="[#]">x</a>'),
            ('<a href="data:text/html,x">x</a>', '<a href="[#]">x</a>'),
            ('<a href="mailto:a@b.c">x</a>', '<a href="[mailto:a@b.c]">x</a>'),
            (
                '<link href="https://a/"><img src="https://a/">',
                '<link href="https://a/"><img src="https://a/">',
            ),
            ("<a name=x>no address</a> a < b", "<a name=x>no address</a> a < b"),
            ('<!-- <a href="https://a/"> -->', '<!-- <a href="https://a/"> -->'),
        ],
    )
    def test_each_address_that_a_link_leads_to_is_changed(self, html: str, changed: str) -> None:
        assert with_links(html, lambda address: f"[{address}]") == changed

    @given(st.text(alphabet="<>a href=\"'/:&;!-[]?\nj", max_size=60))
    def test_nothing_else_is_changed_in_whatever_html(self, html: str) -> None:
        """Given anything at all; then without a link nothing changes, and the same twice changes nothing more."""
        once = with_links(html, lambda address: address)
        assert with_links(once, lambda address: address) == once
        if "href" not in html:
            assert once == html


def test_the_text_of_html() -> None:
    html = """<html><head><title>No</title><style>p {}</style></head><body>
        <h1>Hello  Ana</h1><p>It has been
        a while.<br>Come <a href="https://a/">back</a>!</p><ul><li>One</li><li>Two</li></ul>
        <p><a href="https://b/">https://b/</a></p></body></html>"""
    assert text_of(html) == (
        "Hello Ana\n\nIt has been a while.\nCome back (https://a/)!\n\n- One\n- Two\n\nhttps://b/"
    )


@pytest.mark.parametrize("html", ["<![x]>Hi", "<![ Hi", "<![if !mso]>Hi<![endif]>"])
def test_declarations_that_are_none_are_passed_over_as_browsers_do(html: str) -> None:
    assert with_links(html, lambda address: address) == html
    assert text_of(html) in {"Hi", "<![ Hi"}


def test_more_stands_within_the_body() -> None:
    assert at_end("<body>a</body></html>", "b") == "<body>ab</body></html>"
    assert at_end("a", "b") == "ab"


@given(st.text())
def test_a_header_has_one_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert line == line.strip()


def test_a_header_keeps_its_words() -> None:
    assert (
        one_line("Hello\r\nBcc: everybody@example.com \u2028 Ana") == "Hello Bcc: everybody@example.com Ana"
    )


class Tags(HTMLParser):
    """The tags there are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


@given(st.text())
def test_a_plain_layout_has_its_own_tags_only(text: str) -> None:
    tags = Tags()
    tags.feed(page_of(text, text))
    assert tags.found <= {"html", "head", "meta", "title", "body", "div", "p", "br", "a"}
