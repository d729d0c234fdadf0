"""python -m tests.language [--misread]: how well texts are read, on the labelled sentences; and how fast.

`--misread` lists what of the development part is read wrongly. What is wrong in the held-out part is not shown: rules
written to mend it would make its figures say nothing.
"""

import sys
import time

from services.scoring.adapters.language.engines import load_engine
from services.scoring.domain.language.read import read
from services.scoring.domain.language.reading import TAGS
from shared.settings import Settings
from tests.language.measure import DEVELOPMENT, HELD_OUT, measure, sentences


def main() -> None:
    """Print the figures of both parts."""
    engine = load_engine(Settings().sentiment)
    for part in (DEVELOPMENT, HELD_OUT):
        labelled = sentences(part)
        figures = measure(labelled, engine)
        print(f"\n{part}: {len(labelled)} sentences, engine {engine.name}\n")
        print(f"{'tag':<20}{'labelled':>9}{'precision':>11}{'recall':>8}")
        for tag in TAGS:
            count = figures.right[tag] + figures.missed[tag]
            print(f"{tag:<20}{count:>9}{figures.precision(tag):>11.2f}{figures.recall(tag):>8.2f}")
        print(f"sentiment: {figures.accuracy:.2f} of {figures.sentences} right")
        print(f"other languages: {figures.foreign_wrong} of {figures.foreign} not neutral")
        if "--misread" in sys.argv and part == DEVELOPMENT:
            for what, tag, one in figures.misread:
                print(f"  {what} {tag}: {one.text}")
    texts = [one.text for one in sentences(DEVELOPMENT)]
    start = time.process_time()
    for text in texts:
        read({"text": text}, engine)
    print(f"\n{(time.process_time() - start) / len(texts) * 1e6:.0f} us of CPU a sentence")


main()
