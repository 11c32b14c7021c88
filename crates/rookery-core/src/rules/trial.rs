//! Trying a rule: what comes out of it for columns that a person wrote down. Nothing is counted
//! and no action runs.

use rookery_codec::filter_matches;
use rookery_rules::messages::{self, Said};
use rookery_rules::{
    Column, Context, EVENTS, EvalError, Event, Invalid, Record, Rule, RuleError, Source, Value,
    World, compile, encode_json_map,
};
use thiserror::Error;

/// Most octets of all rows that a trial shows.
const ROWS_BYTES_MAX: usize = 4 << 20;

/// Why a trial has no rows.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrialError {
    /// The SQL is wrong.
    #[error(transparent)]
    Sql(#[from] RuleError),
    /// The context is no JSON object, or names an event that there is not.
    #[error("{0}")]
    Context(Said),
    /// The rule does not select from that, or its condition is not met.
    #[error("{}", messages::no_match())]
    NoMatch,
    /// The rule failed.
    #[error(transparent)]
    Failed(#[from] EvalError),
}

impl TrialError {
    /// What to tell whoever tries.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Sql(error) => error.said(),
            Self::Context(said) => said.clone(),
            Self::NoMatch => messages::no_match(),
            Self::Failed(error) => error.said(),
        }
    }
}

/// The rows, as JSON, that a rule makes of `context`: a JSON object of columns. What is missing
/// there is filled in with examples. The key `event_type` says what happens, such as
/// `message_publish`; without it that is the first thing the rule selects from.
///
/// # Errors
///
/// Why there are none.
pub fn try_rule(sql: &str, context: &str, world: World<'_>) -> Result<Vec<String>, TrialError> {
    let rule = compile(sql)?;
    let given = Given::read(context)?;
    let event = given.event.unwrap_or_else(|| first_of(&rule));
    let now_ms = i64::try_from(world.now_unix_ns / 1_000_000).unwrap_or(i64::MAX);
    let mut record = event.example(now_ms);
    if !record.merge_json(context.as_bytes()) {
        return Err(TrialError::Context(messages::context_no_object()));
    }
    // What happens is said by `event_type`, not by a column that somebody copied along.
    record.set(Column::Event, Value::from(event.name()));
    if !selects(&rule, event, &record) {
        return Err(TrialError::NoMatch);
    }
    let context = Context::new(&record, world);
    let outcome = rule.evaluate(&context)?;
    let mut rows = Vec::new();
    let mut left = ROWS_BYTES_MAX;
    for row in outcome.rows() {
        let mut json = Vec::new();
        let written = encode_json_map(row, Invalid::Replace, left, &mut json);
        left = match (written, left.checked_sub(json.len())) {
            (Ok(()), Some(left)) => left,
            (Ok(()) | Err(EvalError::TooLarge(_)), _) => {
                return Err(EvalError::TooLarge(ROWS_BYTES_MAX).into());
            }
            (Err(error), _) => return Err(error.into()),
        };
        rows.push(String::from_utf8_lossy(&json).into_owned());
    }
    if rows.is_empty() { Err(TrialError::NoMatch) } else { Ok(rows) }
}

/// What the context says besides columns.
struct Given {
    event: Option<Event>,
}

impl Given {
    fn read(context: &str) -> Result<Self, TrialError> {
        let Some(Value::Map(map)) = rookery_rules::decode_json(context.as_bytes()) else {
            return Err(TrialError::Context(messages::context_no_object()));
        };
        let kind = match map.get(b"event_type") {
            Some(Value::Text(text)) => text.as_str().unwrap_or_default(),
            _ => return Ok(Self { event: None }),
        };
        let event = event_of(kind)
            .ok_or_else(|| TrialError::Context(messages::no_event_type(format!("{kind:?}"))))?;
        Ok(Self { event: Some(event) })
    }
}

/// EMQX's `event_type`: `client_connected`, `message_publish`, `bridge_mqtt` and the like.
fn event_of(kind: &str) -> Option<Event> {
    if kind.starts_with("bridge") || kind.starts_with("$bridges/") || kind.starts_with("$sources/")
    {
        return Some(Event::Source);
    }
    let bare = kind.strip_prefix("$events/").unwrap_or(kind);
    let is_meant = |name: &str| name.replace(['.', '/'], "_") == bare.replace(['.', '/'], "_");
    let found = EVENTS.iter().find(|info| {
        let topic = info.topic.strip_prefix("$events/").unwrap_or(info.topic);
        let old = info.old_topic.and_then(|old| old.strip_prefix("$events/"));
        is_meant(info.name) || is_meant(topic) || old.is_some_and(is_meant)
    });
    found.map(|info| info.event)
}

fn first_of(rule: &Rule) -> Event {
    match (rule.filters(), rule.events()) {
        ([], [event, ..]) => *event,
        ([], []) if !rule.sources().is_empty() => Event::Source,
        _ => Event::MessagePublish,
    }
}

fn selects(rule: &Rule, event: Event, record: &Record<'_>) -> bool {
    if rule.events().contains(&event) {
        return true;
    }
    match event {
        Event::Source => !rule.sources().is_empty(),
        Event::MessagePublish => {
            let topic = record.column(Column::Topic);
            let Value::Text(topic) = &topic else { return false };
            let topic = topic.as_str().unwrap_or_default();
            rule.filters().iter().any(|filter| filter_matches(filter, topic))
        }
        _ => false,
    }
}

/// The names of the events that a rule selects from, old or new, as its SQL has them.
#[must_use]
pub fn event_names(sql: &str, rule: &Rule) -> Vec<&'static str> {
    let mut names = Vec::new();
    for event in rule.events().iter().filter(|event| **event != Event::Source) {
        let info = event.info();
        let before = names.len();
        names.extend([Some(info.topic), info.old_topic].into_iter().flatten().filter(|name| {
            // As a whole, with its quotes: one name may be the beginning of another.
            sql.contains(&format!("\"{name}\"")) || sql.contains(&format!("'{name}'"))
        }));
        if names.len() == before {
            names.push(info.topic);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(sql: &str, context: &str) -> Result<Vec<String>, TrialError> {
        try_rule(sql, context, World::at(1_700_000_000_000_000_000, 1))
    }

    #[test]
    fn a_rule_is_tried_on_what_is_given_and_on_examples() {
        let sql = r#"SELECT payload.t AS t, qos, clientid FROM "t/#" WHERE payload.t > 1"#;
        assert_eq!(
            rows(sql, r#"{"payload":"{\"t\":2}","topic":"t/a","clientid":"x"}"#).expect("rows"),
            [r#"{"t":2,"qos":1,"clientid":"x"}"#]
        );
        for context in [r#"{"payload":"{\"t\":1}"}"#, r#"{"topic":"u","payload":"{\"t\":2}"}"#] {
            assert!(matches!(rows(sql, context), Err(TrialError::NoMatch)), "{context}");
        }
        assert!(matches!(rows(sql, "[]"), Err(TrialError::Context(_))));
        assert!(matches!(rows("SELECT", "{}"), Err(TrialError::Sql(_))));
        let failing = r#"SELECT 1 / 0 AS x FROM "t/#""#;
        assert!(matches!(rows(failing, "{}"), Err(TrialError::Failed(_))));
    }

    #[test]
    fn the_rows_together_are_bounded() {
        let sql = r#"FOREACH payload.a DO payload FROM "t""#;
        let of = |count: usize| {
            let items = vec!["1"; count].join(",");
            let pad = "x".repeat(100_000);
            let payload = format!(r#"{{\"a\":[{items}],\"p\":\"{pad}\"}}"#);
            rows(sql, &format!(r#"{{"topic":"t","payload":"{payload}"}}"#))
        };
        assert_eq!(of(10).expect("1 MB").len(), 10);
        let failed = of(1_000).expect_err("100 MB");
        let most = EvalError::TooLarge(ROWS_BYTES_MAX);
        assert!(matches!(&failed, TrialError::Failed(error) if *error == most), "{failed}");
    }

    #[test]
    fn the_event_is_the_one_given_or_the_first_of_the_rule() {
        let sql = r#"SELECT event, keepalive FROM "$events/client_connected", "t/#""#;
        let connected = r#"{"event":"client.connected","keepalive":60}"#;
        for kind in ["client_connected", "client/connected", "$events/client_connected"] {
            let context = format!(r#"{{"event_type":"{kind}"}}"#);
            assert_eq!(rows(sql, &context).expect(kind), [connected]);
        }
        assert!(rows(sql, r#"{"topic":"t/x"}"#).expect("rows")[0].contains("message.publish"));
        let other = r#"{"event_type":"session_subscribed"}"#;
        assert!(matches!(rows(sql, other), Err(TrialError::NoMatch)));
        assert!(matches!(rows(sql, r#"{"event_type":"x"}"#), Err(TrialError::Context(_))));
        let source = r#"SELECT topic FROM "$bridges/mqtt:m""#;
        assert_eq!(rows(source, r#"{"topic":"far"}"#).expect("rows"), [r#"{"topic":"far"}"#]);
    }

    #[test]
    fn events_keep_the_names_that_they_have_in_the_text() {
        let sql = r#"SELECT * FROM "$events/client_connected", "$events/client/ping""#;
        let rule = compile(sql).expect("rule");
        assert_eq!(event_names(sql, &rule), ["$events/client_connected", "$events/client/ping"]);
    }
}
