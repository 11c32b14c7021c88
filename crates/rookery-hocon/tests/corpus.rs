//! The corpus in `tests/unit/config/hocon`, which the Python side reads too, and what must hold
//! for any text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may fail

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rookery_hocon::{
    DEPTH_MAX, Document, ErrorKind, FILES_MAX, FileIncludes, HoconError, NoIncludes, Node, parse,
};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/unit/config/hocon")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    files.sort();
    files
}

fn parse_file(path: &Path) -> Result<Document, HoconError> {
    let variables =
        HashMap::from([("ROOKERY_HOCON_TEST".to_owned(), "from the environment".to_owned())]);
    let text = fs::read_to_string(path).unwrap();
    let source = fs::canonicalize(path).unwrap();
    parse(&text, source.to_str().unwrap(), &mut FileIncludes::new(variables))
}

fn plain(text: &str) -> String {
    parse(text, "text", &mut NoIncludes).unwrap().to_json()
}

fn error(text: &str) -> HoconError {
    parse(text, "text", &mut NoIncludes).unwrap_err()
}

#[test]
fn every_file_of_the_corpus_means_its_json() {
    let files = files(&corpus());
    assert!(files.len() >= 13, "{files:?}");
    for path in files {
        let document = parse_file(&path).unwrap_or_else(|error| panic!("{error}"));
        // JSON is HOCON, so the expected file is read by the same parser.
        let expected = parse_file(&path.with_extension("json")).unwrap();
        assert_eq!(sorted(&document), sorted(&expected), "{}", path.display());
    }
}

fn sorted(document: &Document) -> String {
    fn sort(node: &mut Node) {
        match node {
            Node::Array(items) => items.iter_mut().for_each(|item| sort(&mut item.node)),
            Node::Object(fields) => {
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                fields.iter_mut().for_each(|(_, item)| sort(&mut item.node));
            }
            _ => {}
        }
    }
    let mut document = document.clone();
    sort(&mut document.root.node);
    document.to_json()
}

#[test]
fn every_bad_file_says_what_is_wrong_and_where() {
    for path in files(&corpus().join("bad")) {
        let error = parse_file(&path).expect_err(&path.display().to_string()).to_string();
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap();
        let name = error.split_once(".conf:").map_or("", |(before, _)| before);
        let directory = name.rfind('/').map_or("", |at| &name[..=at]);
        assert_eq!(error.replace(directory, ""), expected.trim_end(), "{}", path.display());
    }
}

#[test]
fn values_know_their_file_and_line() {
    let document = parse_file(&corpus().join("includes.conf")).unwrap();
    let place = |path: &[&str]| {
        let origin = document.root.at(path).unwrap().origin;
        let source = Path::new(&document.sources[origin.source as usize]);
        (source.file_name().unwrap().to_str().unwrap().to_owned(), origin.line)
    };
    assert_eq!(place(&["before"]), ("includes.conf".to_owned(), 7));
    assert_eq!(place(&["two"]), ("two.conf".to_owned(), 2));
    assert_eq!(place(&["nested", "one", "value"]), ("one.conf".to_owned(), 1));
    assert_eq!(place(&["three"]), ("three.json".to_owned(), 1));
}

#[test]
fn an_optional_file_that_is_missing_is_told_with_its_place() {
    let document = parse_file(&corpus().join("includes.conf")).unwrap();
    let [missing] = &document.missing[..] else { panic!("{:?}", document.missing) };
    assert_eq!(missing.name, "parts/there_is_no_such_file.conf");
    assert_eq!((missing.origin.source, missing.origin.line), (0, 4));
    let json = document.to_json_with_origins();
    assert!(json.contains(r#""missing":[[0,4,"parts/there_is_no_such_file.conf"]]"#), "{json}");
}

#[test]
fn files_that_are_missing_have_a_limit() {
    let text = "include \"parts/there_is_no_such_file.conf\"\n".repeat(FILES_MAX + 1);
    let source = corpus().join("x.conf");
    let error = parse(&text, source.to_str().unwrap(), &mut FileIncludes::default()).unwrap_err();
    assert_eq!((error.line, error.kind), (257, ErrorKind::TooMuch("included files")));
}

#[test]
fn json_with_origins_holds_triples() {
    let document = parse("a = 1\nb { c = [x] }", "text", &mut NoIncludes).unwrap();
    assert_eq!(
        document.to_json_with_origins(),
        r#"{"sources":["text"],"missing":[],"root":[0,1,{"a":[0,1,1],"b":[0,2,{"c":[0,2,[[0,2,"x"]]]}]}]}"#
    );
}

#[test]
fn nesting_has_a_limit_in_every_form() {
    let deep = DEPTH_MAX + 1;
    let texts = [
        format!("a = {}{}", "{a = ".repeat(deep), "}".repeat(deep)),
        format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("{}a = 1", "a.".repeat(deep)),
        format!("a = {}", "[".repeat(1_000_000)),
        format!("a = {}", "{a=".repeat(1_000_000)),
    ];
    for text in texts {
        assert!(matches!(error(&text).kind, ErrorKind::TooMuch(_)), "{}", &text[..20]);
    }
    // A chain of references adds up to more than any part of it.
    let chain: String = (0..10_000).map(|i| format!("a{i} = [${{a{}}}]\n", i + 1)).collect();
    let text = chain + "a10000 = 1";
    assert!(matches!(error(&text).kind, ErrorKind::TooMuch(_)));
}

#[test]
fn a_document_is_as_deep_however_it_is_written() {
    let keys = vec!["a"; DEPTH_MAX].join(".");
    let document =
        parse(&format!("{keys} = 1"), "test", &mut NoIncludes).expect("as deep as can be");
    let json = document.to_json();
    let again = parse(&json, "test", &mut NoIncludes).expect("the same");
    assert_eq!(again.to_json(), json);
}

#[test]
fn what_references_put_together_has_the_same_limit() {
    let half = vec!["a"; DEPTH_MAX / 2 + 1].join(".");
    let texts = [
        format!("{half} = ${{b}}\nb.{half} = 1"),
        format!("a = 1\n{}", "a = [${a}]\n".repeat(DEPTH_MAX + 2)),
    ];
    for text in texts {
        assert!(matches!(error(&text).kind, ErrorKind::TooMuch(_)), "{}", &text[..20]);
    }
}

#[test]
fn substitutions_cannot_explode() {
    let mut text = "a0 = [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = format!("${{a{}}} ", level - 1).repeat(8);
        text.push_str(&format!("a{level} = {below}\n"));
    }
    assert!(matches!(error(&text).kind, ErrorKind::TooMuch(_)));
}

#[test]
fn cycles_are_found_wherever_they_close() {
    for text in [
        "a = ${b}\nb = ${a}",
        "a { b = ${c} }\nc = ${a.b}",
        "a = ${a.b}",
        "a { b = ${a} }",
        "a = [${a}]",
        "a = 1 ${b}\nb = ${?a} 2 ${a}",
    ] {
        let kind = error(text).kind;
        let is_refused =
            matches!(kind, ErrorKind::Cycle(_) | ErrorKind::Undefined(_) | ErrorKind::TooMuch(_));
        assert!(is_refused, "{text}: {kind:?}");
    }
}

#[test]
fn many_appends_stay_linear() {
    let text = "a += x\n".repeat(20_000);
    let document = parse(&format!("a = []\n{text}"), "text", &mut NoIncludes).unwrap();
    let Node::Array(items) = &document.root.get("a").unwrap().node else { panic!() };
    assert_eq!(items.len(), 20_000);
}

#[test]
fn a_later_file_in_a_cycle_of_includes_is_refused() {
    let directory = corpus().join("bad");
    let error = parse_file(&directory.join("include_self.conf")).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Include(..)), "{error}");
}

fn json_value() -> impl Strategy<Value = String> {
    let text = || {
        any::<String>().prop_map(|text| {
            let escaped: String = text
                .chars()
                .map(|c| match c {
                    '"' => "\\\"".to_owned(),
                    '\\' => "\\\\".to_owned(),
                    c if c < ' ' => format!("\\u{:04x}", u32::from(c)),
                    c => c.to_string(),
                })
                .collect();
            format!("\"{escaped}\"")
        })
    };
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        text(),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|v| format!("[{}]", v.join(","))),
            prop::collection::btree_map(text(), inner, 0..6).prop_map(|fields| {
                let fields: Vec<String> =
                    fields.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_means_itself(value in json_value()) {
        let expected = format!("{{\"v\":{value}}}");
        // Control characters may be written in two ways; a second round settles that.
        let once = plain(&expected);
        prop_assert_eq!(plain(&once), once);
    }

    #[test]
    fn any_text_gives_a_document_or_an_error(text in any::<String>()) {
        let _ = parse(&text, "text", &mut NoIncludes);
    }

    #[test]
    fn any_soup_of_tokens_gives_a_document_or_an_error(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "a", "b", ".", "1", "=", ":", "+=", "{", "}", "[", "]", ",", "\n", " ", "\"q\"",
            "\"\"\"t\"\"\"", "${a}", "${?b}", "${a.b}", "#c\n", "include \"x\"", "$", "\"", "\\", "é",
        ]), 0..60)
    ) {
        if let Ok(document) = parse(&tokens.concat(), "text", &mut NoIncludes) {
            // What comes out is JSON, and JSON means itself.
            let json = document.to_json();
            prop_assert_eq!(plain(&json), json);
        }
    }
}
