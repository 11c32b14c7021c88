"""What the document of a REST interface promises, tried with requests that are made up from it.

@pytest.mark.parametrize("operation", operations(DOCUMENT))
def test_what_the_document_promises_holds(operation: str) -> None:
    each_kind_of_request(DOCUMENT, operation, lambda case: case.call_and_validate(…))

Each operation is a test, and its requests are made up when it runs. Made up by the collection, which
is what ``schema.parametrize()`` does, they take every process of a parallel run half a minute.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.schemas import APIOperation, BaseSchema

# How many requests of each kind; a large number sends all that can be made up.
EXAMPLES = int(os.environ.get("ROOKERY_FUZZ_EXAMPLES", "1"))
OUT_OF_REACH = frozenset({502, 503, 504})


def is_no_failure(context: Any, response: Any, case: Any) -> bool | None:
    """A 5xx says that something failed here, but for what the document says of others that are out of reach."""
    if response.status_code in OUT_OF_REACH:
        return checks.status_code_conformance(context, response, case)
    return checks.not_a_server_error(context, response, case)


CHECKS = [
    is_no_failure,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


@cache
def _schema(document: Path) -> BaseSchema:
    return schemathesis.openapi.from_path(str(document))


@cache
def _operations(document: Path) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    found = {}
    for result in _schema(document).get_all_operations():
        assert isinstance(result, Ok), result
        found[result.ok().label] = result.ok()
    return found


def operations(document: Path) -> list[str]:
    """Of each operation its method and its path."""
    return list(_operations(document))


def each_kind_of_request(document: Path, operation: str, send: Callable[[Any], None]) -> None:
    """Send what the document has as examples, what it leaves to choose, and what it forbids.

    A value of a wrong type is one kind of request, however many fields of a body could have it: they
    are all found by the same code.
    """
    sent: Counter[tuple[object, ...]] = Counter()

    def test(case: Any) -> None:
        what = case.meta.phase.data
        if hasattr(what, "scenario"):
            kind = (what.scenario, what.parameter_location)
            sent[kind] += 1
            if sent[kind] > EXAMPLES:
                return
        send(case)

    config = HypothesisTestConfig(modes=list(HypothesisTestMode), project=_schema(document).config)
    create_test(operation=_operations(document)[operation], test_func=FEW(test), config=config)()
    assert sent, "nothing was made up"
