//! A position in a text that knows its line.

use crate::document::Origin;
use crate::error::{ErrorKind, HoconError};

/// Reads a text from front to back.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    position: usize,
    line: u32,
    line_start: usize,
    source: u32,
}

/// A place to come back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    position: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, source: u32) -> Self {
        let position = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, position, line: 1, line_start: position, source }
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    pub(crate) fn peek_char(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn starts_with(&self, prefix: &str) -> bool {
        self.rest().starts_with(prefix)
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { position: self.position, line: self.line, line_start: self.line_start }
    }

    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.position = mark.position;
        self.line = mark.line;
        self.line_start = mark.line_start;
    }

    /// Go on by `bytes`, which end at a character's end.
    pub(crate) fn advance(&mut self, bytes: usize) {
        let end = (self.position + bytes).min(self.text.len());
        let passed = self.text.as_bytes().get(self.position..end).unwrap_or(&[]);
        for (offset, byte) in passed.iter().enumerate() {
            if *byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.line_start = self.position + offset + 1;
            }
        }
        self.position = end;
    }

    pub(crate) fn eat(&mut self, prefix: &str) -> bool {
        let is_there = self.starts_with(prefix);
        if is_there {
            self.advance(prefix.len());
        }
        is_there
    }

    /// Pass blanks of this line and give them back.
    pub(crate) fn blanks(&mut self) -> &'a str {
        let rest = self.rest();
        let length = rest
            .find(|character: char| character == '\n' || !is_blank(character))
            .unwrap_or(rest.len());
        self.position += length;
        rest.get(..length).unwrap_or("")
    }

    /// Pass blanks, newlines and comments; whether a newline was among them.
    pub(crate) fn blank_lines(&mut self) -> bool {
        let line = self.line;
        loop {
            self.blanks();
            match self.peek() {
                Some(b'\n') => self.advance(1),
                Some(_) if self.is_at_comment() => self.comment(),
                _ => return self.line != line,
            }
        }
    }

    pub(crate) fn is_at_comment(&self) -> bool {
        self.peek() == Some(b'#') || self.starts_with("//")
    }

    fn comment(&mut self) {
        let rest = self.rest();
        self.position += rest.find('\n').unwrap_or(rest.len());
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin { source: self.source, line: self.line }
    }

    /// An error at this place; the caller's source list names the file.
    pub(crate) fn error(&self, kind: ErrorKind, sources: &[String]) -> HoconError {
        self.error_at(self.mark(), kind, sources)
    }

    pub(crate) fn error_at(&self, mark: Mark, kind: ErrorKind, sources: &[String]) -> HoconError {
        let before = self.text.get(mark.line_start..mark.position).unwrap_or("");
        HoconError {
            source_name: source_name(self.source, sources),
            line: mark.line,
            column: u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1),
            kind,
        }
    }

    /// `expected …, found what stands here`.
    pub(crate) fn expected(&self, expected: &'static str, sources: &[String]) -> HoconError {
        let found = match self.peek_char() {
            None => "the end of the file".to_owned(),
            Some('\n') => "the end of the line".to_owned(),
            Some(character) => format!("`{character}`"),
        };
        self.error(ErrorKind::Expected { expected, found }, sources)
    }
}

pub(crate) fn source_name(source: u32, sources: &[String]) -> String {
    usize::try_from(source).ok().and_then(|at| sources.get(at)).cloned().unwrap_or_default()
}

/// Blank as HOCON means it: Unicode's white space and the byte order mark.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}
