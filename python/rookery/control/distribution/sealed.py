"""Contents and values in the database: sealed, for they may hold passwords of devices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rookery.control.distribution.render import Parameter
from rookery.control.vault import Vault

_PURPOSE = "edge configuration"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a version is made of: text of a document, and what differs in it."""

    content: str
    parameters: Sequence[Parameter]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Seals and opens them; opening raises OutOfReachError where the key is not there."""

    vault: Vault

    def draft(self, draft: Draft) -> str:
        """A version as it is kept."""
        parameters = [asdict(one) for one in draft.parameters]
        return self._seal({"content": draft.content, "parameters": parameters})

    def opened_draft(self, sealed: str) -> Draft:
        """A version as it was given."""
        found = self._open(sealed)
        return Draft(found["content"], [Parameter(**one) for one in found["parameters"]])

    def values(self, values: Mapping[str, str]) -> str:
        """Values for one edge service as they are kept."""
        return self._seal(dict(values))

    def opened_values(self, sealed: str) -> dict[str, str]:
        """The same as they were given."""
        found: dict[str, str] = self._open(sealed)
        return found

    def _seal(self, value: Any) -> str:
        return self.vault.seal(json.dumps(value, ensure_ascii=False), _PURPOSE)

    def _open(self, sealed: str) -> Any:
        return json.loads(self.vault.unseal(sealed, _PURPOSE))
