"""Expressions over a client, and the rules made of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.access.authn.cinfo import Check, ClientInfoProvider
from rookery.access.authn.x509 import CertificateDemand, CertificateProvider
from rookery.access.errors import SettingError
from rookery.access.expressions import Expression, NoValueError
from rookery.access.request import VARIABLES, AuthRequest, split_peer
from rookery.access.verdict import Admit, Ignore, Refuse

REQUEST = AuthRequest(
    client_id="site1-pump-7", username="ann", client_attrs=(("group", "G"),), peer_host="10.0.0.1"
)


def expression(source: str) -> Expression:
    return Expression(source, known=VARIABLES, where="here")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("clientid", "site1-pump-7"),
        ("'it''s'".replace("''", r"\'"), "it's"),
        ('"a\\nb"', "a\nb"),
        ("nth(1, tokens(clientid, '-'))", "site1"),
        ("concat(username, '@', client_attrs.group, 1.5)", "ann@G1.5"),
        ("coalesce(cert_common_name, '', username)", "ann"),
        ("coalesce([cn, 'x'])", "x"),
        ("upper(substr(clientid, 0, 4))", "SITE"),
        ("nth(1, regex_extract(clientid, 'pump-([0-9]+)'))", "7"),
        ("regex_replace(clientid, '[0-9]+$', 'N')", "site1-pump-N"),
        (r"regex_replace(clientid, '(p)(u)', '\\2\\1')", "site1-upmp-7"),
        ("nth(1, regex_extract(clientid, '[a-z]+'))", "site"),
        ("regex_match(concat(clientid, '\n'), '7$')", "false"),
        ("regex_match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^([a-z]+-?)+$')", "false"),
        ("join_to_string('/', tokens(clientid, '-'))", "site1/pump/7"),
        ("hash(sha256, username)".replace("sha256", "'sha256'"), None),
        ("iif(is_empty(cert_subject), 'plain', 'tls')", "plain"),
        ("strlen(username)", "3"),
        ("str_eq(username, 'ann')", "true"),
        ("num_gt(strlen(username), 3)", "false"),
        ("and(true, not(false), str_neq(peerhost, 'x'))", "true"),
        ("or(false, regex_match(username, '^A'))", "false"),
        (" replace( username , 'n', 'm' ) ", "amm"),
    ],
)
def test_values(source: str, value: str | None) -> None:
    result = expression(source).value(REQUEST.variable)

    assert len(result) == 64 if value is None else result == value


@pytest.mark.parametrize(
    "source",
    ["cert_common_name", "nth(9, tokens(clientid, '-'))", "substr(username, 'x')", "nth(0, 'a')"],
)
def test_expressions_without_a_value(source: str) -> None:
    with pytest.raises(NoValueError):
        expression(source).value(REQUEST.variable)
    assert not expression(source).is_true(REQUEST.variable)


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("", 1),
        ("nobody", 1),
        ("concat(nobody)", 8),
        ("fly(clientid)", 1),
        ("lower()", 1),
        ("lower(clientid", 15),
        ("lower(clientid))", 16),
        ("'open", 1),
        ("regex_match(username, '(')", 1),
        ("regex_match(username, '(?=a)')", 1),
        ("lower(" * 30 + "'a'" + ")" * 30, 97),
        ("concat('a' 'b')", 11),
        ("__import__('os')", 1),
    ],
)
def test_errors_say_where(source: str, column: int) -> None:
    with pytest.raises(SettingError) as caught:
        expression(source)

    assert f"at character {column}" in str(caught.value)
    assert f"第 {column} 个字符" in caught.value.text("zh")


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["concat", "nth", "tokens", "(", ")", ",", "[", "]", "'a'", "1", "clientid", " ",
             "coalesce", "iif", "regex_match", "'('", '"', "\\", "client_attrs.x", "substr", "-3"]
        ),
        max_size=14,
    ).map("".join)
)  # fmt: skip
def test_no_expression_stumbles(source: str) -> None:
    try:
        compiled = expression(source)
    except SettingError:
        return
    assert compiled.is_true(REQUEST.variable) in {True, False}


# ---- client-info rules ------------------------------------------------------------------


async def test_the_first_check_that_fits_decides() -> None:
    provider = ClientInfoProvider(
        [
            Check(is_match=("str_eq(username, 'bad')",), result="deny"),
            Check(is_match=("str_eq(username, 'skip')",), result="ignore"),
            Check(
                is_match=("regex_match(clientid, '^d')", "not(is_empty(username))"), result="allow"
            ),
        ]
    )

    def client(client_id: str, username: str | None) -> AuthRequest:
        return AuthRequest(client_id=client_id, username=username)

    assert isinstance(await provider.authenticate(client("d1", "bad")), Refuse)
    assert isinstance(await provider.authenticate(client("d1", "skip")), Ignore)
    assert isinstance(await provider.authenticate(client("d1", "ann")), Admit)
    assert isinstance(await provider.authenticate(client("d1", None)), Ignore)
    assert isinstance(await provider.authenticate(client("x1", "ann")), Ignore)


def test_a_check_that_cannot_be_is_named() -> None:
    with pytest.raises(SettingError, match=r"cinfo\.checks\.1\.is_match"):
        ClientInfoProvider([Check(is_match=("fly()",), result="deny")])


# ---- certificates alone -----------------------------------------------------------------

ANN = {"cert_common_name": "ann", "cert_subject": "CN=ann"}
NO_NAME = {"cert_subject": "O=x"}


@pytest.mark.parametrize(
    ("require", "certificate", "expected"),
    [
        ("any", {}, Ignore),
        ("any", ANN, Admit),
        ("any", NO_NAME, Admit),
        ("cn", NO_NAME, Refuse),
        ("cn", ANN, Admit),
        ("username", ANN, Admit),
        ("username", {**ANN, "cert_common_name": "bob"}, Refuse),
        ("clientid", ANN, Refuse),
        ("clientid", {**ANN, "cert_common_name": "c1"}, Admit),
    ],
)
async def test_certificates(
    require: CertificateDemand, certificate: dict[str, str], expected: type
) -> None:
    request = AuthRequest(client_id="c1", username="ann", **certificate)  # type: ignore[arg-type]

    assert isinstance(await CertificateProvider(require).authenticate(request), expected)


# ---- who asks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("10.0.0.1:1883", ("10.0.0.1", 1883)),
        ("[::1]:9", ("::1", 9)),
        ("unix", ("unix", 0)),
        (None, ("", 0)),
    ],
)
def test_peers(peer: str | None, expected: tuple[str, int]) -> None:
    assert split_peer(peer) == expected


def test_no_name_of_a_client_makes_a_regular_expression_slow() -> None:
    expression = Expression("regex_match(clientid, '^([a-z]+-?)+$')", known={"clientid"}, where="x")
    # By trying every way this would be some 2 ** 4000 steps.
    assert expression.value(lambda _name: "a" * 4000 + "!") == "false"
    extract = Expression("regex_extract(clientid, '[0-9]+')", known={"clientid"}, where="x")
    assert extract.value(lambda _name: "pump-12-7") == "12"
    with pytest.raises(NoValueError):
        extract.value(lambda _name: "pump")
