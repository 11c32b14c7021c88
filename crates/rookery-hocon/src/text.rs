//! Quoted text: one line with escapes, or triple quotes without.

use crate::cursor::{Cursor, Mark};
use crate::error::{ErrorKind, HoconError};

/// Read a quoted text; the cursor stands on its first quote.
pub(crate) fn quoted(cursor: &mut Cursor<'_>, sources: &[String]) -> Result<String, HoconError> {
    let start = cursor.mark();
    if cursor.eat("\"\"\"") {
        triple(cursor, start, sources)
    } else {
        single(cursor, start, sources)
    }
}

fn single(cursor: &mut Cursor<'_>, start: Mark, sources: &[String]) -> Result<String, HoconError> {
    cursor.advance(1);
    let mut text = String::new();
    loop {
        let rest = cursor.rest();
        let plain = rest.find(['"', '\\', '\n']).unwrap_or(rest.len());
        text.push_str(rest.get(..plain).unwrap_or(""));
        cursor.advance(plain);
        match cursor.peek() {
            Some(b'"') => {
                cursor.advance(1);
                return Ok(text);
            }
            Some(b'\\') => text.push(escape(cursor, sources)?),
            Some(_) => {
                let kind = ErrorKind::Unterminated(" on its line");
                return Err(cursor.error_at(start, kind, sources));
            }
            None => return Err(cursor.error_at(start, ErrorKind::Unterminated(""), sources)),
        }
    }
}

fn escape(cursor: &mut Cursor<'_>, sources: &[String]) -> Result<char, HoconError> {
    let start = cursor.mark();
    cursor.advance(1);
    let Some(character) = cursor.peek_char() else {
        return Err(cursor.error_at(start, ErrorKind::Unterminated(""), sources));
    };
    cursor.advance(character.len_utf8());
    Ok(match character {
        '"' | '\\' | '/' => character,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => match unicode(cursor) {
            Some(character) => character,
            None => {
                let written: String = cursor.rest().chars().take(4).collect();
                let kind = ErrorKind::BadEscape(format!("u{written}"));
                return Err(cursor.error_at(start, kind, sources));
            }
        },
        other => {
            let kind = ErrorKind::BadEscape(other.to_string());
            return Err(cursor.error_at(start, kind, sources));
        }
    })
}

/// The character after `\u`, two of them for a surrogate pair. Moves only when it is good.
fn unicode(cursor: &mut Cursor<'_>) -> Option<char> {
    let first = hex4(cursor.rest())?;
    if let Some(character) = char::from_u32(first) {
        cursor.advance(4);
        return Some(character);
    }
    let second = hex4(cursor.rest().get(4..)?.strip_prefix("\\u")?)?;
    let is_pair = (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(&second);
    if !is_pair {
        return None;
    }
    let character = char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
    cursor.advance(10);
    Some(character)
}

fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

fn triple(cursor: &mut Cursor<'_>, start: Mark, sources: &[String]) -> Result<String, HoconError> {
    let rest = cursor.rest();
    let Some(end) = rest.find("\"\"\"") else {
        return Err(cursor.error_at(start, ErrorKind::Unterminated(""), sources));
    };
    // Of four or more quotes the last three close.
    let behind = rest.get(end + 3..).unwrap_or("");
    let extra = behind.len() - behind.trim_start_matches('"').len();
    let body = rest.get(..end + extra).unwrap_or("");
    cursor.advance(end + extra + 3);
    let indented = body.strip_prefix("~\n").or_else(|| body.strip_prefix("~\r\n"));
    Ok(match indented {
        Some(lines) => unindented(lines),
        // `"""~"a"~"""`: lets a text begin and end with a quote.
        None => body.strip_prefix('~').and_then(|b| b.strip_suffix('~')).unwrap_or(body).to_owned(),
    })
}

/// EMQX's `"""~`: the blanks that all lines share go; a line with only the closing quotes may be
/// indented less than the others and leaves its newline.
fn unindented(body: &str) -> String {
    let body = body.strip_suffix('~').unwrap_or(body);
    let mut lines: Vec<&str> = body.split('\n').collect();
    let closing_line = lines.pop_if(|line| line.bytes().all(|byte| byte == b' '));
    let depth = lines
        .iter()
        .filter(|line| !line.trim_end_matches('\r').is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let mut text = String::with_capacity(body.len());
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(line.get(depth..).unwrap_or(""));
    }
    if let Some(closing_line) = closing_line
        && !lines.is_empty()
    {
        text.push('\n');
        text.push_str(closing_line.get(depth..).unwrap_or(""));
    }
    text
}
