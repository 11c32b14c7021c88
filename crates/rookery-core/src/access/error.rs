//! What is wrong with rules and bans.

/// A rule or a ban that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{path}: {detail}")]
pub struct AccessError {
    /// Path of the setting, such as `authorization.sources.file`.
    pub path: String,
    /// What is wrong, with the line of the source if there is one.
    pub detail: String,
}

impl AccessError {
    /// A detail whose place is added by those who know it.
    pub(super) fn new(detail: impl Into<String>) -> Self {
        Self { path: String::new(), detail: detail.into() }
    }

    /// At a line of a source.
    pub(super) fn at(self, source: &str, line: u32) -> Self {
        let place = if line == 0 { String::new() } else { format!("line {line}: ") };
        Self {
            path: format!("authorization.sources.{source}"),
            detail: format!("{place}{}", self.detail),
        }
    }
}

/// A regular expression, searched and not anchored.
///
/// # Errors
///
/// It is none, is too large, or uses what a search in linear time cannot have.
pub(super) fn regex(text: &str) -> Result<regex::Regex, AccessError> {
    // One expression may not eat the memory of the rules; the default is ten times this.
    regex::RegexBuilder::new(text).size_limit(1 << 20).build().map_err(|error| {
        let reason = error.to_string();
        let last =
            reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        AccessError::new(format!("regular expression {text:?}: {last}"))
    })
}
