"""`python -m tests.faults --rounds 100`: many rounds, alternating between the buses, each with its own seed."""

import argparse
import asyncio
import secrets

from rich.progress import Progress

from tests.faults.round import fault_round, stack_with_mail


async def rounds(count: int, seconds: float, seed: int | None, buses: list[str]) -> None:
    """Run so many rounds; the first failure ends the run and names its seed."""
    first = secrets.randbelow(1_000_000) if seed is None else seed
    with Progress() as progress:
        bar = progress.add_task("fault rounds", total=count)
        for number in range(count):
            bus = buses[number % len(buses)]
            async with stack_with_mail(bus) as (stack, mailbox):  # type: ignore[arg-type]
                report = await fault_round(stack, mailbox, first + number, seconds)
            kills = ", ".join(f"{name} x{times}" for name, times in sorted(report.kills.items()))
            progress.console.print(
                f"seed {report.seed} on {bus}: {report.posted} events, {report.redeemed} redemptions, "
                f"{report.letters} letters ({report.repeats} told twice to the mail server), "
                f"{report.retries} retries; killed {kills}: all exactly once"
            )
            progress.advance(bar)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20, help="load and kills per round")
    parser.add_argument("--seed", type=int, help="of the first round; each next one counts up by one")
    parser.add_argument("--bus", choices=["postgres", "kafka"], help="only this one")
    arguments = parser.parse_args()
    buses = [arguments.bus] if arguments.bus else ["postgres", "kafka"]
    asyncio.run(rounds(arguments.rounds, arguments.seconds, arguments.seed, buses))


if __name__ == "__main__":
    main()
