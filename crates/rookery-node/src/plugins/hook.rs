//! The hookpoints that a plugin can have, by number: the contract between node and worker process.

use rookery_core::effects::{Question, SessionEvent, UpEvent};

/// A hookpoint. The number is its place in [`NAMES`] and its bit in a mask.
pub type HookNumber = u8;

/// EMQX's names, in the order of their numbers. The first five are questions.
pub const NAMES: [&str; 23] = [
    "client.authenticate",
    "client.authorize",
    "message.publish",
    "client.subscribe",
    "client.unsubscribe",
    "client.connect",
    "client.connack",
    "client.connected",
    "client.disconnected",
    "session.created",
    "session.resumed",
    "session.discarded",
    "session.takenover",
    "session.terminated",
    "session.subscribed",
    "session.unsubscribed",
    "message.puback",
    "message.delivered",
    "message.acked",
    "message.dropped",
    "delivery.dropped",
    "alarm.activated",
    "alarm.deactivated",
];

pub(crate) const AUTHENTICATE: HookNumber = 0;
pub(crate) const AUTHORIZE: HookNumber = 1;
/// `message.publish`.
pub const PUBLISH: HookNumber = 2;
pub(crate) const SUBSCRIBE: HookNumber = 3;
pub(crate) const UNSUBSCRIBE: HookNumber = 4;
/// Hookpoints that are questions.
pub(crate) const QUESTIONS: usize = 5;
pub(crate) const CONNECT: HookNumber = 5;
pub(crate) const CONNACK: HookNumber = 6;
pub(crate) const CONNECTED: HookNumber = 7;
pub(crate) const DISCONNECTED: HookNumber = 8;
pub(crate) const SESSION_CREATED: HookNumber = 9;
pub(crate) const SESSION_RESUMED: HookNumber = 10;
pub(crate) const SESSION_DISCARDED: HookNumber = 11;
pub(crate) const SESSION_TAKENOVER: HookNumber = 12;
pub(crate) const SESSION_TERMINATED: HookNumber = 13;
pub(crate) const SUBSCRIBED: HookNumber = 14;
pub(crate) const UNSUBSCRIBED: HookNumber = 15;
pub(crate) const PUBACK: HookNumber = 16;
pub(crate) const DELIVERED: HookNumber = 17;
pub(crate) const ACKED: HookNumber = 18;
pub(crate) const DROPPED: HookNumber = 19;
pub(crate) const DELIVERY_DROPPED: HookNumber = 20;
pub(crate) const ALARM_ACTIVATED: HookNumber = 21;
pub(crate) const ALARM_DEACTIVATED: HookNumber = 22;

/// The number of a hookpoint by its name.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // there are 23
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
            Question::Subscribe { .. } => SUBSCRIBE,
            Question::Unsubscribe { .. } => UNSUBSCRIBE,
        },
        UpEvent::Connect(_) => CONNECT,
        UpEvent::ConnAck { .. } => CONNACK,
        UpEvent::Connected(_) => CONNECTED,
        UpEvent::Disconnected(..) => DISCONNECTED,
        UpEvent::Session(event, _) => match event {
            SessionEvent::Created => SESSION_CREATED,
            SessionEvent::Resumed => SESSION_RESUMED,
            SessionEvent::Discarded => SESSION_DISCARDED,
            SessionEvent::TakenOver => SESSION_TAKENOVER,
            SessionEvent::Terminated => SESSION_TERMINATED,
        },
        UpEvent::Subscribed(..) => SUBSCRIBED,
        UpEvent::Unsubscribed(..) => UNSUBSCRIBED,
        UpEvent::PubAck { .. } => PUBACK,
        UpEvent::Delivered { .. } => DELIVERED,
        UpEvent::Acked { .. } => ACKED,
        UpEvent::Dropped { .. } => DROPPED,
        UpEvent::DeliveryDropped { .. } => DELIVERY_DROPPED,
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
