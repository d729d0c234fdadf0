"""What the customer says: sentiment of their words, surveys, stars."""

from services.scoring.domain.event import Event
from services.scoring.domain.score.parts.part import FactValue, Part, View, rounded
from services.scoring.domain.score.parts.trace import Trace
from services.scoring.domain.state.feedback import HUNDREDTHS, NPS_RANGE, STARS_RANGE, Answers
from services.scoring.domain.state.voice import OPINION_LASTS, sentiment_at


def sentiment(view: View) -> int | None:
    """How the customer's texts of the last year sound: 0 only bad, 50 neutral, 100 only good.

    Emotions in what customers write predict their leaving beyond what they buy (Coussement and Van den Poel 2009,
    "Improving customer attrition prediction by integrating emotions from client/company interaction emails").
    """
    found = sentiment_at(view.state.voice, view.at)
    return None if found is None else rounded((100 + found) / 2)


def texts(view: View) -> int:
    """How many texts stand behind the sentiment."""
    return sum(1 for at, _, _ in view.state.voice.newest if view.at - at < OPINION_LASTS)


def satisfaction(view: View) -> int | None:
    """What surveys say (NPS of 0 to 10, CSAT of 1 to 5), as 0 to 100: the mean of all answers and the newest one of
    each kind, half each, because what they say now counts as much as all that they ever said.

    Reichheld 2003, "The one number you need to grow"; Keiningham et al. 2007, "A longitudinal examination of net
    promoter and firm revenue growth", find NPS no better than satisfaction, so both count alike.
    """
    feedback = view.state.feedback
    found = []
    if feedback.nps.count:
        found.append((feedback.nps.count, _level(feedback.nps, NPS_RANGE)))
    if feedback.csat.count:
        found.append((feedback.csat.count, _level(feedback.csat, STARS_RANGE)))
    if not found:
        return None
    return rounded(sum(count * level for count, level in found) / sum(count for count, _ in found))


def reviews(view: View) -> int | None:
    """The mean of the customer's stars: one star is 0, three are 50, five are 100.

    A review is a public act: who praises binds themselves (Cialdini 1984, "Influence", on commitment).
    """
    answers = view.state.feedback.reviews
    return rounded(100 * _share(answers.sum / answers.count, STARS_RANGE)) if answers.count else None


def _level(answers: Answers, between: tuple[int, int]) -> float:
    """0 to 100, from the mean and the newest answer."""
    mean = answers.sum / answers.count
    last = mean if answers.last is None else answers.last
    return 50 * (_share(mean, between) + _share(last, between))


def _share(hundredths: float, between: tuple[int, int]) -> float:
    """Where a score stands between the lowest and the highest possible, 0 to 1, also if a
    sender goes beyond."""
    lowest, highest = between
    return min(1.0, max(0.0, (hundredths / HUNDREDTHS - lowest) / (highest - lowest)))


def _sentiment_facts(view: View) -> dict[str, FactValue]:
    voice = view.state.voice
    return {
        "texts": texts(view),
        "sentiment": sentiment_at(voice, view.at),
        "positive": voice.positive,
        "negative": voice.negative,
    }


def _satisfaction_facts(view: View) -> dict[str, FactValue]:
    feedback = view.state.feedback
    facts: dict[str, FactValue] = {}
    for name, answers in (("nps", feedback.nps), ("csat", feedback.csat)):
        facts |= {
            f"{name}_answers": answers.count,
            f"{name}_mean": answers.mean,
            f"{name}_last": answers.newest,
        }
    return facts


def _review_facts(view: View) -> dict[str, FactValue]:
    answers = view.state.feedback.reviews
    return {"reviews": answers.count, "stars": answers.mean, "last_at": answers.last_at}


def _texts(trace: Trace) -> list[Event]:
    """The texts that the sentiment is the mean of."""
    keys = {key for at, _, key in trace.state.voice.newest if trace.at - at < OPINION_LASTS}
    return [event for event in trace.events if event.key in keys]


def _surveys(trace: Trace) -> list[Event]:
    return [
        event for event in trace.of("survey.answered") if event.record.data.get("kind") in ("nps", "csat")
    ]


SAYING = (
    Part(
        "sentiment",
        sentiment,
        _sentiment_facts,
        _texts,
        fields=("voice",),
        evidence=texts,
    ),
    Part(
        "satisfaction",
        satisfaction,
        _satisfaction_facts,
        _surveys,
        fields=("feedback",),
        evidence=lambda view: view.state.feedback.nps.count + view.state.feedback.csat.count,
    ),
    Part(
        "reviews",
        reviews,
        _review_facts,
        lambda trace: trace.of("review.posted"),
        fields=("feedback",),
        evidence=lambda view: view.state.feedback.reviews.count,
    ),
)
