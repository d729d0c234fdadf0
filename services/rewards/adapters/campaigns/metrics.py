"""What is measured of campaigns: a funnel from runs to goals. Counted as it is decided: a batch that is tried again
after a passing fault counts again, so these are for dashboards; what is exact, the report says."""

import collections
from collections.abc import Iterable

import structlog
from prometheus_client import Counter

from services.rewards.domain.state.messages import AskedMessage
from services.rewards.domain.state.runs import Run

RUNS = Counter(
    "regulars_campaign_runs_total", "Times that a campaign began for a customer.", ["campaign", "arm"]
)
GOALS = Counter("regulars_campaign_goals_total", "Runs whose goal was reached.", ["campaign", "arm"])
MESSAGES = Counter(
    "regulars_campaign_messages_total",
    "Messages of campaigns: asked for, sent, opened, clicked, unsubscribed from; each once.",
    ["campaign", "what"],
)
BRAKED = Counter(
    "regulars_campaign_braked_total",
    "Times that a campaign without at_most did not begin, since it had three times within a day for the customer.",
    ["campaign"],
)

log = structlog.get_logger()


def count_braked(campaigns: Iterable[str]) -> None:
    """Campaigns that did not begin since they may go in circles; each is told of in the log, once a batch."""
    for campaign, times in collections.Counter(campaigns).items():
        BRAKED.labels(campaign).inc(times)
        log.warning("campaign_braked", campaign=campaign, times=times, remedy="give it at_most")


def count_runs(runs: Iterable[Run]) -> None:
    """Runs that are written: new ones, and those whose goal was reached, which change no more."""
    written = list(runs)
    _count(RUNS, ((run.campaign, run.arm) for run in written if not run.stored))
    _count(GOALS, ((run.campaign, run.arm) for run in written if run.reached_at is not None))


def count_asked(messages: Iterable[AskedMessage]) -> None:
    """Messages that were asked for."""
    _count(MESSAGES, ((message.campaign, "asked") for message in messages))


def count_noted(campaign: str, news: Iterable[str]) -> None:
    """What became of a message of a campaign for the first time."""
    _count(MESSAGES, ((campaign, what) for what in news))


def _count(counter: Counter, labels: Iterable[tuple[str, str]]) -> None:
    """Add them up first: to find a label's counter costs more than to count."""
    for each, times in collections.Counter(labels).items():
        counter.labels(*each).inc(times)
