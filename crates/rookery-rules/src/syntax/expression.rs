//! Expressions, by recursive descent.
//!
//! From the loosest to the tightest: `OR`, `AND`, `NOT`, comparison and `IN`, `+ -`,
//! `* / DIV MOD`, the sign, `.key` and `[index]`.

use super::ast::{Arithmetic, Expr, Kind, Step};
use super::lexer::{Spanned, Token};
use crate::compare::Comparison;
use crate::error::Mistake;
use crate::{DEPTH_MAX, NODES_MAX};

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
        if self.take_mark(mark) { Ok(()) } else { Err(self.unexpected(&format!("{mark:?}"))) }
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(&word.to_uppercase())) }
    }

    pub fn unexpected(&self, wanted: &str) -> Mistake {
        let found = match self.peek() {
            Token::Word(word) => word.clone(),
            Token::Quoted(text) => format!("the text {text:?}"),
            Token::Int(number) => number.to_string(),
            Token::Float(number) => number.to_string(),
            Token::Mark(mark) => format!("{mark:?}"),
            Token::End => "the end".to_owned(),
        };
        let mistake = Mistake::new(self.at(), format!("expected {wanted}, found {found}"));
        match advice(self.peek()) {
            Some(hint) => mistake.hint(hint),
            None => mistake,
        }
    }

    fn node(&mut self, at: usize, kind: Kind) -> Parsed<Expr> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Mistake::new(at, format!("rule has more than {NODES_MAX} parts")));
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

    /// A chain `a OP b OP c`, which becomes a tree that leans to the left.
    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Parsed<Expr>,
        operator: fn(&mut Self) -> Option<Join>,
    ) -> Parsed<Expr> {
        let at = self.at();
        let mut left = operand(self)?;
        while let Some(join) = operator(self) {
            let right = self.deeper(operand)?;
            left = self.node(at, join.of(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    pub fn expression(&mut self) -> Parsed<Expr> {
        self.deeper(|parser| {
            parser.chain(Self::conjunction, |parser| parser.take_word("or").then_some(Join::Or))
        })
    }

    fn conjunction(&mut self) -> Parsed<Expr> {
        self.chain(Self::negation, |parser| parser.take_word("and").then_some(Join::And))
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
        self.chain(Self::product, |parser| {
            let how = match parser.peek() {
                Token::Mark("+") => Arithmetic::Add,
                Token::Mark("-") => Arithmetic::Subtract,
                _ => return None,
            };
            parser.next += 1;
            Some(Join::Arithmetic(how))
        })
    }

    fn product(&mut self) -> Parsed<Expr> {
        self.chain(Self::signed, |parser| {
            let how = match parser.peek() {
                Token::Mark("*") => Arithmetic::Multiply,
                Token::Mark("/") => Arithmetic::Divide,
                Token::Word(word) if word.eq_ignore_ascii_case("div") => Arithmetic::IntegerDivide,
                Token::Word(word) if word.eq_ignore_ascii_case("mod") => Arithmetic::Remainder,
                _ => return None,
            };
            parser.next += 1;
            Some(Join::Arithmetic(how))
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
                let message = "only a column, an alias or a function has parts";
                return Err(Mistake::new(at, message).hint("give it a name with AS first"));
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
                let message = format!("path has more than {DEPTH_MAX} parts");
                return Err(Mistake::new(self.at(), message));
            }
        }
    }

    fn key(&mut self) -> Parsed<String> {
        let wanted = "a key after the dot";
        let key = match self.peek() {
            Token::Word(word) => word.clone(),
            Token::Quoted(text) => text.clone(),
            Token::Int(number) => number.to_string(),
            Token::Float(_) => {
                return Err(self.unexpected(wanted).hint("put keys that are numbers in quotes"));
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
            _ => Err(Mistake::new(at, "an index is a whole number, a column or an alias")
                .hint("keys stand behind a dot: payload.'my key'")),
        }
    }

    /// A whole number with its sign.
    fn bound(&mut self) -> Parsed<i64> {
        let negative = self.take_mark("-");
        let Token::Int(number) = self.peek() else {
            return Err(self.unexpected("a whole number"));
        };
        let number = if negative { -*number } else { *number };
        let Ok(number) = i64::try_from(number) else {
            return Err(Mistake::new(self.at(), "this index is too large"));
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
            _ => Err(self.unexpected("an expression")),
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
                return Err(self.unexpected(&format!("\",\" or {close:?}")));
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
        if lower == "case" && !called {
            return self.deeper(Self::case);
        }
        // `mod(a, b)` and `not(a)` are calls too; `in (…)` never begins an expression.
        let operator = lower == "mod" || lower == "div";
        if RESERVED.contains(&lower.as_str()) && !(called && operator) {
            return Err(self.unexpected("an expression"));
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
    Mistake::new(at, format!("expression is nested deeper than {DEPTH_MAX} levels"))
}

/// How a chain joins two operands.
#[derive(Clone, Copy)]
enum Join {
    And,
    Or,
    Arithmetic(Arithmetic),
}

impl Join {
    fn of(self, left: Box<Expr>, right: Box<Expr>) -> Kind {
        match self {
            Self::And => Kind::And(left, right),
            Self::Or => Kind::Or(left, right),
            Self::Arithmetic(how) => Kind::Arithmetic(how, left, right),
        }
    }
}

/// What to write in the place of SQL that rules do not have.
fn advice(token: &Token) -> Option<&'static str> {
    match token {
        Token::Mark("||") => Some("text is joined with +"),
        Token::Mark("::") => Some("types are changed with str(), int(), float(), bool()"),
        Token::Word(word) => match word.to_ascii_lowercase().as_str() {
            "is" => Some("use is_null(x) or is_not_null(x)"),
            "like" => Some("use regex_match(x, '…') or x =~ 'topic/filter'"),
            "between" => Some("use x >= a AND x <= b"),
            "group" | "order" | "limit" | "join" | "having" | "union" => {
                Some("a rule sees one message at a time")
            }
            _ => None,
        },
        _ => None,
    }
}
