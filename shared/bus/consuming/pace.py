"""How long workers wait between two batches: long enough that batches are worth what each costs by itself."""

PACE_S = 0.04
"""Between the beginnings of two batches, unless a backlog fills them. A transaction costs the same dozen round trips
for one record as for a hundred: without a pace, steady load is handled in crumbs, and the crumbs eat the machine. Short
where somebody waits for what comes of it; a worker nobody waits for may take its time. Records that come after a rest
are handled at once, and a batch that took longer than this is followed at once by the next: what came meanwhile is
batch enough. With f fixed and m for a record, at a rate r one takes f + m*r*(time between two): they settle at
f / (1 - m*r), the larger the less of the machine is left."""
