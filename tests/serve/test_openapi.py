"""What the server says of itself is so: requests made from its own description."""

from collections import Counter
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serve.conftest import Serving

CHAT = "/v1/chat/completions"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
QUIET = settings(
    max_examples=120, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_no_request_made_from_the_description_breaks_the_server_or_its_word(
    server: Serving,
) -> None:
    described = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    answered: Counter[int] = Counter()
    for operation in [result.ok() for result in described.get_all_operations()]:

        @QUIET
        @given(operation.as_strategy(), st.booleans())
        def asked(case: Any, mend: bool) -> None:  # noqa: FBT001
            if mend and isinstance(case.body, dict):  # what no description can say
                case.body |= {"model": "rag", "tool_choice": "none"}
                case.body["messages"] = [{"role": "user", "content": "?"}]
            answer = case.call_and_validate(checks=CHECKS)
            if case.path == CHAT:
                answered[answer.status_code] += 1

        asked()
    assert 10 < answered[200] < answered.total() - 10, answered


def test_every_route_says_which_errors_it_answers(server: Serving) -> None:
    paths = httpx.get(f"{server.url}/openapi.json").json()["paths"]
    statuses = {
        (path, method): set(operation["responses"])
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    always = {"200", "401", "403", "408", "413", "421", "500"}
    assert statuses == {
        (CHAT, "post"): always | {"400", "404", "429", "503", "504"},
        ("/v1/models", "get"): always,
        ("/v1/adapters/refresh", "post"): always | {"503"},
        ("/healthz", "get"): always | {"503"},
        ("/metrics", "get"): always,
    }
