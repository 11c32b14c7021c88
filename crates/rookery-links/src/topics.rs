//! The topics of the link protocol, `$LINK/cluster/…`.

/// All topics of links.
pub const PREFIX: &str = "$LINK/";

/// What a topic of a link is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The sender tells its routes.
    Route,
    /// The sender sends a message.
    Message,
    /// The sender reads answers.
    Response,
}

/// A topic of a link: what it is for, and the name of the cluster that speaks.
#[must_use]
pub fn parse(topic: &str) -> Option<(Purpose, &str)> {
    let (word, rest) = topic.strip_prefix("$LINK/cluster/")?.split_once('/')?;
    let (cluster, purpose) = match word {
        "route" => (rest, Purpose::Route),
        "msg" => (rest, Purpose::Message),
        // The name of the actor is behind it; a whole level and no wildcard in either.
        "resp" => (rest.split_once('/')?.0, Purpose::Response),
        _ => return None,
    };
    let is_name = !cluster.is_empty() && !cluster.contains(['/', '+', '#']);
    let is_plain = purpose != Purpose::Response || !rest.contains(['+', '#']);
    (is_name && is_plain).then_some((purpose, cluster))
}

/// Where a cluster tells its routes.
#[must_use]
pub fn route(cluster: &str) -> String {
    format!("$LINK/cluster/route/{cluster}")
}

/// Where a cluster sends messages.
#[must_use]
pub fn message(cluster: &str) -> String {
    format!("$LINK/cluster/msg/{cluster}")
}

/// Where a cluster's actor is answered.
#[must_use]
pub fn response(cluster: &str, actor: &str) -> String {
    format!("$LINK/cluster/resp/{cluster}/{actor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_name_who_speaks() {
        for (topic, found) in [
            ("$LINK/cluster/route/eu", Some((Purpose::Route, "eu"))),
            ("$LINK/cluster/msg/eu", Some((Purpose::Message, "eu"))),
            ("$LINK/cluster/resp/eu/emqx@h", Some((Purpose::Response, "eu"))),
            ("$LINK/cluster/resp/eu", None),
            ("$LINK/cluster/resp/+/x", None),
            ("$LINK/cluster/resp/eu/#", None),
            ("$LINK/cluster/route/", None),
            ("$LINK/cluster/route/a/b", None),
            ("$LINK/cluster/other/eu", None),
            ("$LINK/#", None),
        ] {
            assert_eq!(parse(topic), found, "{topic}");
        }
        assert_eq!(parse(&route("a")), Some((Purpose::Route, "a")));
        assert_eq!(parse(&message("a")), Some((Purpose::Message, "a")));
        assert_eq!(parse(&response("a", "n@h")), Some((Purpose::Response, "a")));
    }
}
