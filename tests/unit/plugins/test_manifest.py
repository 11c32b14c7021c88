"""How a plugin is to be run: what cannot be is refused with the bound that it breaks."""

from __future__ import annotations

from typing import Any

import pytest

from rookery.errors import BadRequestError
from rookery.plugins.manifest import TEXTS_MAX, running
from rookery.web.refusals_zh import in_chinese


@pytest.mark.parametrize(
    ("run", "said", "in_zh"),
    [
        (
            {"memory_max": 1},
            "run.memory_max is 32MB to 1TB (33554432 to 1099511627776 bytes)",
            "run.memory_max 应在 32MB 到 1TB 之间（33554432 到 1099511627776 字节）",
        ),
        (
            {"topics": ["a/#"] * 2000},
            "topics has 2000 entries; at most 1000 are possible",
            "topics 有 2000 项，最多 1000 项",
        ),
        ({"topics": [1]}, "topics is a list of texts", "topics 应为文本的数组"),
        ({"deadline_s": 0}, "run.deadline_s is 0.01 to 60", "run.deadline_s 应在 0.01 到 60 之间"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_the_bound(
    run: dict[str, Any], said: str, in_zh: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        running(run)
    assert refused.value.message == said
    assert in_chinese(said) == in_zh


def test_as_many_topics_as_are_possible_are_taken() -> None:
    assert len(running({"topics": ["a/#"] * TEXTS_MAX}).topics) == TEXTS_MAX
