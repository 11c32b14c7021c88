"""Signing in at an OpenID provider: a real one, and tokens that are not right."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.control import ADMIN, PASSWORD, Answer, World
from harness.oidc import OidcProvider
from rookery.access.jwt.keys import TokenError, WebKey, header_of
from rookery.clock import SystemClock
from rookery.control.oidc.id_token import Wanted, verified

NEW = "bea@example.com"
CLIENT, SECRET = "rookery", "client-secret-1"
CALLBACK = "https://127.0.0.1:8082/oidc/callback"
PATH = "/configuration/oidc"


@pytest.fixture
def clock() -> SystemClock:
    """The provider's own."""
    return SystemClock()


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider(CLIENT, SECRET, CALLBACK) as provider:
        yield provider


@pytest.fixture
async def given(world: World, admin: str, provider: OidcProvider) -> dict[str, Any]:
    """The provider is set; what was sent for that."""
    body = {
        "name": "Company account",
        "issuer": provider.issuer,
        "clientId": CLIENT,
        "clientSecret": SECRET,
    }
    answer = await world.ask("PUT", PATH, body, token=admin)
    assert answer.status == 204, answer.text
    return body


class Browser:
    """Begins, lets the provider ask who that is, and comes back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.binding = secrets.token_urlsafe(32)
        self.url = ""
        self.back: dict[str, str] = {}

    async def go(self, subject: str) -> None:
        begun = await self.world.ask("POST", "/oidc/begin", {"binding": self.binding})
        assert begun.status == 200, begun.text
        self.url = begun.json["url"]
        parts = urlsplit(await self._through_the_provider(subject))
        assert parts.path == "/oidc/callback"
        # Our own page takes it from there.
        async with self.world.client.get(
            f"{self.world.url}{parts.path}?{parts.query}", allow_redirects=False
        ) as answer:
            assert answer.status == 303
            fragment = answer.headers["location"].removeprefix("/#/oidc?")
        self.back = {name: values[0] for name, values in parse_qs(fragment).items()}

    async def _through_the_provider(self, subject: str) -> str:
        """Follow it from page to page until it sends us back."""
        async with aiohttp.ClientSession() as client:
            url, form = self.url, None
            while True:
                method = "GET" if form is None else "POST"
                async with client.request(method, url, data=form, allow_redirects=False) as answer:
                    if answer.status == 200:
                        form = {"subject": subject}
                        continue
                    assert answer.status == 303, await answer.text()
                    form, url = None, urljoin(url, answer.headers["location"])
                    if url.startswith(CALLBACK):
                        return url

    async def finish(self, **other: str) -> Answer:
        body = {"binding": self.binding, **self.back}
        return await self.world.ask("POST", "/oidc/finish", {**body, **other})


async def came_back(world: World, subject: str) -> Answer:
    browser = Browser(world)
    await browser.go(subject)
    return await browser.finish()


async def test_a_user_whose_address_is_verified_signs_in(
    world: World, admin: str, provider: OidcProvider, given: dict[str, Any]
) -> None:
    shown = (await world.ask("GET", "/sign-in")).json
    assert shown["provider"] == "Company account"
    provider.knows("ada-1", email=ADMIN, email_verified=True)
    browser = Browser(world)
    await browser.go("ada-1")
    asked = parse_qs(urlsplit(browser.url).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [CALLBACK]
    answer = await browser.finish()
    assert answer.status == 200, answer.text
    token = answer.json["accessToken"]
    assert (await world.ask("GET", "/profile", token=token)).json["email"] == ADMIN
    # A code and a state are of use once.
    assert (await browser.finish()).problem == (400, "BAD_REQUEST")
    bound = (await world.ask("GET", "/profile/accounts", token=token)).json["items"]
    assert [(one["issuer"], one["subject"]) for one in bound] == [(provider.issuer, "ada-1")]
    # From now on by the account, whatever its address is.
    provider.knows("ada-1", email="else@example.com", email_verified=False)
    assert (await came_back(world, "ada-1")).status == 200
    audit = (await world.ask("GET", "/audit?size=100", token=admin)).json["items"]
    assert [row["operation"] for row in audit].count("bindAccount") == 1
    unbound = await world.ask("DELETE", "/profile/accounts", token=admin)
    assert unbound.status == 204, unbound.text
    again = await world.ask("DELETE", "/profile/accounts", token=admin)
    assert again.problem == (404, "NOT_FOUND")


async def test_a_code_is_of_no_use_in_another_browser(
    world: World, provider: OidcProvider, given: dict[str, Any]
) -> None:
    provider.knows("ada-1", email=ADMIN, email_verified=True)
    browser = Browser(world)
    await browser.go("ada-1")
    answer = await browser.finish(binding=secrets.token_urlsafe(32))
    assert answer.problem == (400, "BAD_REQUEST")
    assert "begin anew" in answer.json["message"]


async def test_nobody_else_gets_in(
    world: World, provider: OidcProvider, given: dict[str, Any]
) -> None:
    strangers: list[tuple[dict[str, Any], str]] = [
        ({}, "does not say your e-mail address"),
        ({"email": ADMIN}, f"has not verified {ADMIN}"),
        ({"email": "eve@example.com", "email_verified": True}, "nobody has invited"),
    ]
    for number, (claims, said) in enumerate(strangers):
        provider.knows(f"stranger-{number}", **claims)
        answer = await came_back(world, f"stranger-{number}")
        assert answer.problem == (403, "FORBIDDEN")
        assert said in answer.json["message"]


async def test_who_is_invited_becomes_a_user_without_a_password(
    world: World, admin: str, provider: OidcProvider, given: dict[str, Any]
) -> None:
    org = await world.make(admin, "/orgs", {"name": "Factory East"})
    body = {"emails": [NEW], "role": "admin"}
    await world.ask("POST", f"/orgs/{org}/invitations", body, token=admin)
    provider.knows("bea-1", email=NEW, email_verified=True, name="Bea Potter")
    answer = await came_back(world, "bea-1")
    assert answer.status == 200, answer.text
    token = answer.json["accessToken"]
    profile = (await world.ask("GET", "/profile", token=token)).json
    assert (profile["email"], profile["name"]) == (NEW, "Bea Potter")
    roles = (await world.ask("GET", "/roles", token=token)).json
    assert roles["orgs"][0]["roles"] == ["orgAdmin"]
    for password in ("", "Some-password-1"):
        answer = await world.ask("POST", "/login", {"email": NEW, "password": password or "x"})
        assert answer.problem == (401, "BAD_USERNAME_OR_PWD")
    # Another account with the same address is somebody else.
    provider.knows("bea-2", email=NEW, email_verified=True)
    refused = await came_back(world, "bea-2")
    assert "another account" in refused.json["message"]
    path = f"/users/{profile['id']}/accounts"
    assert (await world.ask("DELETE", path, token=admin)).status == 204
    assert (await came_back(world, "bea-2")).status == 200


async def test_only_the_domains_that_are_named(
    world: World, admin: str, provider: OidcProvider, given: dict[str, Any]
) -> None:
    body = {**given, "clientSecret": None, "domains": ["other.example"]}
    assert (await world.ask("PUT", PATH, body, token=admin)).status == 204
    provider.knows("ada-1", email=ADMIN, email_verified=True)
    answer = await came_back(world, "ada-1")
    assert "addresses of example.com may not" in answer.json["message"]


async def test_a_disabled_user_stays_outside(
    world: World, admin: str, provider: OidcProvider, given: dict[str, Any]
) -> None:
    user = await world.make(admin, "/users", {"email": NEW, "password": "Correct-horse-9"})
    await world.ask("PUT", f"/users/{user}", {"isEnabled": False}, token=admin)
    provider.knows("bea-3", email=NEW, email_verified=True)
    assert (await came_back(world, "bea-3")).problem == (401, "BAD_USERNAME_OR_PWD")


async def test_the_secret_is_kept_for_this_provider_alone(
    world: World, admin: str, given: dict[str, Any], tmp_path: Any
) -> None:
    shown = await world.ask("GET", PATH, token=admin)
    assert shown.json["isSecretSet"]
    held = b"".join(file.read_bytes() for file in tmp_path.glob("control.db*"))
    assert SECRET not in shown.text
    assert SECRET.encode() not in held
    body = {**given, "clientSecret": None, "issuer": "https://evil.example"}
    answer = await world.ask("PUT", PATH, body, token=admin)
    assert "enter it again" in answer.json["message"]
    assert (await world.ask("DELETE", PATH, token=admin)).status == 204
    begun = await world.ask("POST", "/oidc/begin", {"binding": secrets.token_urlsafe(32)})
    assert begun.problem == (400, "BAD_REQUEST")


async def test_the_test_names_what_is_wrong(
    world: World, admin: str, given: dict[str, Any], provider: OidcProvider
) -> None:
    async def tried(issuer: str) -> str:
        answer = await world.ask("POST", f"{PATH}/test", {**given, "issuer": issuer}, token=admin)
        return "" if answer.status == 204 else f"{answer.json['code']} {answer.json['message']}"

    assert await tried(provider.issuer) == ""
    assert "has to begin with https" in await tried("http://id.example.com")
    assert "TEST_FAILED" in await tried("https://id.invalid")
    assert "cannot be reached" in await tried("http://127.0.0.1:1")
    assert "says that its issuer is" in await tried(
        provider.issuer.replace("localhost", "127.0.0.1")
    )
    assert "answered 404" in await tried(f"{provider.issuer}/elsewhere")


WANTED = Wanted(issuer="https://id.example", client_id=CLIENT, nonce="n1", now_s=1_000_000)
GOOD: Mapping[str, Any] = {
    "iss": "https://id.example",
    "aud": CLIENT,
    "sub": "s1",
    "nonce": "n1",
    "iat": 1_000_000,
    "exp": 1_000_300,
}


@pytest.fixture(scope="module")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def keys(signing_key: rsa.RSAPrivateKey) -> list[WebKey]:
    record = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signing_key.public_key()))
    return [WebKey({**record, "kid": "k1"})]


def checked(token: str, keys: list[WebKey]) -> Mapping[str, Any]:
    return verified(token, header_of(token.encode()), keys, WANTED)


def test_a_right_token_is_one(signing_key: rsa.RSAPrivateKey, keys: list[WebKey]) -> None:
    for other in ({}, {"aud": [CLIENT, "x"], "azp": CLIENT}, {"exp": 999_990}):
        assert checked(jwt.encode({**GOOD, **other}, signing_key, "RS256"), keys)["sub"] == "s1"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "https://id.example/"}, "iss"),
        ({"aud": "another"}, "aud"),
        ({"aud": [CLIENT, "x"]}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"exp": 999_900}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": 1_000_100}, "iat"),
        ({"nbf": 1_000_100}, "nbf"),
        ({"nonce": "n2"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"sub": ""}, "sub"),
    ],
)
def test_a_token_that_is_not_right_says_why(
    signing_key: rsa.RSAPrivateKey, keys: list[WebKey], claims: dict[str, Any], said: str
) -> None:
    token = jwt.encode({**GOOD, **claims}, signing_key, "RS256")
    with pytest.raises(TokenError, match=said):
        checked(token, keys)


def _by_another(_key: rsa.RSAPrivateKey) -> str:
    return jwt.encode(dict(GOOD), rsa.generate_private_key(65537, 2048), "RS256")


def _unsigned(_key: rsa.RSAPrivateKey) -> str:
    return jwt.encode(dict(GOOD), "", "none")


def _by_secret(_key: rsa.RSAPrivateKey) -> str:
    return jwt.encode(dict(GOOD), "x" * 32, "HS256")


@pytest.mark.parametrize("made", [_by_another, _unsigned, _by_secret])
def test_a_token_that_the_provider_did_not_sign(
    signing_key: rsa.RSAPrivateKey,
    keys: list[WebKey],
    made: Callable[[rsa.RSAPrivateKey], str],
) -> None:
    with pytest.raises(TokenError):
        checked(made(signing_key), keys)


async def test_a_verified_address_takes_an_account_from_whoever_made_it_up(
    world: World, admin: str, provider: OidcProvider, given: dict[str, Any]
) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    member = {"email": "mallory@example.com", "password": PASSWORD, "role": "admin"}
    await world.make(admin, f"/orgs/{org}/members", member)
    mallory = await world.sign_in(member["email"])
    await world.make(mallory, f"/orgs/{org}/members", {"email": NEW, "password": PASSWORD})
    known = await world.sign_in(NEW)
    provider.knows("bea-7", email=NEW, email_verified=True)
    answer = await came_back(world, "bea-7")
    assert answer.status == 200, answer.text
    token = answer.json["accessToken"]
    assert (await world.ask("GET", "/profile", token=token)).json["provenAt"] is not None
    assert (await world.ask("GET", "/profile", token=known)).status == 401
    body = {"email": NEW, "password": PASSWORD}
    assert (await world.ask("POST", "/login", body)).problem == (401, "BAD_USERNAME_OR_PWD")
    # Without a password it is the only way in.
    alone = await world.ask("DELETE", "/profile/accounts", token=token)
    assert alone.problem == (409, "CONFLICT")
