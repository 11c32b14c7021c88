"""Headers of a tar that somebody else made: what they may be before a byte of them is believed.

``tarfile`` reads what describes an entry (long names, extended headers, maps of sparse files) into memory
whole, however long it says it is, before anybody sees the entry: a few megabytes of compressed zeros would
take all the memory of the machine. ``tarfile.open(…, tarinfo=PlainHeader)`` takes plain files and folders
with short descriptions alone.
"""

from __future__ import annotations

import tarfile
from typing import Any, NoReturn

DESCRIPTION_BYTES_MAX = 64 << 10
"""Longest extended header or name of one entry."""

_DESCRIPTIONS = frozenset({tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME})
_PLAIN = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE})


class PlainHeader(tarfile.TarInfo):
    """A header that is refused unless it is that of a file, of a folder, or a short description of one."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: Any, errors: Any) -> PlainHeader:
        """Read a header.

        Raises:
            ReadError: it is of anything else. Not a HeaderError: ``tarfile`` takes that for the end.
        """
        found = super().frombuf(buf, encoding, errors)
        if found.type in _DESCRIPTIONS:
            if found.size > DESCRIPTION_BYTES_MAX:
                raise tarfile.ReadError(f"a description has at most {DESCRIPTION_BYTES_MAX} bytes")
        elif found.type not in _PLAIN:
            raise tarfile.ReadError(f"{found.name[:100]!r} is neither a file nor a folder")
        return found

    def _proc_gnusparse_10(self, *_: object) -> NoReturn:
        # A file by its type, with a map in front of its content that is read without a bound.
        raise tarfile.ReadError("a sparse file is no plain one")
