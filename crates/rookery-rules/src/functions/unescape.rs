//! `\n`, `\x41` and the like in text.

use super::{Call, Out};
use crate::messages;

pub(super) fn unescape<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let text = c.text(0)?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        let escape = characters.next();
        rest = characters.as_str();
        let plain = match escape {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('v') => '\u{b}',
            Some('a') => '\u{7}',
            Some(same @ ('\'' | '"' | '\\' | '?')) => same,
            Some('x') => {
                let (character, after) = hexadecimal(c, rest)?;
                rest = after;
                character
            }
            other => {
                let escape: String = std::iter::once('\\').chain(other).collect();
                return c.fail(messages::no_escape(format!("{escape:?}")));
            }
        };
        out.push(plain);
    }
    out.push_str(rest);
    c.make(out)
}

/// The character whose number `rest` begins with, and what follows.
fn hexadecimal<'t>(
    c: &Call<'_, '_, '_>,
    rest: &'t str,
) -> Result<(char, &'t str), crate::EvalError> {
    let digits = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at(digits);
    match u32::from_str_radix(number, 16).ok().and_then(char::from_u32) {
        Some(character) => Ok((character, after)),
        None => {
            let number: String = number.chars().take(16).collect();
            c.fail(messages::no_character(number))
        }
    }
}
