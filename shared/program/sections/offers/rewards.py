"""The section `rewards`: the catalogue of what customers buy with points."""

from shared.program.document.fields import Fields, fields_of
from shared.program.model.ids import REWARD
from shared.program.model.offers import Reward
from shared.program.sections.offers.gifts import GIFTS, TERMS, read_gift, read_terms

KEYS = ("points", *GIFTS, *TERMS)


def read_rewards(root: Fields) -> dict[str, Reward]:
    """The rewards by id, in the order of the file."""
    rewards: dict[str, Reward] = {}
    for key, node in root.entries("rewards"):
        path = f"rewards.{key.text}"
        root.reading.ids.define(REWARD, key.text, key.place, path)
        fields = fields_of(root.reading, node, path, KEYS)
        if fields is None:
            continue
        fields.need("points", "Say what it costs, such as points: 500.")
        given = read_gift(fields, "A reward")
        rewards[key.text] = Reward(
            id=key.text, points=fields.whole("points") or 1, terms=read_terms(fields), **given
        )
    return rewards
