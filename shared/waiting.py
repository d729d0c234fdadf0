"""Waiting that can be ended early: how every loop of a process pauses between its turns."""

import asyncio


async def rest(until: asyncio.Event, seconds: float) -> None:
    """So long, or until the event."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        return
