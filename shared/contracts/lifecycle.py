"""The stages of a customer's life. Their ids are a contract: programs, stored records and other systems name them."""

from typing import Final, Literal, get_args

Stage = Literal[
    "onboarding",
    "value_realisation",
    "active",
    "loyal",
    "at_risk",
    "lapsed",
    "churned",
    "won_back",
]

STAGES: Final[tuple[str, ...]] = get_args(Stage)

ONBOARDING: Final = "onboarding"
VALUE_REALISATION: Final = "value_realisation"
ACTIVE: Final = "active"
LOYAL: Final = "loyal"
AT_RISK: Final = "at_risk"
LAPSED: Final = "lapsed"
CHURNED: Final = "churned"
WON_BACK: Final = "won_back"
