"""The section `templates`: what is written to customers, checked against the campaigns that send it."""

from collections.abc import Iterator, Mapping, Sequence

from shared.program.document.fields import Fields, Reading, fields_of
from shared.program.document.ids import Ids
from shared.program.document.tree import Scalar, read_document
from shared.program.faults import Faults, Place, ProgramError, suggestion
from shared.program.model.campaigns import Campaign
from shared.program.model.ids import TEMPLATE
from shared.program.model.program import Program
from shared.program.templating.checking import check_piece
from shared.program.templating.names import OFFERING, Occasion, is_open, names_of, personal_names
from shared.program.templating.paths import Known, Slip
from shared.program.templating.template import PURPOSES, Markup, MessageTemplate, Piece
from shared.program.templating.trial import try_out

PIECES = ("subject", "text", "html", "sms", "push")
KEYS = (*PIECES, "purpose")
CHARACTERS_MAX = 20_000
"""Of one piece: a mail of ten pages."""
SUBJECT_MAX = 250
SMS_MAX = 1_000

_LONGEST = {"subject": SUBJECT_MAX, "sms": SMS_MAX, "push": SMS_MAX}


def read_templates(root: Fields, campaigns: Sequence[Campaign]) -> dict[str, MessageTemplate]:
    """The templates by id."""
    templates: dict[str, MessageTemplate] = {}
    sent = _occasions(campaigns)
    for key, node in root.entries("templates"):
        path = f"templates.{key.text}"
        root.reading.ids.define(TEMPLATE, key.text, key.place, path)
        fields = fields_of(root.reading, node, path, KEYS)
        if fields is not None:
            templates[key.text] = _template(key.text, fields, _known(sent.get(key.text, ())))
    return templates


def read_draft(text: str, name: str, program: Program) -> MessageTemplate:
    """A template that somebody still writes, as it would stand under its id in this program: checked like those of the
    program, against the campaigns that send it. Raises `ProgramError`, with places within the text."""
    faults = Faults()
    node = read_document(text, faults)
    if node is None or (isinstance(node, Scalar) and node.empty):
        faults.add(Place(1, 1), "", "The template is empty.", "Begin with subject and text.")
        raise ProgramError(faults.found)
    reading = Reading(faults, Ids(faults, frozenset()), currency=program.currency, zone=program.time_zone)
    fields = fields_of(reading, node, "", KEYS)
    if fields is None:
        raise ProgramError(faults.found)
    template = _template(name, fields, _known(_occasions(program.campaigns).get(name, ())))
    faults.raise_if_any()
    return template


def _template(name: str, fields: Fields, known: Known) -> MessageTemplate:
    if not any(key in fields for key in ("text", "html", "sms", "push")):
        fields.fault("", "The template says nothing.", "Add subject and text, sms, push, or several of them.")
    if "subject" not in fields and ("text" in fields or "html" in fields):
        fields.need("subject", "E-mails have one, such as subject: We miss you.")
    if "subject" in fields and "text" not in fields and "html" not in fields:
        fields.fault("subject", "There is a subject, and no e-mail.", "Add text, or html, or both.")
    purpose = fields.text("purpose") or "marketing"
    if purpose not in PURPOSES:
        fields.fault("purpose", f"There is no purpose {purpose}.", suggestion(purpose, PURPOSES))
    return MessageTemplate(
        id=name,
        purpose="service" if purpose == "service" else "marketing",
        **{key: _piece(fields, key, known) for key in PIECES},
    )


def _piece(fields: Fields, key: str, known: Known) -> Piece | None:
    node = fields.scalar(key)
    if node is None:
        return None
    longest = _LONGEST.get(key, CHARACTERS_MAX)
    if not node.text.strip() or len(node.text) > longest:
        fields.fault(key, f"{key} needs a text of 1 to {longest} characters.")
        return None
    if key == "subject" and not node.text.strip().isprintable():
        fields.fault(key, "A subject stands on one line.", "Write it on one line, in quotes.")
        return None
    piece = Piece(node.text.strip(), Markup.HTML if key == "html" else Markup.TEXT)
    for slip in _slips(piece, known, fields.reading.currency):
        _fault(fields, node, key, slip)
    return piece


def _slips(piece: Piece, known: Known, currency: str) -> Iterator[Slip]:
    slips = check_piece(piece, known)
    yield from slips
    if not slips:
        wrong = try_out(piece, known.names, open_event=known.open_event, currency=currency)
        if wrong is not None:
            yield Slip(1, "", f"For some customers this could not be written: {wrong}.")


def _fault(fields: Fields, node: Scalar, key: str, slip: Slip) -> None:
    """Notes the slip where its words stand."""
    skipped = len(node.text) - len(node.text.lstrip())
    line = slip.line + node.text[:skipped].count("\n")
    fields.reading.faults.add(node.place_in(line, slip.words), fields.at(key), slip.message, slip.hint)


def _known(occasions: Sequence[Occasion]) -> Known:
    events = [occasion.event for occasion in occasions]
    bare = [occasion.campaign for occasion in occasions if not occasion.offer]
    none = f"No offer goes with this message: campaign {bare[0]} gives none." if bare else ""
    return Known(
        names=names_of(occasions),
        open_event=is_open(events),
        personal=personal_names(events),
        without_offer=none if len(bare) == len(occasions) else "",
    )


def _occasions(campaigns: Sequence[Campaign]) -> Mapping[str, list[Occasion]]:
    """Which campaigns send each template."""
    sent: dict[str, list[Occasion]] = {}
    for campaign in campaigns:
        for do in (campaign.do, *(variant.do for variant in campaign.variants)):
            offers = campaign.on in OFFERING or any(action.offer for action in do)
            for action in do:
                if action.message is not None:
                    occasion = Occasion(campaign.id, campaign.on or None, offers)
                    sent.setdefault(action.message, []).append(occasion)
    return sent
