//! The codec against Erlang itself: its terms are read here, ours are read there with `[safe]`.
//!
//! Runs where `erl` is (Debian: `erlang-base`), or where `ROOKERY_ERL` says; elsewhere it says that it
//! did not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::borrow::Cow;
use std::process::{Command, Stdio};

use rookery_codec::{PublishProperties, QoS, UserPropertiesBuf};
use rookery_links::message::LinkMessage;
use rookery_links::operation::{Actor, Change, Operation};
use rookery_links::term::{Limits, Term, decode, open};

const LIMITS: Limits = Limits { bytes: 1 << 20, terms: 100_000 };

/// How many terms are made.
const TERMS: usize = 600;

/// Makes the terms, the same in each run.
const MAKE: &str = r"
    Atoms = [true, false, undefined, ok, error, '$op', message, 'Content-Type', 'User-Property'],
    Some = fun(Make, Most) -> [Make() || _ <- lists:seq(1, rand:uniform(Most + 1) - 1)] end,
    Octet = fun() -> rand:uniform(256) - 1 end,
    Make = fun Make(D) ->
        Next = fun() -> Make(D + 1) end,
        case rand:uniform(if D > 3 -> 8; true -> 11 end) of
            1 -> rand:uniform(300) - 20;
            2 -> rand:uniform(1 bsl 62) - (1 bsl 61);
            3 -> rand:uniform(1 bsl 33) - (1 bsl 32);
            4 -> rand:normal() * 1.0e9;
            5 -> lists:nth(rand:uniform(length(Atoms)), Atoms);
            6 -> list_to_binary(Some(Octet, 40));
            7 -> Some(Octet, 20);
            8 -> binary:copy(<<97>>, rand:uniform(3000));
            9 -> Some(Next, 4);
            10 -> list_to_tuple(Some(Next, 4));
            11 -> maps:from_list(Some(fun() -> {Make(D + 1), Make(D + 1)} end, 4))
        end
    end,
    rand:seed(exsss, {1, 2, 3}),
    Terms = [Make(0) || _ <- lists:seq(1, COUNT)],
";

const PRINT: &str = r#"
    [io:format("~s~n~s~n", [binary:encode_hex(term_to_binary(T)),
        binary:encode_hex(term_to_binary(T, [compressed]))]) || T <- Terms]
"#;

/// The atoms of a message are named, so that this Erlang knows them as EMQX does.
const CHECK: &str = r#"
    {ok, Text} = file:read_file(FILE),
    Read = fun(Line) -> binary_to_term(binary:decode_hex(Line), [safe]) end,
    Lines = binary:split(Text, <<"\n">>, [global]),
    {Ours, [Routes, Message]} = lists:split(2 * length(Terms), Lines),
    lists:foreach(fun({T, Line}) -> T = Read(Line) end,
        lists:zip(lists:append([[T, T] || T <- Terms]), Ours)),
    #{'$op' := <<"route">>, 10 := <<"n@h">>, 11 := 1754557200000,
      12 := [{<<"t/1">>, <<"t/#">>}, {100, <<"x">>, <<"$s/g/x">>}]} = Read(Routes),
    {message, <<"0123456789abcdef">>, 1, <<"c">>, #{dup := false, retain := true},
     #{protocol := mqtt, proto_ver := 5, username := undefined,
       properties := #{'User-Property' := [{<<"a">>, <<"1">>}], 'Content-Type' := <<"x">>,
       'Message-Expiry-Interval' := 60}},
     <<"t/1">>, <<"on">>, 1754557200000, #{}} = Read(Message),
    io:format("ok ~p~n", [length(Ours)])
"#;

fn erl() -> Option<String> {
    let erl = std::env::var("ROOKERY_ERL").unwrap_or_else(|_| "erl".to_owned());
    let found = Command::new(&erl).args(["-noshell", "-eval", "halt()."]).output();
    found.is_ok_and(|output| output.status.success()).then_some(erl)
}

/// Runs a program on the terms, and on a file with `input`; the lines that it prints.
fn run(erl: &str, program: &str, input: &str) -> Vec<String> {
    let file = std::env::temp_dir().join(format!("rookery-terms-{}", std::process::id()));
    std::fs::write(&file, input).unwrap();
    let program = format!("{MAKE}{program}, halt().");
    let program = program.replace("COUNT", &TERMS.to_string());
    let program = program.replace("FILE", &format!("{file:?}"));
    let output = Command::new(erl)
        .args(["-noshell", "-eval", &program])
        .stdin(Stdio::null())
        .output()
        .expect("erl starts");
    std::fs::remove_file(&file).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(str::to_owned).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What Erlang wrote, written again: plain and compressed.
fn again(line: &str) -> [Vec<u8>; 2] {
    let bytes = octets(line);
    let plain = open(&bytes, LIMITS).unwrap_or_else(|error| panic!("{error}: {line}"));
    let term: Term<'_> = decode(&plain, LIMITS).unwrap_or_else(|error| panic!("{error}: {line}"));
    [term.encode(), term.encode_compressed()]
}

fn routes() -> Vec<u8> {
    let actor = Actor { name: "n@h", incarnation: 1_754_557_200_000 };
    let changes = vec![
        Change { topic: "t/1", route: "t/#", is_there: true },
        Change { topic: "x", route: "$s/g/x", is_there: false },
    ];
    Operation::Routes { actor, changes }.encode()
}

fn message() -> Vec<u8> {
    let mut user = UserPropertiesBuf::new();
    user.push("a", "1");
    let mut properties = Vec::new();
    PublishProperties {
        content_type: Some("x"),
        user_properties: user.as_ref(),
        ..PublishProperties::default()
    }
    .forward_into(&mut properties);
    let mut out = Vec::new();
    LinkMessage {
        id: *b"0123456789abcdef",
        qos: QoS::AtLeastOnce,
        from: Some("c"),
        username: None,
        retain: true,
        sys: false,
        topic: "t/1",
        payload: b"on",
        timestamp_ms: 1_754_557_200_000,
        expiry_interval_s: Some(60),
        properties: Cow::Owned(properties),
    }
    .encode_into(&mut out);
    out
}

#[test]
fn terms_of_erlang_are_read_here_and_ours_are_read_there() {
    let Some(erl) = erl() else {
        eprintln!("no `erl` here: install erlang-base, or name it in ROOKERY_ERL");
        return;
    };
    let lines = run(&erl, PRINT, "");
    assert_eq!(lines.len(), 2 * TERMS);
    let mut ours: Vec<String> = Vec::new();
    for pair in lines.chunks(2) {
        let written = again(&pair[0]);
        assert_eq!(written, again(&pair[1]), "plain and compressed are the same term");
        ours.extend(written.iter().map(|bytes| hex(bytes)));
    }
    ours.push(hex(&routes()));
    ours.push(hex(&message()));
    assert_eq!(run(&erl, CHECK, &ours.join("\n")), [format!("ok {}", 2 * TERMS)]);
}
