"""What the use cases of scoring need from outside, by subject. The adapters implement it on PostgreSQL.

Every method works within the transaction of the connection that it is given. Locks are taken in this order:
inbox, identities, customers, outbox.
"""

from services.scoring.application.ports.customers import Customers, Known, Orders, Profile, Stored
from services.scoring.application.ports.due import ComingDays, DueCustomer, Next
from services.scoring.application.ports.events import Archive, Arrival, Inbox, Reader, Timeline
from services.scoring.application.ports.identity import Decisions, Identities, MergeRecord
from services.scoring.application.ports.metrics import Countable, Rollups, Stale
from services.scoring.application.ports.segments import Memberships, Pass, Rules

__all__ = [
    "Archive",
    "Arrival",
    "ComingDays",
    "Countable",
    "Customers",
    "Decisions",
    "DueCustomer",
    "Identities",
    "Inbox",
    "Known",
    "Memberships",
    "MergeRecord",
    "Next",
    "Orders",
    "Pass",
    "Profile",
    "Reader",
    "Rollups",
    "Rules",
    "Stale",
    "Stored",
    "Timeline",
]
