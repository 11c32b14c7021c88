"""``python -m rookery.agent``."""

from __future__ import annotations

import sys

from rookery.agent.command import main

if __name__ == "__main__":
    sys.exit(main())
