"""What Prometheus reads, held against its own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from rookery.observability.catalog import BY_NAME, COUNTERS, GAUGES
from rookery.observability.exposition import Family, to_json, to_text

AWKWARD = 'a"b\\c\nd'


def test_the_text_is_what_prometheus_takes() -> None:
    text = to_text(
        [
            Family.single("emqx_messages_received", "counter", "Messages\nin", "messages", 7),
            Family("emqx_x", "gauge", "X", "x", (({"id": AWKWARD}, 1), ({"id": "b"}, 2.5))),
        ]
    )
    found = {
        # The parser puts the suffix of OpenMetrics on names of counters.
        (sample.name.removesuffix("_total"), tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found == {
        ("emqx_messages_received", ()): 7,
        ("emqx_x", (("id", AWKWARD),)): 1,
        ("emqx_x", (("id", "b"),)): 2.5,
    }


def test_json_has_objects_of_what_belongs_together() -> None:
    families = [
        Family.single("emqx_a", "counter", "A", "messages", 1),
        Family.single("emqx_b", "counter", "B", "messages", 2),
        Family("emqx_on", "gauge", "On", "emqx_authn", (({"id": "x"}, 1), ({"id": "y"}, 0))),
        Family("emqx_all", "counter", "All", "emqx_authn", (({"id": "x"}, 5), ({"id": "y"}, 6))),
    ]
    assert to_json(families) == {
        "messages": {"emqx_a": 1, "emqx_b": 2},
        "emqx_authn": [
            {"id": "x", "emqx_on": 1, "emqx_all": 5},
            {"id": "y", "emqx_on": 0, "emqx_all": 6},
        ],
    }


def test_a_label_can_be_put_on_everything() -> None:
    family = Family.single("emqx_a", "counter", "A", "messages", 1).labelled({"node": "n@h"})
    assert to_text([family]).splitlines()[-1] == 'emqx_a{node="n@h"} 1'


def test_every_figure_has_one_name_and_two_languages() -> None:
    figures = (*COUNTERS, *GAUGES)
    assert len(BY_NAME) == len(figures) == len({figure.prometheus for figure in figures})
    assert all(figure.en and figure.zh for figure in figures)
