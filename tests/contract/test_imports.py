"""What importing the package costs: listeners accept before a web framework is loaded."""

import subprocess
import sys

import pytest

LOADED_LATER = ("starlette", "uvicorn", "anyio", "paho", "pytest")


def loaded_after(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import rookery", "from rookery import Broker", "import rookery.cli"]
)
def test_the_way_to_the_first_connection_loads_no_framework(statement: str) -> None:
    assert loaded_after(statement).isdisjoint(LOADED_LATER)


def test_the_package_alone_loads_no_native_code() -> None:
    assert "rookery._native" not in loaded_after("import rookery")
