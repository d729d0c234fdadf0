"""What a bus must do, whatever it is made of. The tests of each implementation inherit these classes."""

from tests.integration.bus.behaviour.delivery import DeliveryBehaviour, RestartBehaviour
from tests.integration.bus.behaviour.faults import OutageBehaviour, PoisonBehaviour
from tests.integration.bus.behaviour.groups import GroupBehaviour
from tests.integration.bus.behaviour.retention import RetentionBehaviour

__all__ = [
    "DeliveryBehaviour",
    "GroupBehaviour",
    "OutageBehaviour",
    "PoisonBehaviour",
    "RestartBehaviour",
    "RetentionBehaviour",
]
