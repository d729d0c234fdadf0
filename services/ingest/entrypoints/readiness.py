"""What `/readyz` asks of ingest."""

from collections.abc import Mapping

from services.ingest.adapters.spool import PostgresSpool
from services.ingest.adapters.vault import VerifiedKeyring
from services.ingest.application.spooling import SpoolingPublisher
from shared.bus.interface import BusUnavailableError, Producer
from shared.http.health import Check, Degraded


def api_checks(
    keyring: VerifiedKeyring,
    producer: Producer,
    publisher: SpoolingPublisher | None,
    spool: PostgresSpool | None,
) -> Mapping[str, Check]:
    """Events can be made durable, in one place or the other, and the secret is the right one."""

    async def bus() -> str | None:
        if publisher is not None and publisher.spooling:
            return await _spool_writable(spool)
        if await producer.ready():
            return None
        return await _spool_writable(spool)

    return {"bus": bus, "secret": keyring.problem}


async def _spool_writable(spool: PostgresSpool | None) -> str | None:
    if spool is None:
        return "the database is away"
    try:
        depth = await spool.depth()
    except BusUnavailableError:
        return "neither Kafka nor the spool can be written"
    return Degraded(f"events go to the spool; {depth} wait there for Kafka")
