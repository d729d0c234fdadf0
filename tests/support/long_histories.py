"""Random histories of a thousand steps: hypothesis on its own tries few things at a time, and seldom so many."""

from random import Random

from tests.support.random_histories import Histories

ACTS = {
    "buy": (3, 3, 255, 15),
    "buy_again": (1, 3, 15, 255, 15),
    "refund": (2, 3, 15, 255),
    "cancel": (1, 3, 15),
    "again": (1, 15),
    "register": (1, 3),
    "reserve": (2, 3, 255, 15),
    "end": (2, 15, 1),
    "adjust": (1, 3, 255),
    "wait": (3, 15),
    "wait_unnoticed": (1, 15),
}
"""How often each thing happens beside the others, and the highest of each of its numbers."""
NUMBERS = {
    "buy": ("who", "size", "late"),
    "buy_again": ("who", "which", "size", "late"),
    "refund": ("who", "which", "size"),
    "cancel": ("who", "which"),
    "again": ("which",),
    "register": ("who",),
    "reserve": ("who", "size", "which"),
    "end": ("which", "confirms"),
    "adjust": ("who", "size"),
    "wait": ("size",),
    "wait_unnoticed": ("size",),
    "merge": ("who", "into"),
    "unmerge": ("who",),
}
WHO_IS_WHO = {"merge": (2, 3, 3), "unmerge": (2, 3)}


def run(machine: Histories, random: Random, steps: int) -> None:
    """So many steps by chance."""
    acts = ACTS | (WHO_IS_WHO if machine.merging else {})
    machine.start(pending=random.choice([0, 14]))
    machine.agree()
    for _ in range(steps):
        act = random.choices(list(acts), [often for often, *_ in acts.values()])[0]
        if act == "merge" and not machine.alone():
            continue
        if act == "unmerge" and not machine.naive.merged:
            continue
        numbers = [random.randint(0, most) for most in acts[act][1:]]
        try:
            getattr(machine, act)(**dict(zip(NUMBERS[act], numbers, strict=True)))
            machine.agree()
        except Exception as error:
            error.add_note(f"after {machine.steps} steps, in {act}{tuple(numbers)}")
            raise
    machine.teardown()
