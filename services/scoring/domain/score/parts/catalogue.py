"""All standard parts of the score, in the order in which they are shown."""

from services.scoring.domain.score.parts.buying import BUYING
from services.scoring.domain.score.parts.saying import SAYING
from services.scoring.domain.score.parts.standing_by import STANDING_BY
from services.scoring.domain.score.parts.staying import STAYING
from services.scoring.domain.score.parts.trouble import TROUBLE
from shared.program.model.score import BEHAVIOURAL, EMOTIONAL

PARTS = {BEHAVIOURAL: (*BUYING, *STAYING), EMOTIONAL: (*SAYING, *STANDING_BY, *TROUBLE)}
"""By the half of the score that they belong to."""
