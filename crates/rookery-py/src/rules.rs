//! Rules: down as rows, up as rows; SQL tried and templates filled without a node.

use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString, PyTuple};
use rookery_core::rules::trial::{TrialError, event_names, try_rule as try_sql};
use rookery_core::rules::{
    Fact, Happening, LocalTime, Republish, RepublishSpec, RuleCounts, Surroundings,
};
use rookery_node::{OutputSpec, RuleSpec};
use rookery_rules::functions::{FAMILIES, Status};
use rookery_rules::messages;
use rookery_rules::{
    Column, EVENTS, Event, EventInfo, Invalid, RuleError, Source as _, Value, World, compile,
    encode_json,
};

use crate::actions::action_fields;
use crate::error::{native, wrong_sql};
use crate::rows::{Row, row};

/// Most octets of one value that is shown.
const SHOWN_BYTES_MAX: usize = 4 << 20;

/// `RuleRow`: id, SQL, whether it runs, outputs.
pub(crate) type RuleRow<'py> = (String, String, bool, Vec<Bound<'py, PyTuple>>);

/// `AroundRow`: seconds ahead of UTC, the changes of that to come, variables, whether `$SYS` is
/// ignored.
pub(crate) type AroundRow = (i32, Vec<(i64, i32)>, Vec<(String, String)>, bool);

/// The name and value of a column.
pub(crate) type ColumnRow<'py> = (String, Bound<'py, PyAny>);

pub(crate) fn around((offset_s, changes, variables, ignores_sys): AroundRow) -> Surroundings {
    Surroundings { local_time: LocalTime::new(offset_s, changes), variables, ignores_sys }
}

pub(crate) fn spec((id, sql, enable, outputs): RuleRow<'_>) -> PyResult<RuleSpec> {
    let outputs = outputs.iter().map(output).collect::<PyResult<_>>()?;
    Ok(RuleSpec { id, sql, enable, outputs })
}

/// `OutputRow`: the kind, then what belongs to it.
fn output(row: &Bound<'_, PyTuple>) -> PyResult<OutputSpec> {
    let kind: String = row.get_item(0)?.extract()?;
    match kind.as_str() {
        "console" => Ok(OutputSpec::Console),
        "action" => {
            let (_, id, parts): (String, String, Vec<(String, String)>) = row.extract()?;
            Ok(OutputSpec::Action { id, fields: action_fields(&parts)? })
        }
        "republish" => republish(row).map(OutputSpec::Republish),
        _ => Err(PyValueError::new_err(format!("{kind:?} is no kind of output"))),
    }
}

fn republish(row: &Bound<'_, PyTuple>) -> PyResult<RepublishSpec> {
    let (_, texts, mqtt_properties, direct_dispatch): (
        String,
        [String; 5],
        Vec<(String, String)>,
        bool,
    ) = row.extract()?;
    let [topic, qos, retain, payload, user_properties] = texts;
    Ok(RepublishSpec {
        topic,
        qos,
        retain,
        payload,
        user_properties,
        mqtt_properties,
        direct_dispatch,
    })
}

/// Why a republish cannot be used: which part of it, and what is wrong; none when it can.
#[pyfunction]
pub(crate) fn republish_problem(output: &Bound<'_, PyTuple>) -> PyResult<Option<(String, String)>> {
    let refused = Republish::new(&republish(output)?).err();
    Ok(refused.map(|error| (error.field, error.problem)))
}

/// `RuleCountsRow`.
pub(crate) fn counts<'py>(py: Python<'py>, id: &str, c: &RuleCounts) -> Row<'py> {
    row![py;
        id, c.matched, c.passed, c.failed, c.failed_exception, c.failed_no_result,
        c.actions_total, c.actions_success, c.actions_failed, c.actions_failed_out_of_service,
        c.actions_failed_unknown, c.actions_discarded,
    ]
}

/// What a source brought in.
pub(crate) fn from_source(
    source: &str,
    columns: &[ColumnRow<'_>],
    json: &[(String, String)],
) -> PyResult<Happening> {
    let bare = source.strip_prefix("$bridges/").or_else(|| source.strip_prefix("$sources/"));
    let bare = bare.unwrap_or(source);
    let name = format!("$bridges/{bare}");
    let mut what = Happening::new(Event::Source).with(Column::Event, name.as_str());
    what.source = Some(bare.into());
    fill(&mut what, columns, json)?;
    Ok(what)
}

/// An event that happened outside the core.
pub(crate) fn event(
    name: &str,
    columns: &[ColumnRow<'_>],
    json: &[(String, String)],
) -> PyResult<Happening> {
    let event = Event::from_topic(name)
        .filter(|event| !matches!(event, Event::Source | Event::MessagePublish))
        .ok_or_else(|| native("topic", format!("there is no event {name:?}")))?;
    let mut what = Happening::new(event);
    fill(&mut what, columns, json)?;
    Ok(what)
}

fn fill(
    what: &mut Happening,
    columns: &[ColumnRow<'_>],
    json: &[(String, String)],
) -> PyResult<()> {
    for (name, value) in columns {
        let value = fact(value)?;
        if let Some(column) = column(name)? {
            what.set(column, value);
        }
    }
    for (name, text) in json {
        if let Some(column) = column(name)? {
            what.set(column, Fact::Json(text.as_bytes().into()));
        }
    }
    Ok(())
}

fn column(name: &str) -> PyResult<Option<Column>> {
    match Column::from_name(name) {
        // It says what happened, which is known.
        Some(Column::Event) => Ok(None),
        Some(column) => Ok(Some(column)),
        None => Err(native("topic", format!("there is no column {name:?}"))),
    }
}

fn fact(value: &Bound<'_, PyAny>) -> PyResult<Fact> {
    if value.is_none() {
        return Ok(Fact::Unknown);
    }
    // A boolean is an integer too.
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Fact::Bool(flag.is_true()));
    }
    if value.cast::<PyInt>().is_ok() {
        return value.extract().map(Fact::Int);
    }
    if value.cast::<PyFloat>().is_ok() {
        return value.extract().map(Fact::Float);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Fact::from(text.to_cow()?.as_ref()));
    }
    if let Ok(octets) = value.cast::<PyBytes>() {
        return Ok(Fact::Text(octets.as_bytes().into()));
    }
    Err(PyTypeError::new_err("a column is text, octets, a number, a boolean or None"))
}

fn refused(error: &RuleError) -> PyErr {
    wrong_sql(&error.said(), Some((error.line, error.column)))
}

/// What a rule selects from: topic filters, events, ids of sources.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub(crate) fn compile_rule(
    py: Python<'_>,
    sql: &str,
) -> PyResult<(Vec<String>, Vec<&'static str>, Vec<String>)> {
    let rule = py.detach(|| compile(sql)).map_err(|error| refused(&error))?;
    let bare = |source: &String| {
        let id = source.strip_prefix("$bridges/").or_else(|| source.strip_prefix("$sources/"));
        id.unwrap_or(source).to_owned()
    };
    let sources = rule.sources().iter().map(bare).collect();
    Ok((rule.filters().to_vec(), event_names(sql, &rule), sources))
}

/// The rows that a rule makes of columns, as JSON; none when it takes nothing of them.
#[pyfunction]
pub(crate) fn try_rule(
    py: Python<'_>,
    sql: &str,
    context: &str,
    seed: u64,
    surroundings: AroundRow,
) -> PyResult<Option<Vec<String>>> {
    let (local_offset_s, _, variables, _) = surroundings;
    let world =
        World { now_unix_ns: now_ns(), local_offset_s, seed, variables: variables.as_slice() };
    match py.detach(|| try_sql(sql, context, world)) {
        Ok(rows) => Ok(Some(rows)),
        Err(TrialError::NoMatch) => Ok(None),
        Err(TrialError::Sql(error)) => Err(refused(&error)),
        Err(other) => Err(wrong_sql(&other.said(), None)),
    }
}

fn now_ns() -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(now.as_nanos()).unwrap_or(i128::MAX)
}

/// `RuleEventRow` of everything that a rule can select from.
#[pyfunction]
pub(crate) fn rule_events(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyTuple>>> {
    EVENTS.iter().map(|info| event_row(py, info)).collect()
}

fn event_row<'py>(py: Python<'py>, info: &EventInfo) -> Row<'py> {
    let example = info.event.example(i64::try_from(now_ns() / 1_000_000).unwrap_or(i64::MAX));
    let columns: Vec<(&str, String)> = info
        .columns
        .iter()
        .map(|column| (column.name(), shown(&example.column(*column))))
        .collect();
    let tests: Vec<(&str, &str, &str, &str)> = info
        .test_columns
        .iter()
        .map(|test| (test.column.name(), test.example, test.about.en, test.about.zh))
        .collect();
    row![py;
        info.topic, info.old_topic, info.title.en, info.title.zh, info.sql_example, columns, tests,
    ]
}

fn shown(value: &Value<'_>) -> String {
    let mut json = Vec::new();
    if value.is_undefined()
        || encode_json(value, Invalid::Replace, SHOWN_BYTES_MAX, &mut json).is_err()
    {
        return "null".into();
    }
    String::from_utf8_lossy(&json).into_owned()
}

/// The key and the English text of everything that is said about rules.
#[pyfunction]
pub(crate) fn rule_messages() -> Vec<(&'static str, &'static str)> {
    messages::ALL.iter().map(|message| (message.key, message.english)).collect()
}

/// `RuleFunctionRow` of every function, absent ones too.
#[pyfunction]
pub(crate) fn rule_functions(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyTuple>>> {
    let all = FAMILIES.iter().flat_map(|family| family.functions.iter().map(move |f| (family, f)));
    all.map(|(family, function)| {
        let (status, reason) = match function.status {
            Status::Present => ("present", ""),
            Status::Different(reason) => ("different", reason),
            Status::Absent(reason) => ("absent", reason),
        };
        let most = Some(function.arguments_max).filter(|max| *max != usize::MAX);
        row![py;
            function.name, family.title.en, family.title.zh, function.arguments_min, most, status,
            reason, function.examples.to_vec(),
        ]
    })
    .collect()
}
