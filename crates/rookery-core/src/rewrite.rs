//! Topic rewrite: `rewrite` rules compiled once, and placeholders of topics.

use regex::Regex;
use rookery_codec::filter_matches;

use crate::config::{RewriteAction, RewriteRule};

/// Why a rule cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("rewrite.{index}.re: {source}")]
pub struct RewriteError {
    /// 1-based index in the configuration.
    pub index: usize,
    /// What the regular expression breaks.
    pub source: regex::Error,
}

/// The rules, ready to use.
#[derive(Debug, Default)]
pub struct Rewriter {
    rules: Vec<(RewriteRule, Regex)>,
}

impl Rewriter {
    /// Compiles rules.
    ///
    /// # Errors
    ///
    /// The first rule whose regular expression is not one or is too large.
    pub fn new(rules: &[RewriteRule]) -> Result<Self, RewriteError> {
        let compile = |(i, rule): (usize, &RewriteRule)| {
            Regex::new(&rule.re)
                .map(|re| (rule.clone(), re))
                .map_err(|source| RewriteError { index: i + 1, source })
        };
        Ok(Self { rules: rules.iter().enumerate().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether there is no rule.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The topic to use instead; `None` = as it is. The first rule whose `source_topic` matches decides.
    #[must_use]
    pub fn apply(
        &self,
        publish: bool,
        topic: &str,
        client_id: &str,
        username: Option<&str>,
    ) -> Option<String> {
        let wanted = if publish { RewriteAction::Publish } else { RewriteAction::Subscribe };
        let (rule, re) = self.rules.iter().find(|(rule, _)| {
            (rule.action == RewriteAction::All || rule.action == wanted)
                && filter_matches(&rule.source_topic, topic)
        })?;
        let captures = re.captures(topic)?;
        let mut out = String::new();
        let dest = fill(
            &rule.dest_topic,
            &[("clientid", client_id), ("username", username.unwrap_or(""))],
        );
        let mut rest = dest.as_str();
        while let Some(at) = rest.find('$') {
            let (head, tail) = rest.split_at(at);
            out.push_str(head);
            let digits = tail.chars().skip(1).take_while(char::is_ascii_digit).count();
            let (reference, after) = tail.split_at(1 + digits);
            match reference.get(1..).and_then(|n| n.parse::<usize>().ok()) {
                Some(n) => out.push_str(captures.get(n).map_or("", |m| m.as_str())),
                None => out.push_str(reference),
            }
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }
}

/// Replaces `${name}` by its value; unknown names stay.
#[must_use]
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = template.to_owned();
    for (name, value) in values {
        let mark = format!("${{{name}}}");
        if out.contains(&mark) {
            out = out.replace(&mark, value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Rewriter;
    use crate::config::{RewriteAction, RewriteRule};

    fn check(source: &str, re: &str, dest: &str, topic: &str) -> Option<String> {
        let rule = RewriteRule {
            action: RewriteAction::All,
            source_topic: source.into(),
            re: re.into(),
            dest_topic: dest.into(),
        };
        Rewriter::new(&[rule]).unwrap().apply(true, topic, "c1", Some("u1"))
    }

    #[test]
    fn groups_and_placeholders_are_filled() {
        assert_eq!(check("x/#", "^x/y/(.+)$", "z/y/$1", "x/y/1").as_deref(), Some("z/y/1"));
        assert_eq!(check("x/#", "^x/y/(.+)$", "z/y/$1", "x/2"), None, "a miss leaves the topic");
        assert_eq!(
            check("y/+/z/#", "^y/(.+)/z/(.+)$", "${username}/${clientid}/$2", "y/a/z/b").as_deref(),
            Some("u1/c1/b")
        );
    }
}
