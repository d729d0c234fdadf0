"""The pages behind links in messages: plain HTML without scripts, so that they work wherever a link is opened."""

from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from services.deliveries.application.recipients.responding import Choice
from services.deliveries.domain.channels import Channel, Purpose

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
"""Links are as good as keys: nothing keeps them, and nothing frames or follows the pages."""

WHOLE: Final = "choices"
"""A field of the form that is always there: what is not ticked is not sent, and so looks like no form at all."""

CHANNELS: Final = {Channel.EMAIL: "E-mail", Channel.SMS: "SMS", Channel.PUSH: "Push messages"}
PURPOSES: Final = {
    Purpose.MARKETING: "News and offers",
    Purpose.SERVICE: "About what you have with us, such as orders and subscriptions",
}

_STILL: Final = "What concerns your orders and the like still reaches you."

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0; padding: 2rem 1rem; background: #f5f5f4; color: #1c1917;
  font: 1rem/1.5 -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif }}
main {{ max-width: 34rem; margin: 0 auto; padding: 2rem; background: #fff; border-radius: .5rem }}
h1 {{ margin-top: 0; font-size: 1.4rem }}
fieldset {{ margin: 0 0 1rem; border: 1px solid #d6d3d1; border-radius: .3rem }}
label {{ display: block; padding: .3rem 0 }}
button {{ padding: .6rem 1.2rem; border: 0; border-radius: .3rem; background: #1c1917; color: #fff; font: inherit;
  cursor: pointer }}
a {{ color: inherit }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #1c1917; color: #e7e5e4 }} main {{ background: #292524 }}
  button {{ background: #e7e5e4; color: #1c1917 }}
}}
</style>
</head>
<body><main>
<h1>{title}</h1>
{body}
</main></body>
</html>
"""


def ask_to_unsubscribe(shop: str, channel: Channel, preferences: str) -> HTMLResponse:
    """Opening a link changes nothing, since mail programs and scanners open links by themselves: a button does."""
    return _page(
        f"Unsubscribe from {shop}",
        f"""<p>You will get no more news and offers by {_ways(channel)} from us. {_STILL}</p>
<form method="post"><input type="hidden" name="confirm" value="yes"><button>Unsubscribe</button></form>
<p><a href="{escape(preferences)}">Choose what you get instead</a></p>""",
    )


def unsubscribed(shop: str, channel: Channel, preferences: str) -> HTMLResponse:
    """It is done."""
    return _page(
        "You are unsubscribed",
        f"""<p>You will get no more news and offers by {_ways(channel)} from {escape(shop)}. {_STILL}</p>
<p><a href="{escape(preferences)}">Choose what you get</a></p>""",
    )


def preferences(shop: str, choice: Choice, *, saved: bool = False) -> HTMLResponse:
    """What the customer gets, to be changed."""
    groups = "\n".join(
        f"<fieldset><legend>{CHANNELS[channel]}</legend>\n"
        + "\n".join(
            _box(f"{channel}.{purpose}", words, choice.allowed)
            for purpose, words in PURPOSES.items()
            if (channel, purpose) in choice.allowed
        )
        + "</fieldset>"
        for channel in choice.channels
    )
    tracking = " checked" if choice.tracking else ""
    done = '<p role="status"><strong>Saved.</strong></p>' if saved else ""
    return _page(
        f"What you get from {shop}",
        f"""{done}<form method="post"><input type="hidden" name="{WHOLE}" value="yes">
{groups}
<label><input type="checkbox" name="tracking"{tracking}> Count whether I open mails and follow their links, so
that what I get fits me better</label>
<p><button>Save</button></p>
</form>""",
    )


def not_good() -> HTMLResponse:
    """The link is none of ours, or what it was about is gone."""
    return _page(
        "This link is not good any more",
        "<p>It may have been cut off: please open the whole link from the message. Nothing was changed.</p>",
        status=404,
    )


def away() -> HTMLResponse:
    """The database cannot be reached."""
    response = _page(
        "Please try again in a moment",
        "<p>We could not save this just now, and nothing was changed.</p>",
        status=503,
    )
    response.headers["Retry-After"] = "10"
    return response


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, headers=HEADERS)


def _box(name: str, words: str, allowed: Mapping[tuple[Channel, Purpose], bool]) -> str:
    channel, purpose = name.split(".")
    checked = " checked" if allowed[Channel(channel), Purpose(purpose)] else ""
    return f'<label><input type="checkbox" name="{name}"{checked}> {escape(words)}</label>'


def _ways(channel: Channel) -> str:
    return {Channel.EMAIL: "e-mail", Channel.SMS: "SMS", Channel.PUSH: "push messages"}[channel]
