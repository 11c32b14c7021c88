//! From a tree to a program: names become columns or slots, functions become pointers, regular
//! expressions that are written down are compiled.

use crate::column::Column;
use crate::error::{Mistake, RuleError};
use crate::event::{EVENT_PREFIX, EVENTS, Event, SOURCES};
use crate::functions::{self, Status};
use crate::messages;
use crate::program::{Body, Item, Local, Node, NodeId, Program, Selected, Span, Step};
use crate::rule::Rule;
use crate::syntax::ast::{self, Alias, Expr, Kind, Statement};
use crate::syntax::parse;

/// The functions whose second argument is a regular expression.
const REGULAR: [&str; 3] = ["regex_match", "regex_replace", "regex_extract"];
/// What the element of `FOREACH` is called without `AS`.
const ELEMENT: &str = "item";

/// Compiles one rule.
///
/// # Errors
///
/// The first thing that is wrong, with its place and, where there is one, advice.
pub fn compile(sql: &str) -> Result<Rule, RuleError> {
    parse(sql).and_then(|statement| compile_statement(sql, &statement)).map_err(|m| m.placed(sql))
}

fn compile_statement(sql: &str, statement: &Statement) -> Result<Rule, Mistake> {
    let (mut filters, mut events, mut sources) = (Vec::new(), Vec::new(), Vec::new());
    for from in &statement.from {
        if from.text.starts_with(EVENT_PREFIX) {
            let event = event(from)?;
            if event == Event::MessagePublish {
                filters.push("#".to_owned());
            } else if !events.contains(&event) {
                events.push(event);
            }
        } else if SOURCES.iter().any(|prefix| from.text.starts_with(prefix)) {
            sources.push(from.text.clone());
        } else {
            let checked = rookery_codec::check_topic_filter(&from.text);
            if let Err(error) = checked {
                let why = messages::topic(error);
                return Err(Mistake::new(from.at, messages::no_topic_filter(why)));
            }
            if from.text.starts_with("$share/") || from.text.starts_with("$queue/") {
                let mistake = Mistake::new(from.at, messages::no_share());
                return Err(mistake.hint(messages::filter_alone()));
            }
            filters.push(from.text.clone());
        }
    }
    let program = Compiler::new(sql).program(statement)?;
    Ok(Rule { filters, events, sources, program })
}

fn event(from: &ast::From) -> Result<Event, Mistake> {
    Event::from_topic(&from.text).ok_or_else(|| {
        let names =
            EVENTS.iter().map(|info| info.topic).filter(|topic| topic.starts_with(EVENT_PREFIX));
        Mistake::new(from.at, messages::no_event(format!("{:?}", from.text)))
            .hint(messages::events_are(names.collect::<Vec<_>>().join(", ")))
    })
}

/// What a name means from some point on.
#[derive(Clone, Copy)]
enum Binding {
    /// What was put into this slot.
    Slot(u32),
    /// The same as this node, whenever it is evaluated.
    Same(NodeId),
}

struct Compiler<'s> {
    sql: &'s str,
    nodes: Vec<Node>,
    children: Vec<NodeId>,
    terms: Vec<(ast::Arithmetic, NodeId)>,
    steps: Vec<Step>,
    regexes: Vec<functions::Regular>,
    bindings: Vec<(String, Binding)>,
    /// Whether something reads the slot.
    slots: Vec<bool>,
}

type Compiled<T> = Result<T, Mistake>;

impl<'s> Compiler<'s> {
    fn new(sql: &'s str) -> Self {
        Self {
            sql,
            nodes: Vec::new(),
            children: Vec::new(),
            terms: Vec::new(),
            steps: Vec::new(),
            regexes: Vec::new(),
            bindings: Vec::new(),
            slots: Vec::new(),
        }
    }

    fn program(mut self, statement: &Statement) -> Compiled<Program> {
        let (body, condition, condition_first) = match &statement.foreach {
            None => self.select(statement)?,
            Some(foreach) => self.foreach(statement, foreach)?,
        };
        let mut program = Program {
            nodes: self.nodes,
            children: self.children,
            terms: self.terms,
            steps: self.steps,
            regexes: self.regexes,
            body,
            condition,
            condition_first,
            locals: u32::try_from(self.slots.len()).unwrap_or(u32::MAX),
        };
        forget_unread(&mut program.body, &self.slots);
        Ok(program)
    }

    fn select(&mut self, statement: &Statement) -> Compiled<(Body, Option<NodeId>, bool)> {
        let items = self.items(&statement.items)?;
        // A name that only stands for something of the message is that, wherever it is read.
        let mut same = Vec::new();
        for (written, item) in statement.items.iter().zip(&items) {
            let (ast::Item::Value(_, Some(alias)), Item::Value(selected)) = (written, item) else {
                continue;
            };
            same.retain(|(name, _)| *name != alias.name);
            let plain = matches!(
                self.nodes.get(selected.node as usize),
                Some(Node::Column(_) | Node::PayloadPath(_) | Node::Text(_) | Node::Int(_))
            );
            if plain && alias.steps.is_empty() && Column::from_name(&alias.name).is_none() {
                same.push((alias.name.clone(), Binding::Same(selected.node)));
            }
        }
        self.bindings.extend(same);
        let (condition, first) = self.condition(statement.condition.as_ref())?;
        Ok((Body::Select(items), condition, first))
    }

    fn foreach(
        &mut self,
        statement: &Statement,
        foreach: &ast::Foreach,
    ) -> Compiled<(Body, Option<NodeId>, bool)> {
        if statement.items.contains(&ast::Item::Everything) {
            let at = self.sql.find('*').unwrap_or(0);
            return Err(Mistake::new(at, messages::foreach_everything()));
        }
        let mut before = self.items(&statement.items)?;
        let Some(Item::Value(over)) = before.pop() else {
            return Err(Mistake::new(0, messages::foreach_nothing()));
        };
        let before: Vec<Selected> = before
            .into_iter()
            .filter_map(|item| match item {
                Item::Value(selected) => Some(selected),
                Item::Everything => None,
            })
            .collect();
        let name = match statement.items.last() {
            Some(ast::Item::Value(_, Some(alias))) => {
                if !alias.steps.is_empty() {
                    let mistake = Mistake::new(alias.at, messages::element_parts());
                    return Err(mistake.hint(messages::write_foreach()));
                }
                alias.name.clone()
            }
            _ => ELEMENT.to_owned(),
        };
        let (condition, first) = self.condition(statement.condition.as_ref())?;
        let element = self.slot();
        self.bindings.push((name.clone(), Binding::Slot(element)));
        let incase = match &foreach.condition {
            Some(condition) => Some(self.expr(condition)?),
            None => None,
        };
        let each = self.items(&foreach.each)?;
        let name = name.into_bytes().into();
        Ok((
            Body::Foreach { before, over, element, name, each, condition: incase },
            condition,
            first,
        ))
    }

    /// The condition, and whether it needs nothing that is selected.
    fn condition(&mut self, condition: Option<&Expr>) -> Compiled<(Option<NodeId>, bool)> {
        let Some(condition) = condition else { return Ok((None, true)) };
        let none_read = vec![false; self.slots.len()];
        let read_before = std::mem::replace(&mut self.slots, none_read);
        let node = self.expr(condition)?;
        let first = !self.slots.contains(&true);
        for (slot, read) in self.slots.iter_mut().zip(read_before) {
            *slot |= read;
        }
        Ok((Some(node), first))
    }

    fn slot(&mut self) -> u32 {
        self.slots.push(false);
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    fn items(&mut self, items: &[ast::Item]) -> Compiled<Vec<Item>> {
        items.iter().map(|item| self.item(item)).collect()
    }

    fn item(&mut self, item: &ast::Item) -> Compiled<Item> {
        let ast::Item::Value(expr, alias) = item else { return Ok(Item::Everything) };
        let node = self.expr(expr)?;
        let Some(Alias { name, steps, .. }) = alias else {
            let (key, steps) = self.own_name(expr)?;
            return Ok(Item::Value(Selected { node, key, steps, local: None }));
        };
        let steps = self.path(steps)?;
        let bound = self.bindings.iter().rev().find(|(have, _)| have == name);
        let slot = match bound {
            Some((_, Binding::Slot(slot))) => *slot,
            _ => self.slot(),
        };
        self.bindings.push((name.clone(), Binding::Slot(slot)));
        let local = Some(Local { slot, column: Column::from_name(name) });
        Ok(Item::Value(Selected { node, key: name.as_bytes().into(), steps, local }))
    }

    /// Where a value goes that has no name: a path goes where it came from.
    fn own_name(&mut self, expr: &Expr) -> Compiled<(Box<[u8]>, Span)> {
        const NONE: Span = Span { first: 0, count: 0 };
        let named = match &expr.kind {
            Kind::Slice(base, ..) => &base.kind,
            kind => kind,
        };
        Ok(match named {
            Kind::Name(name) => (name.as_bytes().into(), NONE),
            Kind::Text(text) => (text.as_bytes().into(), NONE),
            Kind::Path(base, steps) => match &base.kind {
                Kind::Name(name) => (name.as_bytes().into(), self.path(steps)?),
                _ => (self.written(expr), NONE),
            },
            _ => (self.written(expr), NONE),
        })
    }

    fn written(&self, expr: &Expr) -> Box<[u8]> {
        self.sql.get(expr.at..expr.end).unwrap_or_default().as_bytes().into()
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        // The tree has at most `NODES_MAX` parts.
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    fn span(&mut self, nodes: &[NodeId]) -> Span {
        let first = u32::try_from(self.children.len()).unwrap_or(u32::MAX);
        self.children.extend_from_slice(nodes);
        Span { first, count: u32::try_from(nodes.len()).unwrap_or(u32::MAX) }
    }

    fn path(&mut self, steps: &[ast::Step]) -> Compiled<Span> {
        let mut compiled = Vec::with_capacity(steps.len());
        for step in steps {
            compiled.push(match step {
                ast::Step::Key(key) => Step::Key(key.as_bytes().into()),
                ast::Step::Index(index) => Step::Index(*index),
                ast::Step::IndexOf(index) => Step::IndexOf(self.expr(index)?),
                ast::Step::Head => Step::Head,
                ast::Step::Tail => Step::Tail,
            });
        }
        let first = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(compiled.len()).unwrap_or(u32::MAX);
        self.steps.extend(compiled);
        Ok(Span { first, count })
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Compiled<Span> {
        let nodes = exprs.iter().map(|expr| self.expr(expr)).collect::<Compiled<Vec<_>>>()?;
        Ok(self.span(&nodes))
    }

    fn terms(&mut self, terms: &[(ast::Arithmetic, Expr)]) -> Compiled<Span> {
        let terms = terms.iter().map(|(how, expr)| Ok((*how, self.expr(expr)?)));
        let terms = terms.collect::<Compiled<Vec<_>>>()?;
        let first = u32::try_from(self.terms.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(terms.len()).unwrap_or(u32::MAX);
        self.terms.extend(terms);
        Ok(Span { first, count })
    }

    fn name(&mut self, name: &str) -> NodeId {
        let bound = self.bindings.iter().rev().find(|(have, _)| have == name);
        let column = Column::from_name(name);
        match bound.map(|(_, binding)| *binding) {
            Some(Binding::Same(node)) => node,
            Some(Binding::Slot(slot)) => {
                if let Some(read) = self.slots.get_mut(slot as usize) {
                    *read = true;
                }
                self.push(Node::Local(slot, column))
            }
            None => self.push(column.map_or(Node::Undefined, Node::Column)),
        }
    }

    /// Compiles an expression. Its height is bounded, and so is this recursion.
    fn expr(&mut self, expr: &Expr) -> Compiled<NodeId> {
        let node = match &expr.kind {
            Kind::Bool(value) => Node::Bool(*value),
            Kind::Int(number) => Node::Int(*number),
            Kind::Float(number) => Node::Float(*number),
            Kind::Text(text) => Node::Text(text.as_bytes().into()),
            Kind::Name(name) => return Ok(self.name(name)),
            Kind::Path(base, steps) => {
                let base = self.expr(base)?;
                let steps = self.path(steps)?;
                match self.nodes.get(base as usize) {
                    Some(Node::Column(Column::Payload)) => Node::PayloadPath(steps),
                    _ => Node::Path(base, steps),
                }
            }
            Kind::Slice(base, first, last) => Node::Slice(self.expr(base)?, *first, *last),
            Kind::Range(first, last) => Node::Range(*first, *last),
            Kind::List(items) => Node::List(self.exprs(items)?),
            Kind::Negate(inner) => Node::Negate(self.expr(inner)?),
            Kind::Not(inner) => Node::Not(self.expr(inner)?),
            Kind::And(parts) => Node::And(self.exprs(parts)?),
            Kind::Or(parts) => Node::Or(self.exprs(parts)?),
            Kind::Compare(how, left, right) => {
                Node::Compare(*how, self.expr(left)?, self.expr(right)?)
            }
            Kind::Arithmetic(first, rest) => Node::Arithmetic(self.expr(first)?, self.terms(rest)?),
            Kind::In { left, list, negated } => {
                Node::In { left: self.expr(left)?, list: self.exprs(list)?, negated: *negated }
            }
            Kind::Case { on, arms, otherwise } => {
                self.case(on.as_deref(), arms, otherwise.as_deref())?
            }
            Kind::Call(name, arguments) => self.call(expr.at, name, arguments)?,
        };
        Ok(self.push(node))
    }

    fn case(
        &mut self,
        on: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Compiled<Node> {
        let on = on.map(|on| self.expr(on)).transpose()?;
        let mut pairs = Vec::with_capacity(arms.len() * 2);
        for (when, then) in arms {
            pairs.extend([self.expr(when)?, self.expr(then)?]);
        }
        let otherwise = otherwise.map(|otherwise| self.expr(otherwise)).transpose()?;
        let arms = self.span(&pairs);
        Ok(match on {
            Some(on) => Node::Switch { on, arms, otherwise },
            None => Node::Case { arms, otherwise },
        })
    }

    fn call(&mut self, at: usize, name: &str, arguments: &[Expr]) -> Compiled<Node> {
        let Some(function) = functions::find(name) else {
            let mistake = Mistake::new(at, messages::no_function(name));
            return Err(match functions::closest(name) {
                Some(close) => mistake.hint(messages::did_you_mean(close)),
                None => mistake,
            });
        };
        if let Status::Absent(why) = function.status {
            let mistake = Mistake::new(at, messages::function_absent(name));
            return Err(mistake.hint(messages::absent_because(why)));
        }
        let (min, max) = (function.arguments_min, function.arguments_max);
        if !(min..=max).contains(&arguments.len()) {
            let wanted: messages::Part =
                if min == max { min.into() } else { messages::from_to(min, max).into() };
            let message = messages::arguments(name, wanted, arguments.len());
            return Err(Mistake::new(at, message));
        }
        let regex = match arguments.get(1) {
            Some(Expr { at, kind: Kind::Text(pattern), .. }) if REGULAR.contains(&name) => {
                let regex = functions::Regular::compile(pattern.as_bytes())
                    .map_err(|why| Mistake::new(*at, messages::no_regex(why)))?;
                self.regexes.push(regex);
                u32::try_from(self.regexes.len() - 1).ok()
            }
            _ => None,
        };
        Ok(Node::Call { function, arguments: self.exprs(arguments)?, regex })
    }
}

/// Takes the slots away that nothing reads.
fn forget_unread(body: &mut Body, slots: &[bool]) {
    let forget = |selected: &mut Selected| {
        let read = selected.local.and_then(|local| slots.get(local.slot as usize));
        if read != Some(&true) {
            selected.local = None;
        }
    };
    let of_items = |items: &mut Vec<Item>| {
        for item in items {
            if let Item::Value(selected) = item {
                forget(selected);
            }
        }
    };
    match body {
        Body::Select(items) => of_items(items),
        Body::Foreach { before, over, each, .. } => {
            before.iter_mut().for_each(forget);
            forget(over);
            of_items(each);
        }
    }
}
