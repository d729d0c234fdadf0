"""What is measured of campaigns: a funnel from runs to goals. Counted as it is decided: a batch that is tried again
after a passing fault counts again, so these are for dashboards; what is exact, the report says."""

from collections.abc import Iterable

from prometheus_client import Counter

from services.rewards.domain.campaigns.messages import AskedMessage
from services.rewards.domain.campaigns.runs import Run

RUNS = Counter(
    "regulars_campaign_runs_total", "Times that a campaign began for a customer.", ["campaign", "arm"]
)
GOALS = Counter("regulars_campaign_goals_total", "Runs whose goal was reached.", ["campaign", "arm"])
MESSAGES = Counter(
    "regulars_campaign_messages_total",
    "Messages of campaigns: asked for, sent, opened, clicked, unsubscribed from; each once.",
    ["campaign", "what"],
)


def count_runs(runs: Iterable[Run]) -> None:
    """Runs that are written: new ones, and those whose goal was reached, which change no more."""
    for run in runs:
        if not run.stored:
            RUNS.labels(run.campaign, run.arm).inc()
        if run.reached_at is not None:
            GOALS.labels(run.campaign, run.arm).inc()


def count_asked(messages: Iterable[AskedMessage]) -> None:
    """Messages that were asked for."""
    for message in messages:
        MESSAGES.labels(message.campaign, "asked").inc()


def count_noted(campaign: str, news: Iterable[str]) -> None:
    """What became of a message of a campaign for the first time."""
    for what in news:
        MESSAGES.labels(campaign, what).inc()
