"""Whatever is sent to whichever route: it is answered as the document says, bad input with a problem that says where,
and what is refused changes nothing.

The requests are derived from each service's own OpenAPI document, always the same ones. `REQUESTS=300` sends so many of
each kind to each route, other ones each time; hypothesis prints how to repeat what fails.
"""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.settings import Settings
from tests.conftest import SECRET
from tests.end_to_end.stories.town import TOKEN
from tests.property.routes.answers import Answer, faults_of, faults_of_problem
from tests.property.routes.requests import Operation, Request, described, operations
from tests.property.routes.shop import SERVICES, Shop, open_shop
from tests.property.routes.spoiling import spoilt
from tests.support.database import TestDatabases

REQUESTS = int(os.environ.get("REQUESTS", "0"))

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("routes")]
if REQUESTS:
    pytestmark.append(pytest.mark.timeout(0))

NOWHERE = Settings(database_url="postgresql://nobody@localhost/nothing", secret=SecretStr(SECRET))
DOCUMENTS = {name: service.create_app(NOWHERE).openapi() for name, service in SERVICES.items()}
EVERY = [
    pytest.param(name, operation, id=f"{name} {operation}")
    for name, document in DOCUMENTS.items()
    for operation in operations(document)
]
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}
KEPT = {"rewards.refusals", "rewards.code_attempts", "platform.api_keys"}
"""Tables that are about requests: what was refused at the checkout and why, guesses of codes, when a key was used."""
SMALL = settings(
    max_examples=REQUESTS or 12,
    derandomize=not REQUESTS,
    database=None,
    phases=[Phase.generate, *([Phase.shrink] if REQUESTS else [])],
    suppress_health_check=list(HealthCheck),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(databases: TestDatabases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with databases.fresh() as url, open_shop(url, tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def methods_of(service: str, path: str) -> set[str]:
    """The methods of all paths that a path is one of, `/customers/merge` is also a customer's; HEAD where a scanner may
    ask, which is not documented."""
    parts = path.split("/")
    methods = {"HEAD"} if path.startswith("/c/") else set()
    for other, calls in DOCUMENTS[service]["paths"].items():
        pairs = zip(parts, other.split("/"), strict=False)
        if other.count("/") == path.count("/") and all(
            one == two or two.startswith("{") for one, two in pairs
        ):
            methods |= {method.upper() for method in calls}
    return methods


async def ask(shop: Shop, service: str, request: Request) -> Answer:
    method, query = request.operation.method, request.query_string
    return await shop.send(
        service, method, request.target, query=query, headers=request.headers, body=request.body
    )


async def check(shop: Shop, service: str, request: Request) -> None:
    answer = await ask(shop, service, request)
    faults = list(faults_of(answer, request))
    changed = await shop.changes()
    if answer.status >= 400 and set(changed) - KEPT:
        faults.append(f"it was refused, and changed {changed}")
    assert not faults, f"{faults}\n{request}\n{answer}"


@pytest.mark.parametrize(("service", "operation"), EVERY)
@given(data=st.data())
@settings(SMALL, max_examples=REQUESTS or 6)
async def test_what_is_described_is_answered_as_described(
    shop: Shop, service: str, operation: Operation, data: st.DataObject
) -> None:
    """Given a shop; when a request comes such as the document describes; then the answer is one that it describes."""
    await check(shop, service, data.draw(described(operation, shop.known, TOKEN)))


@pytest.mark.parametrize(("service", "operation"), EVERY)
@given(data=st.data())
@SMALL
async def test_what_is_spoilt_is_refused_and_changes_nothing(
    shop: Shop, service: str, operation: Operation, data: st.DataObject
) -> None:
    """Given a shop; when a request comes with something about it that nobody should send; then it is answered, or
    refused with a problem that says where, and nothing has changed."""
    await check(shop, service, data.draw(spoilt(operation, shop.known, TOKEN)))


@pytest.mark.parametrize("service", SERVICES)
async def test_methods_and_paths_that_are_not_there_are_refused(shop: Shop, service: str) -> None:
    """Given a service; when its paths are asked with methods that they do not have, or others are asked; then 405 names
    those that they have, or 404."""
    for path, calls in DOCUMENTS[service]["paths"].items():
        target = path.replace("{", "").replace("}", "").encode()
        for method in METHODS - methods_of(service, path):
            answer = await shop.send(service, method, target)
            assert answer.status == 405, (method, path, answer)
            assert not list(faults_of_problem(answer)), (method, path, answer)
            assert set(answer.headers["allow"].split(", ")) >= {method.upper() for method in calls}, (
                method,
                answer,
            )
        for beside in (target + b"/", target + b"/x/y/z", b"/" + target, target + b"%00", b"", b"*", b"/%ff"):
            answer = await shop.send(service, "GET", beside)
            assert answer.status in (404, 405, 422), (beside, answer)
            assert not list(faults_of_problem(answer)), (beside, answer)
    assert await shop.changes() == []
