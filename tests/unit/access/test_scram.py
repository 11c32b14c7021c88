"""SCRAM as RFC 5802 and RFC 7677 have it."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.access.authn.scram import ScramProvider, ScramSettings
from rookery.access.errors import AccessError
from rookery.access.request import AuthRequest
from rookery.access.scram import ScramError, derive, prepare
from rookery.access.scram.messages import parse_client_final, parse_client_first
from rookery.access.users import ScramUser, UserService, UserStore
from rookery.access.users.models import ScramAlgorithm
from rookery.access.verdict import Admit, Continue, Opinion, Refuse
from rookery.clock import ManualClock
from rookery.types import Secret

# RFC 7677 section 3.
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SERVER_FIRST = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@pytest.fixture
async def rfc(store: UserStore, clock: ManualClock) -> ScramProvider:
    keys = derive("sha256", "pencil", SALT, 4096)
    user = ScramUser(
        user_id="user",
        algorithm="sha256",
        salt=SALT,
        iterations=4096,
        stored_key=keys.stored_key,
        server_key=keys.server_key,
        is_superuser=True,
    )
    await store.put_scram(user, replace=False)
    return ScramProvider(ScramSettings(), store, clock, new_nonce=lambda: SERVER_NONCE)


async def send(
    provider: ScramProvider, data: bytes, *, is_step: bool = False, username: str | None = None
) -> Opinion:
    return await provider.authenticate(
        AuthRequest(
            client_id="c1",
            username=username,
            method=provider.methods[0],
            data=data,
            is_step=is_step,
            conversation=(0, 1, 2),
        )
    )


async def test_the_exchange_of_rfc_7677(rfc: ScramProvider) -> None:
    assert await send(rfc, CLIENT_FIRST) == Continue(SERVER_FIRST)
    assert await send(rfc, CLIENT_FINAL, is_step=True) == Admit(
        is_superuser=True, auth_data=SERVER_FINAL, reason="user user"
    )


@pytest.mark.parametrize(
    "final",
    [
        CLIENT_FINAL.replace(b"dHzb", b"dHzc"),
        CLIENT_FINAL.replace(b"k0,p", b"k1,p"),
        CLIENT_FINAL.replace(b"biws", b"eSws"),
        CLIENT_FINAL.replace(b"=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", b"=AAAA"),
        b"",
        b"c=biws",
        b"\xff",
    ],
)
async def test_what_proves_nothing_is_refused(rfc: ScramProvider, final: bytes) -> None:
    await send(rfc, CLIENT_FIRST)

    assert isinstance(await send(rfc, final, is_step=True), Refuse)
    # There is no second try for the same challenge.
    assert isinstance(await send(rfc, CLIENT_FINAL, is_step=True), Refuse)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n,,n=user",
        b"p=tls-unique,,n=user,r=abc",
        b"x,,n=user,r=abc",
        b"n,,m=ext,n=user,r=abc",
        b"n,,n=us=er,r=abc",
        b"n,,n=,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=a b",
        b"n,a=admin,n=user,r=abc",
        "n,,n=us\u0007er,r=abc".encode(),
        b"n,,n=user,r=" + b"x" * 5000,
    ],
)
async def test_first_messages_that_cannot_be_answered(rfc: ScramProvider, first: bytes) -> None:
    assert isinstance(await send(rfc, first), Refuse)


async def test_nobody_gets_the_rights_of_another_user_name(rfc: ScramProvider) -> None:
    assert isinstance(await send(rfc, CLIENT_FIRST, username="admin"), Refuse)
    assert isinstance(await send(rfc, CLIENT_FIRST, username="user"), Continue)


async def test_an_unknown_user_looks_like_a_known_one(rfc: ScramProvider) -> None:
    answers = [await send(rfc, b"n,,n=nobody,r=abc") for _ in range(2)]

    assert answers[0] == answers[1]
    assert isinstance(answers[0], Continue)
    assert answers[0].auth_data.endswith(b",i=4096")
    final = CLIENT_FINAL.replace(b"rOprNGfwEbeRWgbNEkqO", b"abc")
    refused = await send(rfc, final, is_step=True)
    await send(rfc, CLIENT_FIRST)
    assert refused == await send(rfc, CLIENT_FINAL.replace(b"dHzb", b"dHzc"), is_step=True)


async def test_an_exchange_lasts_a_minute(rfc: ScramProvider, clock: ManualClock) -> None:
    await send(rfc, CLIENT_FIRST)
    clock.advance(60)

    assert isinstance(await send(rfc, CLIENT_FINAL, is_step=True), Refuse)


async def test_who_only_takes_places_does_not_keep_them(
    rfc: ScramProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.access.authn.scram.CONVERSATIONS_MAX", 3)
    for number in range(10):
        await rfc.authenticate(
            AuthRequest(
                client_id="x",
                method="SCRAM-SHA-256",
                data=CLIENT_FIRST,
                conversation=(1, number, 0),
            )
        )

    assert isinstance(await send(rfc, CLIENT_FIRST), Continue)
    assert isinstance(await send(rfc, CLIENT_FINAL, is_step=True), Admit)
    assert rfc.given_up == 8


async def test_a_step_without_a_beginning(rfc: ScramProvider) -> None:
    assert isinstance(await send(rfc, CLIENT_FINAL, is_step=True), Refuse)


def client_final(
    algorithm: ScramAlgorithm, password: str, first_bare: str, server_first: str
) -> tuple[bytes, bytes]:
    """What a client answers, and the signature it expects: written from the RFC's section 3."""
    fields = dict(part.split("=", 1) for part in server_first.split(","))
    salted = hashlib.pbkdf2_hmac(
        algorithm, password.encode(), base64.b64decode(fields["s"]), int(fields["i"])
    )
    without_proof = f"c=biws,r={fields['r']}"
    message = f"{first_bare},{server_first},{without_proof}".encode()
    client_key = hmac.digest(salted, b"Client Key", algorithm)
    signature = hmac.digest(hashlib.new(algorithm, client_key).digest(), message, algorithm)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    server = hmac.digest(hmac.digest(salted, b"Server Key", algorithm), message, algorithm)
    return (
        f"{without_proof},p={base64.b64encode(proof).decode()}".encode(),
        b"v=" + base64.b64encode(server),
    )


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_users_are_made_and_let_in(
    store: UserStore, users: UserService, clock: ManualClock, algorithm: ScramAlgorithm
) -> None:
    await users.create_scram(algorithm, "a,b=c", Secret("pássword"))
    provider = ScramProvider(ScramSettings(algorithm=algorithm), store, clock)

    answer = await send(provider, b"n,,n=a=2Cb=3Dc,r=abc")
    assert isinstance(answer, Continue)
    final, expected = client_final(
        algorithm, "pássword", "n=a=2Cb=3Dc,r=abc", answer.auth_data.decode()
    )

    verdict = await send(provider, final, is_step=True)
    assert isinstance(verdict, Admit)
    assert verdict.auth_data == expected


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        # RFC 4013 section 3.
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
    ],
)
def test_saslprep(text: str, prepared: str) -> None:
    assert prepare(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u06271", "\ue000"])
def test_saslprep_refuses(text: str) -> None:
    with pytest.raises(AccessError):
        prepare(text)


@settings(deadline=None)
@given(
    st.binary(max_size=60) | st.text(alphabet="npyamrcs=,2CD3/+ab\0é", max_size=40).map(str.encode)
)
def test_no_bytes_make_the_parsers_stumble(data: bytes) -> None:
    for parse in (parse_client_first, parse_client_final):
        try:
            parse(data)
        except ScramError:
            continue
