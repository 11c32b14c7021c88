//! Properties of packets as rules see them with events: under MQTT's names, as EMQX writes them.
//!
//! A packet may carry many user properties and lead to many events: those beyond
//! [`USER_BYTES_MAX`] are left out, and all events of a packet share what is kept.

use rookery_codec::{Ack, Disconnect, UserProperties, UserPropertiesBuf};

use super::Fact;
use super::happening::quoted;

/// Most octets of names and values of user properties that an event has.
pub(crate) const USER_BYTES_MAX: usize = 16 << 10;

/// No user properties, and nothing else.
const NONE: &[u8] = br#"{"User-Property":{}}"#;

/// Those that events may have, apart from the packet they came in.
pub(crate) fn kept(user: UserProperties<'_>) -> UserPropertiesBuf {
    let mut kept = UserPropertiesBuf::new();
    for (name, value) in fitting(user) {
        kept.push(name, value);
    }
    kept
}

fn fitting<'a>(user: UserProperties<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut octets = 0;
    user.iter().take_while(move |(name, value)| {
        octets += name.len() + value.len() + 1;
        octets <= USER_BYTES_MAX
    })
}

/// Properties of which nothing is known.
pub(crate) fn none() -> Fact {
    Fact::Json(NONE.into())
}

/// Properties that are numbers, and the user's.
pub(crate) fn of_numbers(numbers: &[(&str, Option<u32>)], user: UserProperties<'_>) -> Fact {
    let known = numbers.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?)));
    let known = known.map(|(name, value)| format!("{}:{value},", quoted(name)));
    written(known.collect(), user)
}

/// Those of a DISCONNECT.
pub(crate) fn of_disconnect(disconnect: &Disconnect<'_>) -> Fact {
    let expiry = disconnect.session_expiry_interval_s;
    let expiry = expiry.map(|seconds| format!(r#""Session-Expiry-Interval":{seconds},"#));
    let mut json = expiry.unwrap_or_default();
    json.push_str(&reason(disconnect.reason_string));
    written(json, disconnect.user_properties)
}

/// Those of an acknowledgement.
pub(crate) fn of_ack(ack: &Ack<'_>) -> Fact {
    written(reason(ack.reason_string), ack.user_properties)
}

fn reason(text: Option<&str>) -> String {
    text.map(|text| format!(r#""Reason-String":{},"#, quoted(text))).unwrap_or_default()
}

/// `first` and the user's: a map, where the last of a name counts, and all of them in order.
fn written(first: String, user: UserProperties<'_>) -> Fact {
    if first.is_empty() && user.is_empty() {
        return none();
    }
    let (mut map, mut pairs) = (Vec::new(), Vec::new());
    for (name, value) in fitting(user) {
        let (name, value) = (quoted(name), quoted(value));
        map.push(format!("{name}:{value}"));
        pairs.push(format!(r#"{{"key":{name},"value":{value}}}"#));
    }
    let mut json = format!(r#"{{{first}"User-Property":{{{}}}"#, map.join(","));
    if !pairs.is_empty() {
        json.push_str(&format!(r#","User-Property-Pairs":[{}]"#, pairs.join(",")));
    }
    json.push('}');
    Fact::Json(json.into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fact: Fact) -> String {
        let Fact::Json(json) = fact else { panic!("{fact:?}") };
        String::from_utf8(json.to_vec()).expect("UTF-8")
    }

    #[test]
    fn properties_stand_under_their_names_and_pairs_in_order() {
        let mut user = UserPropertiesBuf::new();
        user.push("b", "1");
        user.push("a\"", "2");
        let numbers = [("Receive-Maximum", Some(9)), ("Topic-Alias-Maximum", None)];
        assert_eq!(
            text(of_numbers(&numbers, user.as_ref())),
            r#"{"Receive-Maximum":9,"User-Property":{"b":"1","a\"":"2"},"User-Property-Pairs":[{"key":"b","value":"1"},{"key":"a\"","value":"2"}]}"#
        );
        let ack = Ack { reason_string: Some("late"), ..Ack::default() };
        assert_eq!(text(of_ack(&ack)), r#"{"Reason-String":"late","User-Property":{}}"#);
        assert_eq!(text(of_ack(&Ack::default())), r#"{"User-Property":{}}"#);
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let mut user = UserPropertiesBuf::new();
        user.push("first", "1");
        user.push("long", &"x".repeat(USER_BYTES_MAX));
        user.push("last", "1");
        assert_eq!(kept(user.as_ref()).as_ref().iter().collect::<Vec<_>>(), [("first", "1")]);
    }
}
