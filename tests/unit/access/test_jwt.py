"""Tokens: who signed them, what they say, how long they hold."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.http_service import HttpServer
from rookery.access.authn.jwt import JwtProvider, JwtSettings
from rookery.access.errors import SettingError
from rookery.access.http_service import HttpSettings
from rookery.access.jwt.jwks import HURRY_S
from rookery.access.request import AuthRequest
from rookery.access.verdict import Admit, Ignore, Opinion, Refuse
from rookery.clock import ManualClock
from rookery.native.config import AclRule, AclTopic
from rookery.types import Secret

SECRET = "a secret that is longer than thirty-two bytes"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()


def pem_of(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def jwk_of(key: Any, kid: str | None, **members: str) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        record = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        record = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    else:
        record = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    record.pop("key_ops", None)
    return {**record, **({} if kid is None else {"kid": kid}), **members}


def hs256(claims: object, secret: str = SECRET) -> str:
    return jwt.encode(claims, secret, "HS256")  # type: ignore[arg-type]


@pytest.fixture
def hmac_provider(clock: ManualClock) -> JwtProvider:
    return JwtProvider(JwtSettings(secret=Secret(SECRET)), clock)


async def show(provider: JwtProvider, token: str | bytes, **request: Any) -> Opinion:
    password = token.encode() if isinstance(token, str) else token
    return await provider.authenticate(
        AuthRequest(client_id="c1", password=password, **{"username": "ann", **request})
    )


async def test_a_shared_secret(hmac_provider: JwtProvider) -> None:
    assert await show(hmac_provider, hs256({})) == Admit(reason="the token is valid")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "public",
        "a.b.c",
        "..",
        hs256({}, "another secret that is longer than 32 bytes"),
        hs256({})[:-4] + "AAAA",
        jwt.encode({}, "", "none"),
        jwt.encode({}, RSA, "RS256"),
        b"\xff.\xff.\xff",
        "eyJhbGciOjF9.e30.x",
        base64.urlsafe_b64encode(b"[" * 30_000).decode() + ".e30.x",
    ],
)
async def test_what_we_did_not_sign_is_left_to_others(
    hmac_provider: JwtProvider, token: str | bytes
) -> None:
    assert isinstance(await show(hmac_provider, token), Ignore)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS512"), (P256, "ES256"), (ED25519, "EdDSA")],
    ids=["RS256", "PS512", "ES256", "EdDSA"],
)
async def test_public_keys(clock: ManualClock, tmp_path: Path, key: Any, algorithm: str) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem_of(key))
    for public_key in (pem_of(key), str(file)):
        provider = JwtProvider(JwtSettings(public_key=public_key), clock)
        assert isinstance(await show(provider, jwt.encode({}, key, algorithm)), Admit)


async def test_a_public_key_is_not_taken_for_a_secret(clock: ManualClock) -> None:
    provider = JwtProvider(JwtSettings(public_key=pem_of(RSA)), clock)
    header = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
    signed = header + b"." + base64.urlsafe_b64encode(b"{}").rstrip(b"=")
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = algorithm.sign(signed, pem_of(RSA).encode())
    token = signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")

    assert isinstance(await show(provider, token), Ignore)


async def test_the_token_may_be_the_user_name(clock: ManualClock) -> None:
    provider = JwtProvider(JwtSettings(secret=Secret(SECRET), from_="username"), clock)
    request = AuthRequest(client_id="c1", username=hs256({}))

    assert isinstance(await provider.authenticate(request), Admit)
    assert isinstance(await provider.authenticate(AuthRequest(client_id="c1")), Ignore)


async def test_a_secret_in_base64(clock: ManualClock) -> None:
    settings = JwtSettings(
        secret=Secret(base64.b64encode(SECRET.encode()).decode()), secret_base64_encoded=True
    )

    assert isinstance(await show(JwtProvider(settings, clock), hs256({})), Admit)


async def test_a_token_ends_the_connection_with_itself(
    hmac_provider: JwtProvider, clock: ManualClock
) -> None:
    exp = clock.now_ms() // 1000 + 60
    for value in (exp, str(exp), float(exp)):
        verdict = await show(hmac_provider, hs256({"exp": value}))
        assert isinstance(verdict, Admit)
        assert verdict.expire_at_ms == exp * 1000


async def test_a_token_that_does_not_end_it(clock: ManualClock) -> None:
    settings = JwtSettings(secret=Secret(SECRET), disconnect_after_expire=False)
    provider = JwtProvider(settings, clock)
    exp = clock.now_ms() // 1000 + 60

    plain = await show(provider, hs256({"exp": exp}))
    with_rules = await show(provider, hs256({"exp": exp, "acl": []}))

    assert isinstance(plain, Admit)
    assert isinstance(with_rules, Admit)
    assert plain.expire_at_ms is None
    assert with_rules.expire_at_ms == exp * 1000  # rules do not hold longer than their token


NOW_S = ManualClock().now_ms() // 1000


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW_S},
        {"exp": NOW_S - 1},
        {"exp": str(NOW_S - 1)},
        {"exp": "never"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": True},
        {"exp": NOW_S * 1000},
        {"nbf": NOW_S + 1},
        {"nbf": str(NOW_S + 1)},
        {"nbf": "soon"},
        {"nbf": float("nan")},
        {"acl": [{"permission": "allow"}]},
        {"acl": 7},
    ],
)
async def test_tokens_that_do_not_hold(hmac_provider: JwtProvider, claims: dict[str, Any]) -> None:
    assert isinstance(await show(hmac_provider, hs256_of(claims)), Refuse)


def hs256_of(claims: dict[str, Any]) -> str:
    """PyJWT looks at times before it signs; others do not."""
    return jwt.api_jws.encode(json.dumps(claims).encode(), SECRET, "HS256")


async def test_claims_that_must_be(clock: ManualClock) -> None:
    settings = JwtSettings(
        secret=Secret(SECRET),
        verify_claims={"sub": "${username}", "aud": "broker", "v": "2", "id": "x-${clientid}"},
    )
    provider = JwtProvider(settings, clock)
    right = {"sub": "ann", "aud": ["other", "broker"], "v": 2, "id": "x-c1"}

    assert isinstance(await show(provider, hs256(right)), Admit)
    assert isinstance(await show(provider, hs256({**right, "aud": "broker"})), Admit)
    for name, value in (("sub", "bob"), ("aud", []), ("aud", "x"), ("v", 3), ("id", ["x-c1"])):
        assert isinstance(await show(provider, hs256_of({**right, name: value})), Refuse)
    for name in right:
        without = {key: value for key, value in right.items() if key != name}
        assert isinstance(await show(provider, hs256(without)), Refuse)


async def test_a_placeholder_without_a_value_matches_nothing(clock: ManualClock) -> None:
    settings = JwtSettings(secret=Secret(SECRET), verify_claims={"sub": "${username}"})
    provider = JwtProvider(settings, clock)

    assert isinstance(await show(provider, hs256({"sub": ""}), username=None), Refuse)


async def test_what_a_token_may_bring(clock: ManualClock) -> None:
    settings = JwtSettings(secret=Secret(SECRET), acl_claim_name="rules")
    claims = {
        "is_superuser": True,
        "client_attrs": {"site": "s1"},
        "clientid_override": "c2",
        "rules": [
            {
                "permission": "allow",
                "action": "publish",
                "topics": ["a/${clientid}", "eq #"],
                "qos": [1, 2],
                "retain": "true",
            }
        ],
    }

    assert await show(JwtProvider(settings, clock), hs256(claims)) == Admit(
        is_superuser=True,
        client_attrs=(("site", "s1"),),
        acl=(
            AclRule(
                permission="allow",
                action="publish",
                qos=(1, 2),
                retain=True,
                topics=(AclTopic(text="a/${clientid}"), AclTopic(text="#", is_literal=True)),
            ),
        ),
        client_id_override="c2",
        reason="the token is valid",
    )


@pytest.mark.parametrize(
    "settings",
    [
        JwtSettings(),
        JwtSettings(secret=Secret("")),
        JwtSettings(secret=Secret("no base64!"), secret_base64_encoded=True),
        JwtSettings(public_key="/nowhere/key.pem"),
        JwtSettings(public_key="-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"),
        JwtSettings(public_key=pem_of(ec.generate_private_key(ec.SECP256K1()))),
        JwtSettings(secret=Secret(SECRET), verify_claims={"exp": "1"}),
        JwtSettings(secret=Secret(SECRET), verify_claims={"sub": "${topic}"}),
    ],
)
def test_settings_that_make_no_sense(clock: ManualClock, settings: JwtSettings) -> None:
    with pytest.raises(SettingError):
        JwtProvider(settings, clock)


# ---- JWKS -------------------------------------------------------------------------------


async def started(service: HttpServer, clock: ManualClock) -> JwtProvider:
    settings = JwtSettings(endpoint=HttpSettings(url=service.url + "/jwks", method="get"))
    provider = JwtProvider(settings, clock)
    await provider.start()
    # Whoever brings a token of an unknown key waits for the first keys.
    await show(provider, jwt.encode({}, RSA, "RS256", headers={"kid": "first"}))
    return provider


async def test_keys_of_an_endpoint(service: HttpServer, clock: ManualClock) -> None:
    service.answer = {
        "keys": [
            jwk_of(RSA, "r1", use="sig"),
            jwk_of(P256, "e1", alg="ES256"),
            jwk_of(ED25519, None),
            {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode(), "kid": "s"},
            {"kty": "RSA", "kid": "broken"},
            {**jwk_of(RSA, "enc"), "use": "enc"},
            {**jwk_of(RSA, "odd"), "use": ["sig"]},
            {**jwk_of(RSA, "number"), "n": 5},
            {**jwk_of(P256, "curve"), "crv": {"name": "P-256"}},
            "nonsense",
        ]
    }
    provider = await started(service, clock)

    for key, algorithm, kid in (
        (RSA, "RS256", "r1"),
        (RSA, "PS256", "r1"),
        (P256, "ES256", "e1"),
        (ED25519, "EdDSA", "any"),
        (RSA, "RS256", None),
    ):
        token = jwt.encode({}, key, algorithm, headers={} if kid is None else {"kid": kid})
        assert isinstance(await show(provider, token), Admit), (algorithm, kid)
    for token in (
        jwt.encode({}, SECRET, "HS256", headers={"kid": "s"}),
        jwt.encode({}, RSA, "RS256", headers={"kid": "e1"}),
    ):
        assert isinstance(await show(provider, token), Ignore)
    await provider.stop()


async def test_a_new_key_is_fetched_when_a_token_names_it(
    service: HttpServer, clock: ManualClock
) -> None:
    old, new = RSA, P256
    service.answer = {"keys": [jwk_of(old, "k1")]}
    provider = await started(service, clock)
    token = jwt.encode({}, new, "ES256", headers={"kid": "k2"})
    service.answer = {"keys": [jwk_of(new, "k2")]}

    assert isinstance(await show(provider, token), Ignore)
    assert len(service.asked) == 1  # fetched a moment ago: clients do not set the pace
    clock.advance(HURRY_S)
    assert isinstance(await show(provider, token), Admit)
    assert len(service.asked) == 2

    # The old key is gone with the rotation.
    clock.advance(HURRY_S)
    assert isinstance(
        await show(provider, jwt.encode({}, old, "RS256", headers={"kid": "k1"})), Ignore
    )
    await provider.stop()


async def test_an_endpoint_that_goes_away_leaves_its_keys(
    service: HttpServer, clock: ManualClock
) -> None:
    service.answer = {"keys": [jwk_of(RSA, "k1")]}
    provider = await started(service, clock)
    service.status = 500
    clock.advance(HURRY_S)

    await show(provider, jwt.encode({}, RSA, "RS256", headers={"kid": "k9"}))

    assert len(service.asked) == 2
    known = jwt.encode({}, RSA, "RS256", headers={"kid": "k1"})
    assert isinstance(await show(provider, known), Admit)
    await provider.stop()


async def test_an_endpoint_that_is_away_at_the_start(
    service: HttpServer, clock: ManualClock
) -> None:
    service.status = 503
    provider = await started(service, clock)
    token = jwt.encode({}, RSA, "RS256", headers={"kid": "k1"})
    assert isinstance(await show(provider, token), Ignore)

    service.status, service.answer = 200, {"keys": [jwk_of(RSA, "k1")]}
    clock.advance(HURRY_S)

    assert isinstance(await show(provider, token), Admit)
    await provider.stop()
    await provider.stop()
