"""What is accepted stands on the stream; what is refused leaves no trace."""

from tests.integration.ingest.conftest import Ingest
from tests.support.events import order


async def test_accepted_event_is_on_the_log(ingest: Ingest) -> None:
    """Given a valid order; when it is posted; then it is accepted and durable."""
    answer = await ingest.post(order())

    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": 1}
    (record,) = await ingest.records()
    assert (record.source, record.id, record.type) == ("shop", "order-1", "order.completed")
    assert record.data["total"] == "49.20"
