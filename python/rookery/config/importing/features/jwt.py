"""``auth.jwt.*``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft, Part
from rookery.config.importing.features.gathered import Gathered, Lines
from rookery.config.importing.model import Changed, Outcome, Words
from rookery.config.importing.tables import notes
from rookery.config.values import parse_duration_ms

PLUGIN = "emqx_auth_jwt"
ONE_KEY = Words(
    "a provider has one kind of key: a JWKS address before a public key before a secret",
    "每个认证器只能使用一种密钥，优先级为 JWKS 地址、公钥、密钥",
)
NO_KEY = Words("no key is set", "未设置密钥")


def jwt(gathered: Sequence[Gathered], draft: Draft) -> None:
    """One provider."""
    lines = Lines(gathered, "auth.jwt.")
    if not lines:
        return
    value: dict[str, Any] = {"mechanism": "jwt", "from": lines.text("from") or "password"}
    endpoint, public, secret = (
        lines.get("jwks.endpoint", "jwks"),
        lines.get("pubkey"),
        lines.get("secret"),
    )
    refresh = lines.get("jwks.refresh_interval")
    keys = [setting for setting in (endpoint, public, secret) if setting is not None]
    if not keys:
        for item in gathered:
            draft.leave(item.setting, Outcome.UNSUPPORTED, NO_KEY)
        return
    if endpoint is not None:
        value |= {"use_jwks": True, "endpoint": endpoint.value}
        if refresh is not None:
            value["refresh_interval"] = parse_duration_ms(to.duration(refresh)) // 1000
    elif public is not None:
        path = to.file_path(public)
        public_key = path.value if isinstance(path, Changed) else path
        value |= {"use_jwks": False, "algorithm": "public-key", "public_key": public_key}
    elif secret is not None:
        value |= {
            "use_jwks": False,
            "algorithm": "hmac-based",
            "secret": secret.value,
            "secret_base64_encoded": False,
        }
    claims = lines.below("verify_claims.")
    switch = lines.get("verify_claims")
    is_checked = to.flag(switch) if switch is not None else bool(claims)
    if is_checked:
        value["verify_claims"] = {name: to.template(item) for name, item in claims.items()}
    if (acl := lines.get("acl_claim_name")) is not None:
        value["acl_claim_name"] = acl.value
    for setting in keys[1:]:
        lines.used.remove(setting)
        draft.leave(setting, Outcome.UNSUPPORTED, ONE_KEY)
    entries = []
    for setting in lines.used:
        changed = setting in claims.values() and "%" in setting.value
        entries += draft.merge([setting], notes.TEMPLATES if changed else None)
        entries[-1].value = to.placeholders(setting.value)
    for setting in lines.rest():
        if setting not in keys:
            draft.leave(setting, Outcome.NOT_NEEDED)
    draft.providers.append(Part(PLUGIN, value, entries))
