"""EMQX's ``acl.conf``: what it means, what is refused and where."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.access import acl_file
from rookery.access.acl_file import AclSyntaxError
from rookery.access.topic_filters import is_topic_filter
from rookery.native.config import AclRule, AclTopic, AclWho
from rookery.native.patterns import why_no_regex


def rule(text: str) -> AclRule:
    (only,) = acl_file.parse(text)
    return only


def who(text: str) -> AclWho:
    return rule(f'{{allow, {text}, all, ["t"]}}.').who


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", AclWho()),
        ('{username, "ann"}', AclWho(kind="username", values=("ann",))),
        ('{user, "ann"}', AclWho(kind="username", values=("ann",))),
        ('{client, <<"d1">>}', AclWho(kind="clientid", values=("d1",))),
        (
            '{clientid, {re, "^d[0-9]+$"}}',
            AclWho(kind="clientid", values=("^d[0-9]+$",), is_regex=True),
        ),
        ("{user, all}", AclWho()),
        ("{client, all}", AclWho()),
        ('{ipaddr, "10.1.2.3/8"}', AclWho(kind="ipaddr", values=("10.1.2.3/8",))),
        ('{ipaddrs, ["::1", "127.0.0.1"]}', AclWho(kind="ipaddr", values=("::1", "127.0.0.1"))),
        (
            '{client_attr, "group", "pump"}',
            AclWho(kind="client_attr", attr="group", values=("pump",)),
        ),
        (
            '{client_attr, group, {re, "p"}}',
            AclWho(kind="client_attr", attr="group", values=("p",), is_regex=True),
        ),
        ('{zone, "z1"}', AclWho(kind="zone", values=("z1",))),
        ("{zone, z1}", AclWho(kind="zone", values=("z1",))),
        ('{listener, "ssl:default"}', AclWho(kind="listener", values=("ssl:default",))),
        (
            "{'and', [{user, \"a\"}, {'or', [all, {client, \"b\"}]}]}",
            AclWho(
                kind="and",
                members=(
                    AclWho(kind="username", values=("a",)),
                    AclWho(kind="or", members=(AclWho(), AclWho(kind="clientid", values=("b",)))),
                ),
            ),
        ),
    ],
)
def test_whom_a_rule_is_about(text: str, expected: AclWho) -> None:
    assert who(text) == expected


@pytest.mark.parametrize(
    ("text", "action", "qos", "retain"),
    [
        ("publish", "publish", (0, 1, 2), None),
        ("subscribe", "subscribe", (0, 1, 2), None),
        ("all", "all", (0, 1, 2), None),
        ("pubsub", "all", (0, 1, 2), None),
        ("{publish, [{qos, 0}, {retain, true}]}", "publish", (0,), True),
        ("{subscribe, [{qos, [2, 0]}]}", "subscribe", (0, 2), None),
        ("{all, [{retain, all}]}", "all", (0, 1, 2), None),
        ("{all, [{qos, 1}, {qos, [0]}, {retain, false}]}", "all", (0, 1), False),
        ("{publish, []}", "publish", (0, 1, 2), None),
    ],
)
def test_what_a_rule_is_about(
    text: str, action: str, qos: tuple[int, ...], retain: bool | None
) -> None:
    parsed = rule(f'{{deny, all, {text}, ["t"]}}.')

    assert (parsed.permission, parsed.action, parsed.qos, parsed.retain) == (
        "deny",
        action,
        qos,
        retain,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["a/+/b", "#"]', (AclTopic(text="a/+/b"), AclTopic(text="#"))),
        ('"single"', (AclTopic(text="single"),)),
        ('{eq, "#"}', (AclTopic(text="#", is_literal=True),)),
        (
            '["eq +/#", {eq, "a/#"}]',
            (AclTopic(text="+/#", is_literal=True), AclTopic(text="a/#", is_literal=True)),
        ),
        ('["%u/%c/x"]', (AclTopic(text="${username}/${clientid}/x"),)),
        ('[{eq, "a/${b}"}]', (AclTopic(text="a/${b}", is_literal=True),)),
        ('["dev%u/x"]', (AclTopic(text="dev%u/x"),)),
        (
            '["d/${client_attrs.site}-${zone}/#"]',
            (AclTopic(text="d/${client_attrs.site}-${zone}/#"),),
        ),
        ('[<<"温度/#"/utf8>>]', (AclTopic(text="温度/#"),)),
        ("[<<97,98>>]", (AclTopic(text="ab"),)),
        ('["a" "b"]', (AclTopic(text="ab"),)),
        (r'["\x{6e29}\t\101\x41\s\"\\\^A\d"]', (AclTopic(text='温\tAA "\\\x01\x7f'),)),
        ("[]", ()),
    ],
)
def test_topics(text: str, expected: tuple[AclTopic, ...]) -> None:
    assert rule(f"{{allow, all, publish, {text}}}.").topics == expected


def test_all_topics_are_more_than_any_filter() -> None:
    assert rule("{allow, all, subscribe, all}.").all_topics
    assert rule("{deny, all}.") == AclRule(permission="deny", all_topics=True, line=1)


def test_rules_know_their_lines_whatever_stands_between_them() -> None:
    text = (
        "% {allow, all}.\n\n{allow,\n all}. %% end\n"
        '{deny, {user, "a%b\nc"}, publish, ["x"]}. {allow, all}.'
    )

    assert [parsed.line for parsed in acl_file.parse(text)] == [3, 5, 6]


def test_the_file_of_emqx_3() -> None:
    text = """
    {allow, {user, "dashboard"}, subscribe, ["$SYS/#"]}.
    {allow, {ipaddr, "127.0.0.1"}, pubsub, ["$SYS/#", "#"]}.
    {deny, all, subscribe, ["$SYS/#", {eq, "#"}]}.
    {allow, all}.
    """

    rules = acl_file.parse(text)

    assert [parsed.permission for parsed in rules] == ["allow", "allow", "deny", "allow"]
    assert rules[1].action == "all"


def test_the_default_file_is_what_it_says() -> None:
    rules = acl_file.parse(acl_file.default_text())

    assert [parsed.permission for parsed in rules] == ["allow", "allow", "deny", "allow"]
    assert "access.sys_topics = everyone" in acl_file.default_text()


@pytest.mark.parametrize(
    ("text", "line", "column", "expected", "found"),
    [
        ("{allow, all}", 1, 13, "a .", "end of the file"),
        ("\n {allow, al}.", 2, 2, "a rule", "{allow, al}"),
        ("{permit, all}.", 1, 2, "allow or deny", "permit"),
        ('{allow, {user, Ann}, all, ["t"]}.', 1, 16, "double quotes", "Ann"),
        ('{allow, {user, ann}, all, ["t"]}.', 1, 16, "double quotes", "ann"),
        ('{allow, {users, "a"}, all, ["t"]}.', 1, 9, "{username", "users"),
        ('{allow, {ipaddr, "10.0.0.300"}, all, ["t"]}.', 1, 18, "IP address", "10.0.0.300"),
        ("{allow, {'or', []}, all, [\"t\"]}.", 1, 16, "at least one", "[]"),
        ('{allow, all, read, ["t"]}.', 1, 14, "publish, subscribe", "read"),
        ('{allow, all, {publish, [{qos, 3}]}, ["t"]}.', 1, 31, "0, 1, 2", "3"),
        ('{allow, all, {publish, [{retain, maybe}]}, ["t"]}.', 1, 34, "true, false", "maybe"),
        ('{allow, all, {publish, [{size, 3}]}, ["t"]}.', 1, 25, "{qos", "size"),
        ('{allow, all, publish, ["a/#/b"]}.', 1, 24, "topic filter", "a/#/b"),
        ('{allow, all, publish, [""]}.', 1, 24, "topic filter", '""'),
        ('{deny, all, all, ["u/${usernam}"]}.', 1, 19, "a placeholder that there", "${usernam}"),
        ('{deny, all, all, ["a", "${client_attrs.}"]}.', 1, 24, "client_attrs.NAME", "attrs.}"),
        ('{allow, all, publish, ["a",, "b"]}.', 1, 28, "a term", ","),
        ('{allow, all, publish, ["a"}.', 1, 27, "comma or ]", "}"),
        ('{allow, all, publish, ["a]}.', 1, 24, 'closing "', "end of the file"),
        ('{allow, all, publish, ["\\x{zz}"]}.', 1, 25, "escape", "\\x{zz}"),
        ("{allow, {security_profile, legacy}}.", 1, 9, "EMQX", "security_profile"),
        ("#{a => b}.", 1, 1, "a term", "#"),
        ("1.5.", 1, 1, "whole number", "1.5"),
        ("{" * 60, 1, 34, "32 levels", "{"),
        ("{allow, all, publish, [<<255>>]}.", 1, 24, "UTF-8", "<<"),
    ],
)
def test_errors_say_where_and_what_was_expected(
    text: str, line: int, column: int, expected: str, found: str
) -> None:
    with pytest.raises(AclSyntaxError) as caught:
        acl_file.parse(text, file="my.conf")

    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert expected in error.expected.en
    assert error.found is not None
    assert found in error.found.en
    assert str(error).startswith(f"my.conf:{line}:{column}: expected ")
    assert f"my.conf:{line}:{column}：应为" in error.text("zh")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [("(", "unclosed group"), ("(?=x)", "look-around"), ("(a{1000}){1000}", "size limit")],
)
def test_a_regular_expression_is_checked_where_it_stands(expression: str, reason: str) -> None:
    with pytest.raises(AclSyntaxError) as caught:
        acl_file.parse(f'{{allow, {{user, {{re, "{expression}"}}}}, all, ["t"]}}.')

    assert (caught.value.column, reason in str(caught.value)) == (21, True)


def test_a_file_has_a_bound() -> None:
    with pytest.raises(AclSyntaxError) as caught:
        acl_file.parse("{allow, all}.\n" * (acl_file.RULES_MAX + 1))

    assert caught.value.line == acl_file.RULES_MAX + 1


# ---- any rule survives being written and read -------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
LEVEL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/+#%"), min_size=1, max_size=6
) | st.sampled_from(["+", "${username}", "d-${clientid}", "${client_attrs.x}"])
FILTERS = (
    st.lists(LEVEL, min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda text: not text.startswith("eq ") and is_topic_filter(text))
)
TOPICS = st.builds(AclTopic, text=FILTERS) | st.builds(
    AclTopic, text=TEXT.filter(is_topic_filter), is_literal=st.just(True)
)


def is_readable(who: AclWho) -> bool:
    return not who.is_regex or all(why_no_regex(value) is None for value in who.values)


ADDRESSES = st.ip_addresses().map(str) | st.ip_addresses(v=4).map(lambda ip: f"{ip}/24")
NAMED = st.builds(
    AclWho,
    kind=st.sampled_from(["username", "clientid", "zone", "listener"]),
    values=st.tuples(TEXT),
    is_regex=st.booleans(),
).filter(is_readable)
SIMPLE = (
    st.just(AclWho())
    | NAMED
    | st.builds(
        AclWho,
        kind=st.just("ipaddr"),
        values=st.lists(ADDRESSES, min_size=1, max_size=3).map(tuple),
    )
    | st.builds(
        AclWho,
        kind=st.just("client_attr"),
        attr=TEXT,
        values=st.tuples(TEXT),
        is_regex=st.booleans(),
    ).filter(is_readable)
)
WHO = st.recursive(
    SIMPLE,
    lambda members: st.builds(
        AclWho,
        kind=st.sampled_from(["and", "or"]),
        members=st.lists(members, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=5,
)
RULES = st.builds(
    AclRule,
    permission=st.sampled_from(["allow", "deny"]),
    who=WHO,
    action=st.sampled_from(["publish", "subscribe", "all"]),
    qos=st.sampled_from([(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]),
    retain=st.sampled_from([None, True, False]),
    topics=st.lists(TOPICS, max_size=3).map(tuple),
)


# The machine may be busy: no deadline.
@settings(deadline=None)
@given(st.lists(RULES, max_size=5))
def test_what_is_written_is_read_again(rules: list[AclRule]) -> None:
    text = acl_file.write(rules)

    again = acl_file.parse(text)

    assert acl_file.write(again) == text
    assert [dataclasses.replace(parsed, line=0) for parsed in again] == rules


PIECES = st.sampled_from(
    [
        "{", "}", "[", "]", "<<", ">>", ",", ".", '"', "'", "%", "\n", " ", "\\", "$", "/utf8",
        "allow", "deny", "all", "publish", "qos", "re", "eq", "username", "and", "ipaddr",
        '"a/b"', '"#"', "0", "-7", "16#ff", "1.5", "X", "_", "\\x{", "\ufeff", "\0", "温",
        "{allow, all}.", '{allow, all, publish, ["a"]}.',
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join))
def test_no_text_makes_the_parser_stumble(text: str) -> None:
    error: AclSyntaxError | None = None
    try:
        acl_file.parse(text)
    except AclSyntaxError as caught:
        error = caught

    assert error is None or (error.line >= 1 and error.column >= 1)
    assert error is None or (error.text("en") and error.text("zh"))
