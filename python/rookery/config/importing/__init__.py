"""Configuration of EMQX 3, 4 and 5 as a file of Rookery's, with what became of every line.

Owns the mapping tables and the conversions. Knows no terminal and writes no file.
"""

from __future__ import annotations

from rookery.config.importing.model import Entry, Outcome, Remark, Setting, Words
from rookery.config.importing.run import ACL_FILE, USERS_FILE, CheckAcl, Imported, import_files

__all__ = [
    "ACL_FILE",
    "USERS_FILE",
    "CheckAcl",
    "Entry",
    "Imported",
    "Outcome",
    "Remark",
    "Setting",
    "Words",
    "import_files",
]
