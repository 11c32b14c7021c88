"""In which order the files of the suite run, and which process of a parallel run takes which.

The processors are what a run is short of, and many files use little of them: they wait, for a node that is
to be found missing, a lease that is to end, a service that is to come back. Half of the processes take those
first and the others what computes, so that there is something to compute all the time.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# Long ones first: what is short fills the gaps at the end, so that no process is left with a file of
# minutes. Folders that are not named come last.
COMPUTING = (
    "tests/e2e",
    "tests/integration/admission",
    "tests/integration/control",
    "tests/integration/plugins",
    "tests/integration",
    "tests/contract",
    "tests/conformance",
)
WAITING = (
    "tests/integration/kill9",
    "tests/integration/cluster",
    "tests/integration/connectors",
    "tests/integration/links",
    "tests/integration/balancer",
    "tests/integration/edge",
    "tests/integration/agent",
)


def waits(file: str) -> bool:
    """Whether it belongs to those that wait."""
    return _place(file, WAITING) < len(WAITING)


def turn(file: str) -> int:
    """By what files are sorted."""
    return _place(file, WAITING if waits(file) else COMPUTING)


def _place(file: str, folders: Sequence[str]) -> int:
    return next(
        (i for i, folder in enumerate(folders) if file.startswith(folder + "/")), len(folders)
    )


class Sharing(LoadFileScheduling):  # type: ignore[misc]
    """Files by their kind, as long as there are any of it."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        wanted = self.nodes.index(node) < len(self.nodes) // 2
        chosen = next((file for file in self.workqueue if waits(file) == wanted), None)
        if chosen is not None:
            self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    """Of the plugin that runs tests in several processes."""
    return Sharing(config, log) if config.getvalue("dist") == "loadfile" else None
