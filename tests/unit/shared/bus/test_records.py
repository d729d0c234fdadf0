"""Where records go."""

import pytest

from shared.bus.records import partition_of


@pytest.mark.parametrize(
    ("key", "partitions", "partition"),
    [("cus_1", 32, 6), ("cus_2", 32, 28), ("ключ", 32, 26), ("", 32, 0), ("cus_1", 4, 2)],
)
def test_the_partition_of_a_key_never_changes(key: str, partitions: int, partition: int) -> None:
    """Given keys on existing streams; then they go where they always went, or their order would be lost."""
    assert partition_of(key, partitions) == partition
