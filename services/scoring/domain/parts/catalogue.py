"""All standard parts of the score, in the order in which they are shown."""

from services.scoring.domain.parts.buying import BUYING
from services.scoring.domain.parts.saying import SAYING
from services.scoring.domain.parts.standing_by import STANDING_BY
from services.scoring.domain.parts.staying import STAYING
from services.scoring.domain.parts.trouble import TROUBLE
from shared.program.model import BEHAVIOURAL, EMOTIONAL

PARTS = {BEHAVIOURAL: (*BUYING, *STAYING), EMOTIONAL: (*SAYING, *STANDING_BY, *TROUBLE)}
"""By the half of the score that they belong to."""
