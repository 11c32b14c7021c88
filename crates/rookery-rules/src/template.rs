//! Text with `${a.b}` in it, for what actions send.

use thiserror::Error;

use crate::error::EvalError;
use crate::json::{self, Invalid};
use crate::parts::Parts;
use crate::path::Place;
use crate::value::{Map, Value};
use crate::{DEPTH_MAX, SQL_BYTES_MAX};

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// It is too long.
    #[error("template is longer than {SQL_BYTES_MAX} octets")]
    TooLong,
    /// A placeholder that is never closed, or has no path in it.
    #[error("placeholder {0:?} is not of the form ${{a.b[1]}}")]
    Placeholder(String),
}

/// A template, read once.
///
/// `${a.b[1]}` is a value of the result, `${.}` the whole result as JSON, `$${` is `${`. Text
/// stands as it is, numbers and booleans as JSON has them, arrays and maps as JSON; what is not
/// there is `undefined`, as in EMQX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(Box<[u8]>),
    Whole,
    Path { key: Box<[u8]>, steps: Vec<Step> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(Box<[u8]>),
    Index(i64),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// When it is too long or has a placeholder that is none.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > SQL_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                plain.push_str(before);
                plain.push_str("${");
                rest = after;
                continue;
            }
            plain.push_str(before);
            let Some((path, after)) = after.split_once('}') else {
                return Err(placeholder(after));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain).into_bytes().into()));
            }
            pieces.push(read_path(path.trim()).ok_or_else(|| placeholder(path))?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain.into_bytes().into()));
        }
        Ok(Self { pieces })
    }

    /// Whether there is no placeholder in it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Plain(_)))
    }

    /// Writes the text for `row` at the end of `out`, which may grow by `bytes_max`.
    ///
    /// # Errors
    ///
    /// [`EvalError::TooLarge`]; what was written until then stays in `out`.
    pub fn render<'a>(
        &self,
        row: &Map<'a>,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        self.render_of(&Parts::alone(), row, bytes_max, out)
    }

    /// The same for one of the results of a message.
    ///
    /// # Errors
    ///
    /// The same, or that the message may not cost more work.
    pub fn render_of<'a>(
        &self,
        parts: &Parts<'a, '_>,
        row: &Map<'a>,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        let limit = out.len().saturating_add(bytes_max);
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => out.extend_from_slice(text),
                Piece::Whole => json::entries(row.entries(), Invalid::Replace, limit, out)?,
                Piece::Path { key, steps } => {
                    show(&look_up(parts, row, key, steps)?, limit, out)?;
                }
            }
            if out.len() > limit {
                return Err(EvalError::TooLarge(bytes_max));
            }
        }
        Ok(())
    }

    /// The value for `row` when the template is one placeholder and nothing else, such as the
    /// `${qos}` of a republish.
    ///
    /// # Errors
    ///
    /// That the message may not cost more work.
    pub fn value<'a>(
        &self,
        parts: &Parts<'a, '_>,
        row: &Map<'a>,
    ) -> Result<Option<Value<'a>>, EvalError> {
        match self.pieces.as_slice() {
            [Piece::Path { key, steps }] => look_up(parts, row, key, steps).map(Some),
            _ => Ok(None),
        }
    }
}

fn placeholder(text: &str) -> TemplateError {
    TemplateError::Placeholder(format!("${{{}", text.chars().take(32).collect::<String>()))
}

/// `a.b[1]`, `.a.b`, or `.` for everything.
fn read_path(path: &str) -> Option<Piece> {
    if path == "." {
        return Some(Piece::Whole);
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        // A name in quotation marks may have anything in it: `pub_props.'Content-Type'`.
        let name = match rest.strip_prefix('\'') {
            Some(quoted) => {
                let (name, _) = quoted.split_once('\'')?;
                rest = rest.get(name.len() + 2..)?;
                name
            }
            None => {
                let name = rest.split(['.', '[']).next().unwrap_or_default();
                rest = rest.get(name.len()..)?;
                name
            }
        };
        if name.is_empty() {
            return None;
        }
        steps.push(Step::Key(name.as_bytes().into()));
        while let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            steps.push(Step::Index(index.trim().parse().ok()?));
            rest = after;
        }
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix('.')?;
    }
    let key = match steps.remove(0) {
        Step::Key(key) if steps.len() <= DEPTH_MAX => key,
        _ => return None,
    };
    Some(Piece::Path { key, steps })
}

fn look_up<'a>(
    parts: &Parts<'a, '_>,
    row: &Map<'a>,
    key: &[u8],
    steps: &[Step],
) -> Result<Value<'a>, EvalError> {
    let places = steps.iter().map(|step| match step {
        Step::Key(key) => Place::Key(key),
        Step::Index(index) => Place::Index(*index),
    });
    parts.look_up(row, key, places)
}

fn show(value: &Value<'_>, limit: usize, out: &mut Vec<u8>) -> Result<(), EvalError> {
    match value {
        Value::Text(text) => out.extend_from_slice(text.bytes()),
        Value::Undefined => out.extend_from_slice(b"undefined"),
        value => json::encode(value, Invalid::Replace, limit, out)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: &str) {
        let row = r#"{"a":{"b":[1,{"c":"x"}]},"t":"text","f":1.5,"n":null,"j":"{\"k\":7}"}"#;
        let Some(Value::Map(row)) = json::decode(row.as_bytes()) else { panic!("no map") };
        let mut out = Vec::new();
        Template::parse(template).expect(template).render(&row, 1000, &mut out).expect("fits");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected, "{template}");
    }

    #[test]
    fn placeholders_become_values() {
        check("t/${t}/${a.b[2].c}", "t/text/x");
        check("${a.b[-2]} ${f} ${n} ${no.where}", "1 1.5 null undefined");
        check("${a}", r#"{"b":[1,{"c":"x"}]}"#);
        check("${j.k} $${t} $ {t} 5$", "7 ${t} $ {t} 5$");
        check("${'t'} ${a.'b'[1]} ${'no.such'}", "text 1 undefined");
        check("${.}", r#"{"a":{"b":[1,{"c":"x"}]},"t":"text","f":1.5,"n":null,"j":"{\"k\":7}"}"#);
    }

    #[test]
    fn what_is_no_placeholder_is_refused() {
        for template in [
            "${", "${}", "${a..b}", "${a.}", "${a[x]}", "${a[1}", "${a[1]x}", "${'a}", "${''}",
            "${'a'b}",
        ] {
            assert!(Template::parse(template).is_err(), "{template}");
        }
        assert!(Template::parse(&"x".repeat(SQL_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn a_text_that_grows_too_large_is_an_error() {
        let mut row = Map::default();
        row.put("a".into(), Value::owned(vec![b'x'; 100])).expect("put");
        let template = Template::parse("${a}${a}").expect("template");
        let result = template.render(&row, 150, &mut Vec::new());
        assert_eq!(result, Err(EvalError::TooLarge(150)));
    }
}
