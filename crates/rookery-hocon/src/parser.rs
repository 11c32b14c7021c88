//! From text to the raw tree.

use crate::cursor::{Cursor, Mark};
use crate::document::{Missing, Origin};
use crate::error::{ErrorKind, HoconError};
use crate::includes::{Included, Includes};
use crate::raw::{Fields, Item, Piece, Raw, Reference};
use crate::text::quoted;
use crate::{DEPTH_MAX, FILES_MAX, INPUT_BYTES_MAX};

const KEY: &str = "a key, `}` or the end";
const ROOT_KEY: &str = "a key or the end of the file";
const SEPARATOR: &str = "`=`, `:`, `+=` or `{` after the key";
const VALUE: &str = "a value";

/// What was read, with references still open.
pub(crate) struct Read {
    pub(crate) root: Item,
    pub(crate) sources: Vec<String>,
    pub(crate) missing: Vec<Missing>,
}

/// Parse `text` and everything it includes.
pub(crate) fn parse(
    text: &str,
    source: &str,
    includes: &mut dyn Includes,
) -> Result<Read, HoconError> {
    let mut shared =
        Shared { includes, sources: Vec::new(), missing: Vec::new(), open: Vec::new(), bytes: 0 };
    let file = Included { text: text.to_owned(), source: source.to_owned() };
    let fields = shared.file(&file, 0, &[])?;
    let origin = Origin { source: 0, line: 1 };
    let root = Item { raw: Raw::Object(fields), origin };
    Ok(Read { root, sources: shared.sources, missing: shared.missing })
}

/// What all files of one document have in common.
struct Shared<'a> {
    includes: &'a mut dyn Includes,
    sources: Vec<String>,
    missing: Vec<Missing>,
    /// Files that are being read, the innermost last.
    open: Vec<String>,
    bytes: usize,
}

impl Shared<'_> {
    fn file(
        &mut self,
        file: &Included,
        depth: usize,
        prefix: &[String],
    ) -> Result<Fields, HoconError> {
        let source = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.sources.push(file.source.clone());
        self.open.push(file.source.clone());
        self.bytes = self.bytes.saturating_add(file.text.len());
        let mut parser = Parser {
            cursor: Cursor::new(&file.text, source),
            shared: self,
            depth,
            path: prefix.to_vec(),
            prefix_len: prefix.len(),
        };
        if parser.shared.bytes > INPUT_BYTES_MAX {
            return Err(parser.error(ErrorKind::TooMuch("bytes in all files together")));
        }
        let fields = parser.root()?;
        self.open.pop();
        Ok(fields)
    }
}

struct Parser<'a, 's, 'i> {
    cursor: Cursor<'a>,
    shared: &'s mut Shared<'i>,
    depth: usize,
    /// Keys of the value that is being read, from the document's root.
    path: Vec<String>,
    /// How many of them were there when this file was included.
    prefix_len: usize,
}

impl Parser<'_, '_, '_> {
    fn error(&self, kind: ErrorKind) -> HoconError {
        self.cursor.error(kind, &self.shared.sources)
    }

    fn error_at(&self, mark: Mark, kind: ErrorKind) -> HoconError {
        self.cursor.error_at(mark, kind, &self.shared.sources)
    }

    fn expected(&self, what: &'static str) -> HoconError {
        self.cursor.expected(what, &self.shared.sources)
    }

    fn root(&mut self) -> Result<Fields, HoconError> {
        self.cursor.blank_lines();
        let fields =
            if self.cursor.peek() == Some(b'{') { self.braces()? } else { self.members(false)? };
        self.cursor.blank_lines();
        if self.cursor.peek().is_some() { Err(self.expected(ROOT_KEY)) } else { Ok(fields) }
    }

    fn nested<T>(
        &mut self,
        levels: usize,
        read: impl FnOnce(&mut Self) -> Result<T, HoconError>,
    ) -> Result<T, HoconError> {
        self.depth += levels;
        if self.depth > DEPTH_MAX {
            return Err(self.error(ErrorKind::TooMuch("levels of nesting")));
        }
        let result = read(self)?;
        self.depth -= levels;
        Ok(result)
    }

    fn braces(&mut self) -> Result<Fields, HoconError> {
        self.cursor.advance(1);
        // The keys inside count as levels.
        let fields = self.members(true)?;
        if self.cursor.eat("}") { Ok(fields) } else { Err(self.expected(KEY)) }
    }

    /// Members up to `}` or the end of the file, which stays unread.
    fn members(&mut self, is_inside_braces: bool) -> Result<Fields, HoconError> {
        let mut fields = Fields::default();
        loop {
            self.cursor.blank_lines();
            match self.cursor.peek() {
                None => return Ok(fields),
                Some(b'}') if is_inside_braces => return Ok(fields),
                Some(_) => self.member(&mut fields, is_inside_braces)?,
            }
            self.end_of_member(is_inside_braces)?;
        }
    }

    /// A comma or a newline, unless the object ends here.
    fn end_of_member(&mut self, is_inside_braces: bool) -> Result<(), HoconError> {
        let has_newline = self.cursor.blank_lines();
        let is_end = match self.cursor.peek() {
            None => true,
            Some(b'}') => is_inside_braces,
            Some(_) => false,
        };
        if is_end || self.cursor.eat(",") || has_newline {
            return Ok(());
        }
        Err(self.expected("a newline or a comma after the value"))
    }

    fn member(&mut self, fields: &mut Fields, is_inside_braces: bool) -> Result<(), HoconError> {
        if self.is_at_include() {
            let included = self.include()?;
            fields.merge(included);
            return Ok(());
        }
        let origin = self.cursor.origin();
        let keys = self.path_expression(if is_inside_braces { KEY } else { ROOT_KEY })?;
        self.cursor.blanks();
        let is_append = self.cursor.eat("+=");
        if !is_append && self.cursor.peek() != Some(b'{') {
            if !(self.cursor.eat("=") || self.cursor.eat(":")) {
                return Err(self.expected(SEPARATOR));
            }
            self.cursor.blank_lines();
        }
        if is_append {
            self.cursor.blank_lines();
        }
        let outer = self.path.len();
        self.path.extend(keys.iter().cloned());
        let raw = self.nested(keys.len(), |parser| parser.value(false))?;
        if is_append {
            self.append(fields, &keys, Item { raw, origin });
        } else {
            put(fields, keys, Item { raw, origin });
        }
        self.path.truncate(outer);
        Ok(())
    }

    /// `a += v` is `a = ${?a} [v]`; with a plain array below there is no need to wait.
    fn append(&self, fields: &mut Fields, keys: &[String], item: Item) {
        let origin = item.origin;
        if let Some(Item { raw: Raw::Array(items), .. }) = find_mut(fields, keys) {
            items.push(item);
            return;
        }
        let path = self.path.clone();
        let below = Raw::Reference(Reference { path, is_optional: true, prefix: Vec::new() });
        let piece =
            |raw| Piece { blanks: String::new(), item: Item { raw, origin }, written: None };
        let raw = Raw::Concat(vec![piece(below), piece(Raw::Array(vec![item]))]);
        put(fields, keys.to_vec(), Item { raw, origin });
    }

    // -- keys -----------------------------------------------------------------------

    /// `a."b.c".d` up to what cannot belong to it.
    fn path_expression(&mut self, expected: &'static str) -> Result<Vec<String>, HoconError> {
        let mut keys = Vec::new();
        let mut key = String::new();
        let mut is_quoted = false;
        let mut blanks = "";
        loop {
            match self.cursor.peek_char() {
                Some('"') => {
                    key.push_str(blanks);
                    key.push_str(&quoted(&mut self.cursor, &self.shared.sources)?);
                    is_quoted = true;
                }
                Some('.') => {
                    if key.is_empty() && !is_quoted {
                        return Err(self.expected("a key before the dot"));
                    }
                    keys.push(std::mem::take(&mut key));
                    is_quoted = false;
                    self.cursor.advance(1);
                    self.cursor.blanks();
                }
                Some(character) if is_key_character(character) && !self.cursor.is_at_comment() => {
                    key.push_str(blanks);
                    let rest = self.cursor.rest();
                    let length = key_length(rest);
                    key.push_str(rest.get(..length).unwrap_or(""));
                    self.cursor.advance(length);
                }
                _ => break,
            }
            blanks = self.cursor.blanks();
        }
        if key.is_empty() && !is_quoted {
            return Err(self.expected(if keys.is_empty() {
                expected
            } else {
                "a key after the dot"
            }));
        }
        keys.push(key);
        Ok(keys)
    }

    // -- values ---------------------------------------------------------------------

    /// One value: all pieces up to the end of the line, a comma or a bracket.
    fn value(&mut self, is_inside_array: bool) -> Result<Raw, HoconError> {
        let start = self.cursor.mark();
        let mut pieces: Vec<Piece> = Vec::new();
        loop {
            let blanks = if pieces.is_empty() { "" } else { self.cursor.blanks() };
            let origin = self.cursor.origin();
            if self.cursor.is_at_comment() {
                break;
            }
            let (raw, written) = match self.cursor.peek() {
                None | Some(b'\n' | b',' | b'}' | b']') => {
                    if !is_inside_array && self.goes_on_after_newline(pieces.last()) {
                        continue;
                    }
                    break;
                }
                Some(b'{') => (Raw::Object(self.braces()?), None),
                Some(b'[') => (Raw::Array(self.array()?), None),
                Some(b'"') => (Raw::String(quoted(&mut self.cursor, &self.shared.sources)?), None),
                Some(b'$') => (Raw::Reference(self.reference()?), None),
                Some(_) => {
                    let text = self.unquoted()?;
                    (classified(&text), Some(text))
                }
            };
            let item = Item { raw, origin };
            pieces.push(Piece { blanks: blanks.to_owned(), item, written });
        }
        if pieces.is_empty() {
            return Err(self.expected(VALUE));
        }
        self.folded(pieces, start)
    }

    /// EMQX: `[1]\n[2]`, `{a=1}\n{b=2}` and `"a"\n"b"` are one value each. Passes the newline.
    fn goes_on_after_newline(&mut self, last: Option<&Piece>) -> bool {
        let Some(last) = last else { return false };
        let start = self.cursor.mark();
        let has_newline = self.cursor.blank_lines();
        let goes_on = has_newline
            && match (&last.item.raw, self.cursor.peek()) {
                (Raw::Array(_), Some(b'[')) | (Raw::Object(_), Some(b'{')) => true,
                (Raw::String(_), Some(b'"')) => last.written.is_none() && !self.is_at_quoted_key(),
                _ => false,
            };
        if !goes_on {
            self.cursor.back_to(start);
        }
        goes_on
    }

    fn is_at_quoted_key(&mut self) -> bool {
        let start = self.cursor.mark();
        let is_key = self.path_expression(KEY).is_err()
            || matches!(self.cursor.peek(), Some(b'=' | b':' | b'{' | b'+'));
        self.cursor.back_to(start);
        is_key
    }

    fn array(&mut self) -> Result<Vec<Item>, HoconError> {
        self.cursor.advance(1);
        let items = self.nested(1, Self::elements)?;
        if self.cursor.eat("]") { Ok(items) } else { Err(self.expected("a value or `]`")) }
    }

    fn elements(&mut self) -> Result<Vec<Item>, HoconError> {
        let mut items = Vec::new();
        loop {
            self.cursor.blank_lines();
            if matches!(self.cursor.peek(), None | Some(b']')) {
                return Ok(items);
            }
            let origin = self.cursor.origin();
            let raw = self.value(true)?;
            items.push(Item { raw, origin });
            let has_newline = self.cursor.blank_lines();
            if !self.cursor.eat(",") && !has_newline && self.cursor.peek() != Some(b']') {
                return Err(self.expected("a comma, a newline or `]`"));
            }
        }
    }

    fn reference(&mut self) -> Result<Reference, HoconError> {
        if !self.cursor.eat("${") {
            return Err(self.error(ErrorKind::NeedsQuotes('$')));
        }
        let is_optional = self.cursor.eat("?");
        self.cursor.blanks();
        let path = self.path_expression("a key inside `${ }`")?;
        if path.len() > DEPTH_MAX {
            return Err(self.error(ErrorKind::TooMuch("levels of nesting")));
        }
        if !self.cursor.eat("}") {
            return Err(self.expected("`}` after `${`"));
        }
        let prefix = self.path.get(..self.prefix_len).unwrap_or(&[]).to_vec();
        Ok(Reference { path, is_optional, prefix })
    }

    fn unquoted(&mut self) -> Result<String, HoconError> {
        let rest = self.cursor.rest();
        let mut length = 0;
        for character in rest.chars() {
            let here = rest.get(length..).unwrap_or("");
            if is_end_of_unquoted(character) || here.starts_with("//") || here.starts_with("${") {
                break;
            }
            if let ':' | '=' | '`' | '\\' | '$' = character {
                self.cursor.advance(length);
                return Err(self.error(ErrorKind::NeedsQuotes(character)));
            }
            length += character.len_utf8();
        }
        self.cursor.advance(length);
        Ok(rest.get(..length).unwrap_or("").to_owned())
    }

    /// Pieces without references become one value at once.
    fn folded(&self, mut pieces: Vec<Piece>, start: Mark) -> Result<Raw, HoconError> {
        if pieces.len() == 1 {
            return Ok(pieces.pop().map_or(Raw::Null, |piece| piece.item.raw));
        }
        let arrays = pieces.iter().filter(|p| matches!(p.item.raw, Raw::Array(_))).count();
        let objects = pieces.iter().filter(|p| matches!(p.item.raw, Raw::Object(_))).count();
        let open = pieces.iter().filter(|p| matches!(p.item.raw, Raw::Reference(_))).count();
        let texts = pieces.len() - arrays - objects - open;
        if [arrays, objects, texts].iter().filter(|count| **count > 0).count() > 1 {
            return Err(self.error_at(start, ErrorKind::MixedConcatenation));
        }
        if open > 0 {
            return Ok(Raw::Concat(pieces));
        }
        Ok(if arrays > 0 {
            Raw::Array(pieces.into_iter().flat_map(|piece| elements_of(piece.item.raw)).collect())
        } else if objects > 0 {
            Raw::Object(pieces.into_iter().fold(Fields::default(), |mut fields, piece| {
                if let Raw::Object(more) = piece.item.raw {
                    fields.merge(more);
                }
                fields
            }))
        } else {
            Raw::String(joined(&pieces))
        })
    }

    // -- include --------------------------------------------------------------------

    fn is_at_include(&self) -> bool {
        let Some(rest) = self.cursor.rest().strip_prefix("include") else { return false };
        let behind = rest.trim_start_matches([' ', '\t']);
        behind.len() < rest.len()
            && (behind.starts_with('"')
                || ["file(", "required(", "url(", "classpath("]
                    .iter()
                    .any(|word| behind.starts_with(word)))
    }

    fn include(&mut self) -> Result<Fields, HoconError> {
        let (start, origin) = (self.cursor.mark(), self.cursor.origin());
        self.cursor.advance("include".len());
        self.cursor.blanks();
        let is_required = self.cursor.eat("required(");
        self.cursor.blanks();
        let is_file = self.cursor.eat("file(");
        self.cursor.blanks();
        if self.cursor.peek() != Some(b'"') {
            return Err(self.expected("the name of a file in quotes after `include`"));
        }
        let name = quoted(&mut self.cursor, &self.shared.sources)?;
        for _ in 0..usize::from(is_required) + usize::from(is_file) {
            self.cursor.blanks();
            if !self.cursor.eat(")") {
                return Err(self.expected("`)`"));
            }
        }
        let fail = |parser: &Self, reason: &str| {
            let kind = ErrorKind::Include(name.clone(), reason.to_owned());
            Err(parser.error_at(start, kind))
        };
        let from = self.shared.open.last().cloned().unwrap_or_default();
        match self.shared.includes.include(&from, &name) {
            Err(reason) => fail(self, &reason),
            Ok(None) if is_required => fail(self, "there is no such file"),
            Ok(None) if self.shared.missing.len() >= FILES_MAX => {
                Err(self.error_at(start, ErrorKind::TooMuch("included files")))
            }
            Ok(None) => {
                self.shared.missing.push(Missing { name, origin });
                Ok(Fields::default())
            }
            Ok(Some(file)) if self.shared.open.contains(&file.source) => {
                fail(self, "the file includes itself")
            }
            Ok(Some(_)) if self.shared.sources.len() >= FILES_MAX => {
                Err(self.error_at(start, ErrorKind::TooMuch("included files")))
            }
            Ok(Some(file)) => {
                let path = self.path.clone();
                self.nested(1, |parser| parser.shared.file(&file, parser.depth, &path))
            }
        }
    }
}

fn put(fields: &mut Fields, keys: Vec<String>, item: Item) {
    let origin = item.origin;
    let mut keys = keys.into_iter().rev();
    let Some(mut key) = keys.next() else { return };
    let mut item = item;
    // The value stands at the last key; every key before it holds one more object.
    for outer in keys {
        let mut inner = Fields::default();
        inner.put(key, item);
        item = Item { raw: Raw::Object(inner), origin };
        key = outer;
    }
    fields.put(key, item);
}

fn find_mut<'f>(fields: &'f mut Fields, keys: &[String]) -> Option<&'f mut Item> {
    let (first, rest) = keys.split_first()?;
    let item = fields.get_mut(first)?;
    if rest.is_empty() {
        return Some(item);
    }
    match &mut item.raw {
        Raw::Object(inner) => find_mut(inner, rest),
        _ => None,
    }
}

fn elements_of(raw: Raw) -> Vec<Item> {
    match raw {
        Raw::Array(items) => items,
        _ => Vec::new(),
    }
}

fn joined(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        text.push_str(&piece.blanks);
        match (&piece.written, &piece.item.raw) {
            (Some(written), _) => text.push_str(written),
            (None, Raw::String(quoted)) => text.push_str(quoted),
            (None, _) => {}
        }
    }
    text
}

fn is_key_character(character: char) -> bool {
    !crate::cursor::is_blank(character)
        && !matches!(
            character,
            '$' | '"'
                | '{'
                | '}'
                | '['
                | ']'
                | ':'
                | '='
                | ','
                | '+'
                | '#'
                | '`'
                | '^'
                | '?'
                | '!'
                | '*'
                | '&'
                | '\\'
                | '.'
        )
}

fn key_length(rest: &str) -> usize {
    let plain = rest.find(|character| !is_key_character(character)).unwrap_or(rest.len());
    rest.get(..plain).and_then(|text| text.find("//")).unwrap_or(plain)
}

fn is_end_of_unquoted(character: char) -> bool {
    crate::cursor::is_blank(character)
        || matches!(character, '"' | '{' | '}' | '[' | ']' | ',' | '#')
}

/// What an unquoted word is when it stands alone.
fn classified(text: &str) -> Raw {
    match text {
        "true" => Raw::Bool(true),
        "false" => Raw::Bool(false),
        "null" => Raw::Null,
        _ if is_number(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => Raw::Int(whole),
            (_, Ok(number)) if number.is_finite() => Raw::Float(number),
            _ => Raw::String(text.to_owned()),
        },
        _ => Raw::String(text.to_owned()),
    }
}

/// JSON's grammar of numbers: `007` and `1.` are text.
fn is_number(text: &str) -> bool {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or("");
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.get(length..).unwrap_or("");
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}
