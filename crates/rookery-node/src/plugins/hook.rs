//! The hookpoints that a plugin can have, by number: the contract between node and worker process.

use rookery_core::effects::{Question, SessionEvent, UpEvent};

/// A hookpoint. The number is its place in [`NAMES`] and its bit in a mask.
pub type HookNumber = u8;

/// EMQX's names, in the order of their numbers. The first three are questions.
pub const NAMES: [&str; 22] = [
    "client.authenticate",
    "client.authorize",
    "message.publish",
    "client.connect",
    "client.connack",
    "client.connected",
    "client.disconnected",
    "client.subscribe",
    "client.unsubscribe",
    "session.created",
    "session.resumed",
    "session.discarded",
    "session.takenover",
    "session.terminated",
    "session.subscribed",
    "session.unsubscribed",
    "message.delivered",
    "message.acked",
    "message.dropped",
    "delivery.dropped",
    "alarm.activated",
    "alarm.deactivated",
];

pub(crate) const AUTHENTICATE: HookNumber = 0;
pub(crate) const AUTHORIZE: HookNumber = 1;
pub(crate) const PUBLISH: HookNumber = 2;
/// Hookpoints that are questions.
pub(crate) const QUESTIONS: usize = 3;
const CONNECTED: HookNumber = 5;
const UNSUBSCRIBED: HookNumber = 15;

/// The number of a hookpoint by its name.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // there are 22
pub fn number_of(name: &str) -> Option<HookNumber> {
    NAMES.iter().position(|known| *known == name).map(|at| at as HookNumber)
}

/// The hookpoint of an event; none when plugins are not told of it.
pub(crate) fn hook_of(event: &UpEvent) -> Option<HookNumber> {
    Some(match event {
        UpEvent::Ask(_, question) => match question {
            Question::Authenticate { .. } | Question::AuthContinue { .. } => AUTHENTICATE,
            Question::Authorize { .. } => AUTHORIZE,
            Question::Publish { .. } => PUBLISH,
        },
        UpEvent::Connect(_) => 3,
        UpEvent::ConnAck { .. } => 4,
        UpEvent::Connected(_) => CONNECTED,
        UpEvent::Disconnected(..) => 6,
        UpEvent::Subscribe(..) => 7,
        UpEvent::Unsubscribe(..) => 8,
        UpEvent::Session(event, _) => match event {
            SessionEvent::Created => 9,
            SessionEvent::Resumed => 10,
            SessionEvent::Discarded => 11,
            SessionEvent::TakenOver => 12,
            SessionEvent::Terminated => 13,
        },
        UpEvent::Subscribed(..) => 14,
        UpEvent::Unsubscribed(..) => UNSUBSCRIBED,
        UpEvent::Delivered { .. } => 16,
        UpEvent::Acked { .. } => 17,
        UpEvent::Dropped { .. } => 18,
        UpEvent::DeliveryDropped { .. } => 19,
        _ => return None,
    })
}

/// Notices that the management plane gets whether plugins want them or not.
pub(crate) fn is_for_management(event: &UpEvent) -> bool {
    matches!(
        event,
        UpEvent::Connected(_)
            | UpEvent::Disconnected(..)
            | UpEvent::Subscribed(..)
            | UpEvent::Unsubscribed(..)
    )
}

/// The bit of a hookpoint in a mask.
#[must_use]
pub const fn bit(hook: HookNumber) -> u32 {
    1 << hook
}
