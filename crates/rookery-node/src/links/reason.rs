//! Why a link does not stand: a code that stays and a text.

use rookery_codec::ReasonCode;
use rookery_links::receiver::error;
use rustix::io::Errno;

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

impl Reason {
    pub(crate) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The network did not do what was asked.
    pub(crate) fn of_io(error: &std::io::Error) -> Self {
        let code = match Errno::from_io_error(error) {
            Some(Errno::TIMEDOUT) => "timed_out",
            Some(Errno::CONNRESET | Errno::PIPE) => "closed",
            _ => "refused",
        };
        Self::new(code, error.to_string())
    }

    /// CONNACK with an error.
    pub(crate) fn of_connack(code: ReasonCode, text: Option<&str>) -> Self {
        let word = match code {
            ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::NOT_AUTHORIZED => "bad_credentials",
            ReasonCode::SERVER_UNAVAILABLE | ReasonCode::SERVER_BUSY => "refused",
            ReasonCode::QUOTA_EXCEEDED | ReasonCode::BANNED => "refused",
            _ => "protocol",
        };
        let said = text.map_or_else(String::new, |text| format!(": {text}"));
        Self::new(word, format!("the other side refuses the client with {}{said}", code.name()))
    }

    /// The topics of the protocol are closed to this client.
    pub(crate) fn not_authorized() -> Self {
        let text = "the other side lets this client not speak for this cluster: it needs an enabled \
                    link to this cluster whose `accept` fits, or a rule that allows `$LINK/#`";
        Self::new("not_authorized", text)
    }

    /// What the other side answered to the introduction of the actor.
    pub(crate) fn of_answer(said: &str) -> Self {
        let (code, text) = match said {
            error::UNKNOWN_CLUSTER => {
                ("unknown_cluster", "the other side has no link to this cluster")
            }
            error::BAD_NAME => (
                "bad_remote_cluster_link_name",
                "the other cluster has another name than this link; a link is named as the other \
                 cluster's `cluster.name`",
            ),
            error::DISABLED => {
                ("cluster_link_disabled", "the link is switched off on the other side")
            }
            other => {
                let text = other.strip_prefix("protocol: ").unwrap_or(other);
                return Self::new("protocol", text);
            }
        };
        Self::new(code, text)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}
