"""How often something may happen."""

from dataclasses import dataclass

from shared.program.values.period import Period


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` per `per`: a period, or the value of an event's field (`network`); without `per`, ever."""

    times: int
    per: Period | str | None = None
