"""`regulars trigger`: a test event, posted as a shop would."""

import re
import secrets
from copy import deepcopy
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec
import typer

from deploy.commands.calling import calling
from deploy.commands.examples import CUSTOMER, CUSTOMER_OF, EXAMPLES, OWN_ID_OF
from deploy.commands.installation import run
from deploy.errors import LocalError
from deploy.posting import post
from services.ingest.domain.shapes import CUSTOM_SHAPE, SHAPES, Shape
from shared.auth.scopes import Scope
from shared.clock import system_clock
from shared.contracts.catalogue import CUSTOM_PREFIX

SOURCE = "regulars-trigger"
RIGHTS = frozenset({Scope.EVENTS_WRITE})
DEPTH_MAX = 20
LIST_MAX = 1_000


def trigger(
    type_: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", help="Such as order.completed; left out, all types are listed."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Change the example, such as total=49.20, lines.0.sku=B-2 or customer.email=ana@example.com.",
        ),
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="The shop's id of the customer; test-customer if not given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the event, and send nothing.")] = False,
    url: Annotated[str | None, typer.Option(help="Where ingest answers, if not on this machine.")] = None,
) -> None:
    """Make a test event of a type and post it to ingest."""
    if type_ is None:
        for name in EXAMPLES:
            typer.echo(name)
        return
    event = make_event(type_, settings or [], customer, system_clock())
    typer.echo(msgspec.json.format(msgspec.json.encode(event), indent=2).decode())
    for hint in unknown_fields(type_, settings or []):
        typer.echo(hint, err=True)
    if not dry_run:
        run(_post(event, url))
        typer.echo(f"Taken: {event['source']} {event['id']}", err=True)


def make_event(type_: str, settings: list[str], customer: str | None, now: datetime) -> dict[str, Any]:
    """An event of this type, the example with what is set. Raises `LocalError`."""
    if type_ not in EXAMPLES and not type_.startswith(CUSTOM_PREFIX):
        near = get_close_matches(type_, EXAMPLES, n=1)
        hint = f"Did you mean {near[0]}?" if near else "`regulars trigger` lists them."
        raise LocalError(f"There is no event type {type_!r}. {hint} Types of your own begin with x.")
    mark = secrets.token_hex(4)
    data = {"customer": _customer(type_, settings, customer), **deepcopy(EXAMPLES.get(type_, {}))}
    if (own := OWN_ID_OF.get(type_)) is not None:
        data[own] = f"{data[own]}-{mark}"
    for setting in settings:
        path, sign, value = setting.partition("=")
        if not sign or not path:
            raise LocalError(f"--set {setting!r}: write it as PATH=VALUE, such as total=49.20.")
        _put(data, path, value)
    return {"id": f"test-{mark}", "source": SOURCE, "type": type_, "time": now, "data": data}


def _customer(type_: str, settings: list[str], id_: str | None) -> dict[str, Any]:
    """Who the event is about. What is set of them is all that is told, so that it does not also rename them; and two
    customers do not become one person by the example's address."""
    told = deepcopy(CUSTOMER_OF.get(type_, {}))
    if any(setting.startswith("customer.") for setting in settings):
        told = {}
    if id_ is None:
        return {**CUSTOMER, **told}
    if "email" in told:
        name = re.sub(r"[^a-z0-9]+", "-", id_.lower())[:60].strip("-")
        told["email"] = f"{name or 'customer'}@example.com"
    return {"id": id_, **told}


def unknown_fields(type_: str, settings: list[str]) -> list[str]:
    """What is set that events of the type do not have, with the nearest field that they do. It is sent all the same: a
    shop may tell more than Regulars knows."""
    found = []
    for setting in settings:
        path, _, _ = setting.partition("=")
        shape: Shape | None = SHAPES.get(type_, CUSTOM_SHAPE)
        for name in path.split("."):
            if shape is None:
                break
            if name.isdecimal():
                continue
            field = shape.fields.get(name)
            if field is None and shape is not CUSTOM_SHAPE:
                near = get_close_matches(name, shape.fields, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(shape.fields)}."
                found.append(f"--set {path}: there is no field {name} that Regulars knows. {hint}")
            shape = field.inner if field is not None else None
    return found


def _put(data: dict[str, Any], path: str, words: str) -> None:
    """Set the value at a path such as `lines.0.sku`. A list grows by the place after its last."""
    *before, last = path.split(".")
    if len(before) >= DEPTH_MAX or not all([*before, last]):
        raise LocalError(f"--set {path}: there is no such place; write names with dots between, lines.0.sku.")
    place: Any = data
    for number, name in enumerate(before):
        wanted: Any = [] if ([*before, last][number + 1]).isdecimal() else {}
        place = _at(place, name, path, wanted)
    _assign(place, last, path, _value(words, _present(place, last)))


def _at(place: Any, name: str, path: str, missing: Any) -> Any:
    found = _present(place, name)
    if not isinstance(found, dict | list):
        _assign(place, name, path, missing)
        return missing
    return found


def _present(place: Any, name: str) -> Any:
    if isinstance(place, list):
        return place[int(name)] if name.isdecimal() and int(name) < len(place) else None
    return place.get(name)


def _assign(place: Any, name: str, path: str, value: Any) -> None:
    if isinstance(place, dict):
        place[name] = value
    elif not name.isdecimal() or int(name) > min(len(place), LIST_MAX):
        raise LocalError(f"--set {path}: there a number is expected, up to {len(place)}.")
    elif int(name) == len(place):
        place.append(value)
    else:
        place[int(name)] = value


def _value(words: str, present: Any) -> Any:
    """A text where the example has one (amounts are texts); else JSON, where it is some, and no fraction."""
    if isinstance(present, str):
        return words
    try:
        value = msgspec.json.decode(words)
    except msgspec.DecodeError:
        return words
    return words if isinstance(value, float) and not isinstance(present, float) else value


async def _post(event: dict[str, Any], url: str | None) -> None:
    async with calling("ingest", url, name="trigger", scopes=RIGHTS) as (client, token):
        await post(client, token, [msgspec.json.encode(event)])
