//! Expressions, by recursive descent.
//!
//! From the loosest to the tightest: `OR`, `AND`, `NOT`, comparison and `IN`, `+ -`,
//! `* / DIV MOD`, the sign, `.key` and `[index]`.

use super::ast::{Arithmetic, Expr, Kind, Step};
use super::lexer::{Spanned, Token};
use crate::compare::Comparison;
use crate::error::Mistake;
use crate::messages::{self, Part, Said};
use crate::{CHAIN_MAX, DEPTH_MAX, NODES_MAX};

/// What cannot be a column without quotes or a dot before it.
const RESERVED: [&str; 18] = [
    "select", "foreach", "do", "incase", "from", "where", "as", "and", "or", "not", "in", "case",
    "when", "then", "else", "end", "div", "mod",
];

pub(super) struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
    depth: usize,
    nodes: usize,
}

type Parsed<T> = Result<T, Mistake>;

impl Parser {
    pub fn new(tokens: Vec<Spanned>) -> Self {
        Self { tokens, next: 0, depth: 0, nodes: 0 }
    }

    fn spanned(&self) -> Option<&Spanned> {
        self.tokens.get(self.next).or_else(|| self.tokens.last())
    }

    pub fn peek(&self) -> &Token {
        self.spanned().map_or(&Token::End, |spanned| &spanned.token)
    }

    pub fn at(&self) -> usize {
        self.spanned().map_or(0, |spanned| spanned.at)
    }

    /// Where the last token that was taken ends.
    fn end(&self) -> usize {
        let last = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        last.map_or(0, |spanned| spanned.end)
    }

    pub fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(have) if have.eq_ignore_ascii_case(word))
    }

    pub fn take_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.next += usize::from(is);
        is
    }

    pub fn take_mark(&mut self, mark: &str) -> bool {
        let is = matches!(self.peek(), Token::Mark(have) if *have == mark);
        self.next += usize::from(is);
        is
    }

    pub fn expect_mark(&mut self, mark: &str) -> Parsed<()> {
        if self.take_mark(mark) { Ok(()) } else { Err(self.unexpected(format!("{mark:?}"))) }
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(word.to_uppercase())) }
    }

    pub fn unexpected(&self, wanted: impl Into<Part>) -> Mistake {
        let found: Part = match self.peek() {
            Token::Word(word) => messages::the_word(word.as_str()).into(),
            Token::Quoted(text) => messages::the_text(format!("{text:?}")).into(),
            Token::Int(number) => (*number).into(),
            Token::Float(number) => number.to_string().into(),
            Token::Mark(mark) => messages::the_word(*mark).into(),
            Token::End => messages::the_end().into(),
        };
        let mistake = Mistake::new(self.at(), messages::unexpected(wanted, found));
        match advice(self.peek()) {
            Some(hint) => mistake.hint(hint),
            None => mistake,
        }
    }

    fn node(&mut self, at: usize, kind: Kind) -> Parsed<Expr> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Mistake::new(at, messages::too_many_parts(NODES_MAX)));
        }
        let height = 1 + kind.height();
        if height > DEPTH_MAX {
            return Err(too_deep(at));
        }
        Ok(Expr { at, end: self.end(), height, kind })
    }

    /// Runs `inner` one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.at()));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// What stands behind the first part of a chain `a OP b OP c`: each operator and its part.
    fn rest_of_chain<O>(
        &mut self,
        part: fn(&mut Self) -> Parsed<Expr>,
        operator: fn(&mut Self) -> Option<O>,
    ) -> Parsed<Vec<(O, Expr)>> {
        let mut rest = Vec::new();
        loop {
            let at = self.at();
            let Some(operator) = operator(self) else { return Ok(rest) };
            if rest.len() + 1 >= CHAIN_MAX {
                return Err(Mistake::new(at, messages::too_many_joined(CHAIN_MAX)));
            }
            rest.push((operator, self.deeper(part)?));
        }
    }

    /// A chain of one word; alone when nothing is joined.
    fn joined(
        &mut self,
        part: fn(&mut Self) -> Parsed<Expr>,
        operator: fn(&mut Self) -> Option<()>,
        kind: fn(Vec<Expr>) -> Kind,
    ) -> Parsed<Expr> {
        let at = self.at();
        let first = part(self)?;
        let rest = self.rest_of_chain(part, operator)?;
        if rest.is_empty() {
            return Ok(first);
        }
        let parts = std::iter::once(first).chain(rest.into_iter().map(|(_, part)| part));
        self.node(at, kind(parts.collect()))
    }

    /// A chain of arithmetic; alone when nothing is joined.
    fn computed(
        &mut self,
        part: fn(&mut Self) -> Parsed<Expr>,
        operator: fn(&mut Self) -> Option<Arithmetic>,
    ) -> Parsed<Expr> {
        let at = self.at();
        let first = part(self)?;
        let rest = self.rest_of_chain(part, operator)?;
        if rest.is_empty() {
            return Ok(first);
        }
        self.node(at, Kind::Arithmetic(Box::new(first), rest))
    }

    pub fn expression(&mut self) -> Parsed<Expr> {
        self.deeper(|parser| {
            let or = |parser: &mut Self| parser.take_word("or").then_some(());
            parser.joined(Self::conjunction, or, Kind::Or)
        })
    }

    fn conjunction(&mut self) -> Parsed<Expr> {
        let and = |parser: &mut Self| parser.take_word("and").then_some(());
        self.joined(Self::negation, and, Kind::And)
    }

    fn negation(&mut self) -> Parsed<Expr> {
        let at = self.at();
        if self.take_word("not") {
            let inner = self.deeper(Self::negation)?;
            return self.node(at, Kind::Not(Box::new(inner)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let at = self.at();
        let left = self.sum()?;
        let negated = self.is_word("not") && self.word_after("in");
        if negated || self.is_word("in") {
            self.next += 1 + usize::from(negated);
            self.expect_mark("(")?;
            let list = self.list(")")?;
            return self.node(at, Kind::In { left: Box::new(left), list, negated });
        }
        let Token::Mark(mark) = self.peek() else { return Ok(left) };
        let how = match *mark {
            "=" => Comparison::Equal,
            "!=" | "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "=~" => Comparison::Matches,
            _ => return Ok(left),
        };
        self.next += 1;
        let right = self.deeper(Self::sum)?;
        self.node(at, Kind::Compare(how, Box::new(left), Box::new(right)))
    }

    fn word_after(&self, word: &str) -> bool {
        let after = self.tokens.get(self.next + 1).map(|spanned| &spanned.token);
        matches!(after, Some(Token::Word(have)) if have.eq_ignore_ascii_case(word))
    }

    fn sum(&mut self) -> Parsed<Expr> {
        self.computed(Self::product, |parser| {
            let how = match parser.peek() {
                Token::Mark("+") => Arithmetic::Add,
                Token::Mark("-") => Arithmetic::Subtract,
                _ => return None,
            };
            parser.next += 1;
            Some(how)
        })
    }

    fn product(&mut self) -> Parsed<Expr> {
        self.computed(Self::signed, |parser| {
            let how = match parser.peek() {
                Token::Mark("*") => Arithmetic::Multiply,
                Token::Mark("/") => Arithmetic::Divide,
                Token::Word(word) if word.eq_ignore_ascii_case("div") => Arithmetic::IntegerDivide,
                Token::Word(word) if word.eq_ignore_ascii_case("mod") => Arithmetic::Remainder,
                _ => return None,
            };
            parser.next += 1;
            Some(how)
        })
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let at = self.at();
        if self.take_mark("-") {
            let inner = self.deeper(Self::signed)?;
            return match inner.kind {
                Kind::Int(number) => self.node(at, Kind::Int(-number)),
                Kind::Float(number) => self.node(at, Kind::Float(-number)),
                _ => self.node(at, Kind::Negate(Box::new(inner))),
            };
        }
        if self.take_mark("+") {
            return self.deeper(Self::signed);
        }
        self.with_steps()
    }

    /// Something and the `.key`, `[index]` and `[first..last]` behind it.
    fn with_steps(&mut self) -> Parsed<Expr> {
        let at = self.at();
        let base = self.simple()?;
        let steps = self.steps(false)?;
        let path = match (steps.is_empty(), matches!(base.kind, Kind::Name(_) | Kind::Call(..))) {
            (true, _) => base,
            (false, true) => self.node(at, Kind::Path(Box::new(base), steps))?,
            (false, false) => {
                let mistake = Mistake::new(at, messages::no_parts());
                return Err(mistake.hint(messages::name_first()));
            }
        };
        if self.take_mark("[") {
            let first = self.bound()?;
            self.expect_mark("..")?;
            let last = self.bound()?;
            self.expect_mark("]")?;
            return self.node(at, Kind::Slice(Box::new(path), first, last));
        }
        Ok(path)
    }

    /// Takes steps; stops before a range. `[head]` and `[tail]` are for aliases.
    pub fn steps(&mut self, of_alias: bool) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            if self.take_mark(".") {
                steps.push(Step::Key(self.key()?));
            } else if matches!(self.peek(), Token::Mark("[")) && !self.range_follows() {
                self.next += 1;
                steps.push(self.index(of_alias)?);
                self.expect_mark("]")?;
            } else {
                return Ok(steps);
            }
            if steps.len() > DEPTH_MAX {
                return Err(Mistake::new(self.at(), messages::path_too_long(DEPTH_MAX)));
            }
        }
    }

    fn key(&mut self) -> Parsed<String> {
        let wanted = messages::key_after_dot();
        let key = match self.peek() {
            Token::Word(word) => word.clone(),
            Token::Quoted(text) => text.clone(),
            Token::Int(number) => number.to_string(),
            Token::Float(_) => {
                return Err(self.unexpected(wanted).hint(messages::numbers_in_quotes()));
            }
            _ => return Err(self.unexpected(wanted)),
        };
        self.next += 1;
        Ok(key)
    }

    /// Whether `[n..` or `[-n..` comes next.
    fn range_follows(&self) -> bool {
        let token = |n: usize| self.tokens.get(self.next + n).map(|spanned| &spanned.token);
        let sign = usize::from(matches!(token(1), Some(Token::Mark("-"))));
        matches!(token(1 + sign), Some(Token::Int(_)))
            && matches!(token(2 + sign), Some(Token::Mark("..")))
    }

    fn index(&mut self, of_alias: bool) -> Parsed<Step> {
        if of_alias && self.take_word("head") {
            return Ok(Step::Head);
        }
        if of_alias && self.take_word("tail") {
            return Ok(Step::Tail);
        }
        if matches!(self.peek(), Token::Int(_) | Token::Mark("-")) {
            return Ok(Step::Index(self.bound()?));
        }
        let at = self.at();
        let index = self.deeper(Self::with_steps)?;
        match index.kind {
            Kind::Name(_) | Kind::Path(..) => Ok(Step::IndexOf(index)),
            _ => Err(Mistake::new(at, messages::index_kind()).hint(messages::keys_behind_dot())),
        }
    }

    /// A whole number with its sign.
    fn bound(&mut self) -> Parsed<i64> {
        let negative = self.take_mark("-");
        let Token::Int(number) = self.peek() else {
            return Err(self.unexpected(messages::whole_number()));
        };
        let number = if negative { -*number } else { *number };
        let Ok(number) = i64::try_from(number) else {
            return Err(Mistake::new(self.at(), messages::index_too_large()));
        };
        self.next += 1;
        Ok(number)
    }

    fn simple(&mut self) -> Parsed<Expr> {
        let at = self.at();
        match self.peek().clone() {
            Token::Int(number) => {
                self.next += 1;
                self.node(at, Kind::Int(number))
            }
            Token::Float(number) => {
                self.next += 1;
                self.node(at, Kind::Float(number))
            }
            Token::Quoted(text) => {
                self.next += 1;
                self.node(at, Kind::Text(text))
            }
            Token::Mark("(") => {
                self.next += 1;
                let inner = self.expression()?;
                self.expect_mark(")")?;
                Ok(inner)
            }
            Token::Mark("[") => self.bracketed(),
            Token::Word(word) => self.word(&word),
            _ => Err(self.unexpected(messages::an_expression())),
        }
    }

    /// `[1, 2]` or `[1..5]`.
    fn bracketed(&mut self) -> Parsed<Expr> {
        let at = self.at();
        let is_range = self.range_follows();
        self.next += 1;
        if is_range {
            let first = self.bound()?;
            self.expect_mark("..")?;
            let last = self.bound()?;
            self.expect_mark("]")?;
            return self.node(at, Kind::Range(first, last));
        }
        let items = self.list("]")?;
        self.node(at, Kind::List(items))
    }

    /// Expressions with commas between them, and the mark that closes the list.
    fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        if self.take_mark(close) {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            if self.take_mark(close) {
                return Ok(items);
            }
            if !self.take_mark(",") {
                return Err(self.unexpected(messages::comma_or(format!("{close:?}"))));
            }
        }
    }

    fn word(&mut self, word: &str) -> Parsed<Expr> {
        let at = self.at();
        let called = matches!(
            self.tokens.get(self.next + 1).map(|spanned| &spanned.token),
            Some(Token::Mark("("))
        );
        let lower = word.to_ascii_lowercase();
        if lower == "case" {
            return self.deeper(Self::case);
        }
        // `mod(a, b)` and `not(a)` are calls too; `in (…)` never begins an expression.
        let operator = lower == "mod" || lower == "div";
        if RESERVED.contains(&lower.as_str()) && !(called && operator) {
            return Err(self.unexpected(messages::an_expression()));
        }
        self.next += 1;
        if called {
            self.next += 1;
            let arguments = self.list(")")?;
            return self.node(at, Kind::Call(lower, arguments));
        }
        match lower.as_str() {
            "true" => self.node(at, Kind::Bool(true)),
            "false" => self.node(at, Kind::Bool(false)),
            _ => self.node(at, Kind::Name(word.to_owned())),
        }
    }

    fn case(&mut self) -> Parsed<Expr> {
        let at = self.at();
        self.expect_word("case")?;
        let on = if self.is_word("when") { None } else { Some(Box::new(self.expression()?)) };
        let mut arms = Vec::new();
        while self.take_word("when") {
            let when = self.expression()?;
            self.expect_word("then")?;
            arms.push((when, self.expression()?));
        }
        if arms.is_empty() {
            return Err(self.unexpected("WHEN"));
        }
        let otherwise =
            if self.take_word("else") { Some(Box::new(self.expression()?)) } else { None };
        self.expect_word("end")?;
        self.node(at, Kind::Case { on, arms, otherwise })
    }
}

fn too_deep(at: usize) -> Mistake {
    Mistake::new(at, messages::too_deep(DEPTH_MAX))
}

/// What to write in the place of SQL that rules do not have.
fn advice(token: &Token) -> Option<Said> {
    match token {
        Token::Mark("||") => Some(messages::join_with_plus()),
        Token::Mark("::") => Some(messages::change_types()),
        Token::Word(word) => match word.to_ascii_lowercase().as_str() {
            "is" => Some(messages::use_is_null()),
            "like" => Some(messages::use_regex_match()),
            "between" => Some(messages::use_comparisons()),
            "group" | "order" | "limit" | "join" | "having" | "union" => {
                Some(messages::one_message())
            }
            _ => None,
        },
        _ => None,
    }
}
