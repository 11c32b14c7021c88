"""What the document of a REST interface promises, tried with requests that are made up from it.

@pytest.mark.parametrize("operation", operations(DOCUMENT))
def test_what_the_document_promises_holds(operation: str) -> None:
    each_kind_of_request(DOCUMENT, operation, lambda case: validated(case, …))

Each operation is a test, and its requests are made up when it runs. Made up by the collection, which
is what ``schema.parametrize()`` does, they take every process of a parallel run half a minute; what makes
them up is imported, and reads the document, where it is used for that reason.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schemathesis.schemas import APIOperation, BaseSchema

# How many requests of each kind; a large number sends all that can be made up.
EXAMPLES = int(os.environ.get("ROOKERY_FUZZ_EXAMPLES", "1"))
OUT_OF_REACH = frozenset({502, 503, 504})


@cache
def _schema(document: Path) -> BaseSchema:
    import schemathesis

    return schemathesis.openapi.from_path(str(document))


@cache
def _operations(document: Path) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    from schemathesis.core.result import Ok

    found = {}
    for result in _schema(document).get_all_operations():
        assert isinstance(result, Ok), result
        found[result.ok().label] = result.ok()
    return found


def operations(document: Path) -> list[str]:
    """Of each operation its method and its path."""
    paths = json.loads(document.read_text(encoding="utf-8"))["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


@cache
def _checks() -> list[Any]:
    from schemathesis import checks

    def is_no_failure(context: Any, response: Any, case: Any) -> Any:
        """A 5xx says that something failed here, but for what the document says of others that are out of reach."""
        if response.status_code in OUT_OF_REACH:
            return checks.status_code_conformance(context, response, case)
        return checks.not_a_server_error(context, response, case)

    return [
        is_no_failure,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]


def validated(case: Any, **how: Any) -> Any:
    """Send it; the answer, which is one that the document promises."""
    return case.call_and_validate(checks=_checks(), **how)


def each_kind_of_request(document: Path, operation: str, send: Callable[[Any], None]) -> None:
    """Send what the document has as examples, what it leaves to choose, and what it forbids.

    A value of a wrong type is one kind of request, however many fields of a body could have it: they
    are all found by the same code.
    """
    from hypothesis import HealthCheck, Phase, settings
    from schemathesis.generation.hypothesis.builder import (
        HypothesisTestConfig,
        HypothesisTestMode,
        create_test,
    )

    sent: Counter[tuple[object, ...]] = Counter()

    def test(case: Any) -> None:
        what = case.meta.phase.data
        if hasattr(what, "scenario"):
            kind = (what.scenario, what.parameter_location)
            sent[kind] += 1
            if sent[kind] > EXAMPLES:
                return
        send(case)

    few = settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    config = HypothesisTestConfig(modes=list(HypothesisTestMode), project=_schema(document).config)
    create_test(operation=_operations(document)[operation], test_func=few(test), config=config)()
    assert sent, "nothing was made up"
