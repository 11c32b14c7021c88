//! Runs rules on a message or an event and gathers what they want done.
//!
//! Rules read the shard's state in place; what they want done is carried out afterwards, when
//! nothing is borrowed any more.

use std::sync::Arc;

use rookery_rules::{
    Context, Invalid, MESSAGE_WORK_MAX, Map, Parts, Source, World, encode_json_map,
};

use super::republish::{Draft, Republish};
use super::set::{ActiveRule, Output, RuleSet};
use super::sink::{ActionItem, ActionSink, order_key};
use crate::effects::{LogLevel, UpEvent};
use crate::ids::{MessageId, Now};
use crate::message::{Message, MessageParts, Origin};
use crate::message_pool::MessagePool;

/// Most rules that one message may pass through, one republishing to the next.
pub(crate) const CHAIN_MAX: usize = 8;
/// Most octets of what one result gives to one action.
const ACTION_BYTES_MAX: usize = 32 << 20;
/// Most octets of one line of the console.
const CONSOLE_BYTES_MAX: usize = 64 << 10;
/// Most octets that rules make of one message, for messages and for actions, through all rules that
/// it leads to.
const SPENT_BYTES_MAX: usize = 32 << 20;
/// Most messages, results for actions and lines of the console that rules make of one message,
/// through all rules that it leads to.
const SPENT_RESULTS_MAX: u32 = 10_000;
/// Complaints about rules that one shard makes in a second.
const COMPLAINTS_MAX: u32 = 10;

const TOO_LARGE: &str = "rules may make 32 MB of one message: what is more is refused";
const TOO_MANY: &str =
    "one message may lead to 10,000 messages and results for actions: what is more is refused";

/// A message that a rule made.
#[derive(Debug)]
pub(crate) struct Republished {
    pub(crate) message: Arc<Message>,
    pub(crate) is_direct: bool,
    pub(crate) rule: Arc<ActiveRule>,
}

/// What rules have for one action.
pub(crate) type ForAction = (Arc<dyn ActionSink>, Vec<ActionItem>);

/// What a run of rules wants done.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) republished: Vec<Republished>,
    /// How many rules had a result.
    pub(crate) passed: usize,
}

/// What one message has led to so far: each of the rules that it passes through may make many of
/// one, which would multiply.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    bytes: usize,
    results: u32,
    /// Units of work of evaluation.
    work: u64,
}

impl Spent {
    const fn work_left(&self) -> u64 {
        MESSAGE_WORK_MAX.saturating_sub(self.work)
    }

    /// Counts what was made, whether or not it can be used: making it is what takes the time. False
    /// when that was too much.
    fn take(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.results += 1;
        self.bytes <= SPENT_BYTES_MAX
    }

    /// Why nothing may be made any more.
    const fn is_gone(&self) -> Option<&'static str> {
        if self.bytes > SPENT_BYTES_MAX {
            Some(TOO_LARGE)
        } else if self.results >= SPENT_RESULTS_MAX {
            Some(TOO_MANY)
        } else {
            None
        }
    }
}

/// Lets a bounded number of complaints through.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    second: u64,
    made: u32,
    left_out: u64,
}

impl Complaints {
    /// Says something about a rule, unless enough was said in this second.
    pub(crate) fn say(&mut self, now: Now, up: &mut Vec<UpEvent>, id: &str, what: &str) {
        let second = now.mono_ms / 1000;
        if second != self.second {
            (self.second, self.made) = (second, 0);
        }
        if self.made >= COMPLAINTS_MAX {
            self.left_out += 1;
            return;
        }
        self.made += 1;
        let more = match std::mem::take(&mut self.left_out) {
            0 => String::new(),
            n => format!(" ({n} lines about rules were left out before)"),
        };
        let text = format!("rule {id:?}: {what}{more}");
        up.push(UpEvent::Log(LogLevel::Warning, text.into()));
    }
}

/// One run; borrows what it needs of a shard.
pub(crate) struct Run<'a> {
    pub(crate) set: &'a RuleSet,
    pub(crate) shard: u16,
    pub(crate) now: Now,
    /// Rules that the message came through.
    pub(crate) chain: &'a [Arc<str>],
    /// The link that it came over: what is made of it crosses no other one either.
    pub(crate) link: Option<&'a Arc<str>>,
    /// The properties of the message.
    pub(crate) properties: &'a [u8],
    /// Whose results keep their order.
    pub(crate) client_id: Option<&'a [u8]>,
    pub(crate) messages_made: &'a mut u64,
    pub(crate) seed: &'a mut u64,
    pub(crate) draft: &'a mut Draft,
    pub(crate) pool: &'a mut MessagePool,
    pub(crate) actions: &'a mut Vec<ForAction>,
    pub(crate) up: &'a mut Vec<UpEvent>,
    pub(crate) complaints: &'a mut Complaints,
    pub(crate) spent: &'a mut Spent,
}

impl Run<'_> {
    /// Runs the rules of these numbers on one message or event.
    pub(crate) fn all(&mut self, source: &dyn Source, numbers: &[u32], wanted: &mut Wanted) {
        *self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let world = World {
            now_unix_ns: i128::from(self.now.unix_ms) * 1_000_000,
            local_offset_s: self.set.around.local_time.offset_s(self.now.unix_ms),
            seed: *self.seed,
            variables: &self.set.around.variables,
        };
        let left = self.spent.work_left();
        let context = Context::new(source, world).with_work(left);
        let set = self.set;
        for number in numbers {
            // A number without a rule: it was taken out, and the trie is told next.
            if let Some(rule) = set.get(*number) {
                self.one(rule, &context, wanted);
            }
        }
        self.spent.work += left - context.work_left();
    }

    fn one(&mut self, rule: &Arc<ActiveRule>, context: &Context<'_>, wanted: &mut Wanted) {
        let cell = rule.counters.cell(self.shard);
        let outcome = match rule.rule.evaluate(context) {
            Ok(outcome) => outcome,
            Err(error) => {
                cell.exception.inc();
                self.complaints.say(self.now, self.up, &rule.id, &error.to_string());
                return;
            }
        };
        if outcome.rows().is_empty() {
            cell.no_result.inc();
            return;
        }
        cell.passed.inc();
        wanted.passed += 1;
        let parts = Parts::of(context);
        for row in outcome.rows() {
            for output in &rule.outputs {
                cell.actions.inc();
                if let Some(why) = self.spent.is_gone() {
                    self.fail(rule, why);
                    continue;
                }
                match output {
                    Output::Republish(republish) => {
                        self.republish(rule, republish, (&parts, row), &mut wanted.republished);
                    }
                    Output::Console => self.console(rule, row),
                    Output::Action { sink, fields } => {
                        let mut octets = Vec::new();
                        let encoded = fields.encode_of(&parts, row, ACTION_BYTES_MAX, &mut octets);
                        let has_room = self.spent.take(octets.len());
                        match encoded {
                            Ok(()) if !has_room => self.fail(rule, TOO_LARGE),
                            Ok(()) => self.give(rule, sink, octets),
                            Err(error) => self.fail(rule, &error.to_string()),
                        }
                    }
                }
            }
        }
    }

    fn fail(&mut self, rule: &ActiveRule, what: &str) {
        rule.counters.cell(self.shard).unknown.inc();
        self.complaints.say(self.now, self.up, &rule.id, what);
    }

    fn give(&mut self, rule: &ActiveRule, sink: &Arc<dyn ActionSink>, octets: Vec<u8>) {
        let item = ActionItem {
            key: self.client_id.map_or(0, order_key),
            rule: rule.counters.tally().clone(),
            fields: octets.into(),
        };
        let is_same =
            |(have, _): &&mut ForAction| std::ptr::addr_eq(Arc::as_ptr(have), Arc::as_ptr(sink));
        match self.actions.iter_mut().find(is_same) {
            Some((_, items)) => items.push(item),
            None => self.actions.push((sink.clone(), vec![item])),
        }
    }

    fn console(&mut self, rule: &ActiveRule, row: &Map<'_>) {
        let mut json = Vec::new();
        let written = encode_json_map(row, Invalid::Replace, CONSOLE_BYTES_MAX, &mut json);
        self.spent.take(json.len());
        match (written, String::from_utf8(json)) {
            (Ok(()), Ok(json)) => {
                let text = format!("rule.console: rule {:?}: {json}", rule.id);
                self.up.push(UpEvent::Log(LogLevel::Info, text.into()));
                rule.counters.cell(self.shard).success.inc();
            }
            _ => self.fail(rule, "the result is too large for the console"),
        }
    }

    fn republish<'r>(
        &mut self,
        rule: &Arc<ActiveRule>,
        republish: &Republish,
        (parts, row): (&Parts<'r, '_>, &Map<'r>),
        made: &mut Vec<Republished>,
    ) {
        if self.chain.contains(&rule.id) {
            self.fail(rule, "republishes to itself, possibly through other rules: refused");
            return;
        }
        if self.chain.len() >= CHAIN_MAX {
            self.fail(rule, "a message may pass through 8 rules: the ninth is refused");
            return;
        }
        let filled = republish.fill(parts, row, self.properties, self.draft);
        let has_room = self.spent.take(self.draft.len());
        if let Err(what) = filled {
            self.fail(rule, &what);
            return;
        }
        if !has_room {
            self.fail(rule, TOO_LARGE);
            return;
        }
        let origin = if self.chain.is_empty() && self.link.is_none() {
            rule.origin.clone()
        } else {
            let rules = self.chain.iter().cloned().chain([rule.id.clone()]).collect();
            Arc::new(Origin { link: self.link.cloned(), ..Origin::of_rules(rules) })
        };
        *self.messages_made += 1;
        let draft = &*self.draft;
        let made_of = MessageParts {
            id: MessageId::new(self.now.unix_ms, self.shard, *self.messages_made),
            timestamp_ms: self.now.unix_ms,
            expires_at_ms: draft
                .expiry_s
                .filter(|seconds| *seconds != 0)
                .map_or(0, |seconds| self.now.unix_ms + u64::from(seconds) * 1000),
            seq: 0,
            qos: draft.qos,
            retain: draft.retain,
            sys: false,
            topic: draft.topic(),
            properties: &draft.properties,
            payload: &draft.payload,
        };
        let message = self.pool.make(&made_of, rule.publisher.clone(), Some(origin));
        made.push(Republished { message, is_direct: republish.is_direct, rule: rule.clone() });
    }
}
