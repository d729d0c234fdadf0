"""How long workers wait between two batches: long enough that batches are worth what each costs by itself."""

PACE_S = 0.04
"""Between the beginnings of two batches, unless a backlog fills them. A transaction costs the same dozen round trips
for one record as for a hundred: without a pace, steady load is handled in crumbs, and the crumbs eat the machine. Short
where somebody waits for what comes of it; a worker nobody waits for may take its time.
Records that come after a rest are handled at once."""

PACE_SHARE, PACE_MAX_S = 1.1, 0.12
"""Where a batch takes longer than the pace allows, the next one begins after so many times what it took, up to this:
until then ten elevenths of its time at most are spent on batches, and those grow with what comes. With f fixed and m
for a record, at a rate r one takes f + m*r*(time between two): they settle f / (1/share - m*r) apart. A greater share
saves processor that nobody else wants, and whoever waits longer asks more often; none at all lets crumbs eat a machine
that is full."""


def gap_s(took_s: float, pace_s: float) -> float:
    """Between the beginnings of a batch that took so long, and did not fill, and of the next one."""
    return max(pace_s, min(PACE_MAX_S, PACE_SHARE * took_s))
