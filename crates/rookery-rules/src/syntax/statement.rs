//! `SELECT … FROM … WHERE …` and `FOREACH … DO … INCASE … FROM … WHERE …`.

use super::ast::{Alias, Foreach, From, Item, Statement};
use super::expression::Parser;
use super::lexer::{Token, tokens};
use crate::error::Mistake;
use crate::messages::{self, Part};
use crate::{FROM_MAX, SQL_BYTES_MAX};

/// Reads one rule.
pub(crate) fn parse(sql: &str) -> Result<Statement, Mistake> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(Mistake::new(0, messages::rule_too_long(SQL_BYTES_MAX)));
    }
    Parser::new(tokens(sql)?).statement()
}

impl Parser {
    fn statement(&mut self) -> Result<Statement, Mistake> {
        let (items, foreach) = if self.take_word("select") {
            (self.items()?, None)
        } else if self.take_word("foreach") {
            let items = self.items()?;
            let each = if self.take_word("do") { self.items()? } else { Vec::new() };
            let condition = if self.take_word("incase") { Some(self.expression()?) } else { None };
            (items, Some(Foreach { each, condition }))
        } else {
            return Err(self.unexpected(messages::select_or_foreach()));
        };
        if !self.take_word("from") {
            return Err(self.unexpected(messages::comma_or("FROM")));
        }
        let from = self.sources()?;
        let condition = if self.take_word("where") { Some(self.expression()?) } else { None };
        if *self.peek() != Token::End {
            let wanted: Part =
                if condition.is_some() { messages::the_end().into() } else { "WHERE".into() };
            return Err(self.unexpected(wanted));
        }
        Ok(Statement { items, foreach, from, condition })
    }

    fn items(&mut self) -> Result<Vec<Item>, Mistake> {
        let mut items = Vec::new();
        loop {
            items.push(self.item()?);
            if !self.take_mark(",") {
                return Ok(items);
            }
        }
    }

    fn item(&mut self) -> Result<Item, Mistake> {
        if self.take_mark("*") {
            return Ok(Item::Everything);
        }
        let value = self.expression()?;
        if !self.take_word("as") {
            return Ok(Item::Value(value, None));
        }
        let at = self.at();
        let name = match self.peek() {
            Token::Word(word) => word.clone(),
            Token::Quoted(text) => text.clone(),
            _ => return Err(self.unexpected(messages::name_after_as())),
        };
        self.advance();
        let steps = self.steps(true)?;
        Ok(Item::Value(value, Some(Alias { at, name, steps })))
    }

    fn sources(&mut self) -> Result<Vec<From>, Mistake> {
        let mut from = Vec::new();
        loop {
            let at = self.at();
            let Token::Quoted(text) = self.peek().clone() else {
                let mistake = self.unexpected(messages::filter_or_event());
                return Err(match self.peek() {
                    Token::Word(_) => mistake.hint(messages::write_from()),
                    _ => mistake,
                });
            };
            self.advance();
            if from.len() >= FROM_MAX {
                return Err(Mistake::new(at, messages::too_many_sources(FROM_MAX)));
            }
            from.push(From { at, text });
            if !self.take_mark(",") {
                return Ok(from);
            }
        }
    }
}
