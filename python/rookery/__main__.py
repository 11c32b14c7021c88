"""``python -m rookery``."""

from __future__ import annotations

import sys

from rookery.cli import main

sys.exit(main())
