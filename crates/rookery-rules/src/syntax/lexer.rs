//! Words, numbers, quoted text and marks.

use crate::error::Mistake;
use crate::messages;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A word that is not quoted; keywords are words.
    Word(String),
    /// `'…'` or `"…"`; the quote doubled stands for itself, a backslash is a backslash.
    Quoted(String),
    Int(i128),
    Float(f64),
    Mark(&'static str),
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned {
    pub at: usize,
    pub end: usize,
    pub token: Token,
}

/// The longest come first.
const MARKS: [&str; 20] = [
    "..", "=~", "!=", "<>", "<=", ">=", "||", "::", "(", ")", "[", "]", ",", ".", "+", "-", "*",
    "/", "<", ">",
];

/// Everything in `sql`, with [`Token::End`] at the end.
pub(super) fn tokens(sql: &str) -> Result<Vec<Spanned>, Mistake> {
    let mut lexer = Lexer { sql, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let at = lexer.at;
        let token = lexer.token()?;
        let last = token == Token::End;
        tokens.push(Spanned { at, end: lexer.at, token });
        if last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'s> {
    sql: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    /// Takes what is there as long as `wanted` holds.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if !self.rest().starts_with("--") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, Mistake> {
        let Some(first) = self.rest().chars().next() else { return Ok(Token::End) };
        match first {
            '\'' | '"' => self.quoted(first),
            '0'..='9' => self.number(),
            '=' if !self.rest().starts_with("=~") => {
                self.at += 1;
                Ok(Token::Mark("="))
            }
            ';' if self.rest().chars().skip(1).all(char::is_whitespace) => {
                self.at = self.sql.len();
                Ok(Token::End)
            }
            _ if first.is_alphabetic() || first == '_' => {
                Ok(Token::Word(self.take_while(|c| c.is_alphanumeric() || c == '_').to_owned()))
            }
            _ => match MARKS.into_iter().find(|mark| self.rest().starts_with(mark)) {
                Some(mark) => {
                    self.at += mark.len();
                    Ok(Token::Mark(mark))
                }
                None => {
                    let mistake =
                        Mistake::new(self.at, messages::means_nothing(format!("{first:?}")));
                    Err(match first {
                        '#' | '$' => mistake.hint(messages::filters_in_quotes()),
                        _ => mistake,
                    })
                }
            },
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Token, Mistake> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            text.push_str(self.take_while(|c| c != quote));
            if self.rest().is_empty() {
                return Err(Mistake::new(start, messages::quote_open()));
            }
            self.at += 1;
            if !self.rest().starts_with(quote) {
                return Ok(Token::Quoted(text));
            }
            text.push(quote);
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Token, Mistake> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        let mut whole = true;
        let fraction = self.rest().strip_prefix('.');
        if fraction.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            whole = false;
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                whole = false;
                self.at += 1 + exponent.len() - digits.len();
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        let text = self.sql.get(start..self.at).unwrap_or_default();
        let number = if whole {
            text.parse().ok().map(Token::Int)
        } else {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Float)
        };
        number.ok_or_else(|| Mistake::new(start, messages::number_too_large()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_falls_into_tokens() {
        let tokens = tokens("a.b1 >= 'it''s' -- no\n [1..2] 1.5e3 =~;").expect("tokens");
        let tokens: Vec<Token> = tokens.into_iter().map(|spanned| spanned.token).collect();
        let word = |text: &str| Token::Word(text.into());
        let expected = [
            word("a"),
            Token::Mark("."),
            word("b1"),
            Token::Mark(">="),
            Token::Quoted("it's".into()),
            Token::Mark("["),
            Token::Int(1),
            Token::Mark(".."),
            Token::Int(2),
            Token::Mark("]"),
            Token::Float(1500.0),
            Token::Mark("=~"),
            Token::End,
        ];
        assert_eq!(tokens, expected);
    }

    #[test]
    fn what_is_no_token_has_a_place() {
        for (sql, at) in [("a ? b", 2), ("'abc", 0), ("1e999", 0), ("a ; b", 2)] {
            assert_eq!(tokens(sql).expect_err(sql).at, at, "{sql}");
        }
    }
}
