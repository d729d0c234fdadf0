"""What the person who imports has chosen, beside the file itself."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

from deploy.importing.reading.values import STATUSES, Status, status_word


class Choices(Struct, frozen=True, kw_only=True):
    """`columns` maps a column of the file to our field. `statuses` maps words for an order's state beyond those
    known. `currency` is that of orders without one, `zone` that of times without an offset. `points` is false when
    history shall earn nothing."""

    source: str = "import"
    columns: Mapping[str, str] = {}
    currency: str | None = None
    zone: ZoneInfo | None = None
    time_format: str | None = None
    decimal_comma: bool = False
    delimiter: str | None = None
    encoding: str | None = None
    statuses: Mapping[str, Status] = {}
    points: bool = True

    def status(self, word: str) -> Status | None:
        """What a word for an order's state means; None if nobody knows."""
        plain = status_word(word)
        return self.statuses.get(plain) or STATUSES.get(plain)

    def fingerprint(self) -> str:
        """The same for the same choices: what was begun with some goes on with these."""
        zone = self.zone.key if self.zone else None
        values = [getattr(self, name) for name in self.__struct_fields__ if name != "zone"]
        return repr([zone, *(sorted(each.items()) if isinstance(each, dict) else each for each in values)])
