"""Complaints in words that no rule knows: a sentence that sounds bad and names what it is about."""

import re
from collections.abc import Callable, Collection, Iterator

from services.scoring.domain.language.reading import DELIVERY, PRICE, QUALITY, SERVICE
from services.scoring.domain.language.tagging import UNREAL
from services.scoring.domain.language.wording import Wording

BAD = -25
"""A sentence that sounds so, or worse, complains of what it names."""

_WORDS = {
    DELIVERY: """delivery deliveries deliver delivered delivering shipping shipped shipment courier courier's driver
        parcel parcels package packages tracking depot dispatch dispatched post postman carrier transit""",
    PRICE: """price prices pricing priced cost costs fee fees bill bills surcharge premium rates tariff
        discount""",
    QUALITY: """quality fabric material stitching seam seams sole soles zip zipper strap battery charger screen display
        speaker speakers cable handle button buttons hinge lid pump wheel wheels drawer paint coating leather software
        update version connection signal sound picture packaging workmanship""",
    SERVICE: """service support staff agent agents hotline helpdesk representative representatives rep waiter waitress
        receptionist manager assistant advisor adviser call calls phone email emails reply replies response responses
        ticket chat chatbot complaint complaints counter employee employees clerk team""",
}
_ASPECT = {word: tag for tag, words in _WORDS.items() for word in words.split()}
_TAME = UNREAL | {"zero", "no", "without"}
_CLAUSE = re.compile(r"(?<= )(?:\.|\?|but|although|though|however)(?= )")


def complaints_in(
    wording: Wording, text: str, known: Collection[str], sentiment: Callable[[str], int | None]
) -> Iterator[tuple[str, int, int]]:
    """Tags besides those `known`, with the characters of the normal form that name what is complained of."""
    normal, start = wording.normal, 1
    ends = [*(found.span() for found in _CLAUSE.finditer(normal)), (len(normal), len(normal))]
    for end, after in ends:
        clause = normal[start:end]
        named = {_ASPECT[word]: word for word in reversed(clause.split()) if word in _ASPECT}
        fresh = [(tag, word) for tag, word in named.items() if tag not in known]
        asks = normal[end : end + 1] == "?"
        if fresh and not asks and _TAME.isdisjoint(clause.split()):
            first, last = wording.place(start, max(start + 1, end - 1))
            sounds = sentiment(text[first:last])
            if sounds is not None and sounds <= BAD:
                for tag, word in fresh:
                    place = start + f" {clause} ".index(f" {word} ")
                    yield tag, place, place + len(word)
        start = after + 1
