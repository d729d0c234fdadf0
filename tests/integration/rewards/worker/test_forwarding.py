"""What deliveries must know is on the outcomes stream, once, under whoever has the part now."""

from msgspec.structs import replace

from shared.contracts.activity import Activity, Change, Person
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, activity, order

OTHER = "cus_" + "b" * 24
ANA = Person(subject="s" * 32, sealed="AAAA", sealed_fields=["customer.email"])


def merged(source: str, into: str) -> Activity:
    """Two customers proved to be one."""
    one = activity("customer.merged", "m1", customer=into, parts=[source], epoch=3)
    one.data["from"] = source
    return replace(one, person=Person(consents=["email"]))


async def test_a_person_and_changes_are_told_once_beside_what_was_earned(rewards: Rewards) -> None:
    """Given an order with a person and a change of stage; when it is handled, and comes again; then both are told,
    once, after the points."""
    changes = [Change(what="stage", old="active", new="loyal")]
    one = replace(order("1", "49.20"), person=ANA, changes=changes)

    await rewards.happen(one)
    await rewards.happen(one)

    told = await rewards.outcomes()
    assert [each.type for each in told] == ["points.earned", "recipient.changed", "stage.changed"]
    assert {each.cause for each in told} == {one.id}


async def test_what_is_told_of_a_part_goes_to_whoever_has_it(rewards: Rewards) -> None:
    """Given a customer who was merged into another; when an event of theirs comes that was told under the old id; then
    the person is told under the new one, with the part that it is of; and the merge was told with its parts."""
    await rewards.happen(order("1", "10", customer=OTHER))
    await rewards.happen(merged(OTHER, CUSTOMER))
    late = replace(activity("customer.updated", "u1", customer=OTHER), person=ANA, part=OTHER)
    await rewards.happen(late)

    merge, person = [one for one in await rewards.outcomes() if one.type.startswith(("customer", "recip"))]
    assert (merge.type, merge.customer_id) == ("customer.merged", CUSTOMER)
    assert (merge.data["from"], merge.data["parts"], merge.data["epoch"]) == (OTHER, [OTHER], 3)
    assert merge.data["person"] == {"consents": ["email"]}
    assert (person.customer_id, person.data["part"]) == (CUSTOMER, OTHER)
