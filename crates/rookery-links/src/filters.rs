//! Which part of a subscription a link is interested in.
//!
//! A subscription to `X` on a cluster is told to another one as the intersections of `X` with the
//! topic filters of the link: what would come over the link and be of use, and nothing more.

use rookery_codec::TOPIC_BYTES_MAX;

/// Whether a filter begins with a wildcard, which stands for no topic with `$` in front.
fn begins_wild(filter: &str) -> bool {
    filter.starts_with(['+', '#'])
}

fn is_kept_apart(a: &str, b: &str) -> bool {
    (begins_wild(a) && b.starts_with('$')) || (begins_wild(b) && a.starts_with('$'))
}

/// The filter of the topics that both filters match.
#[must_use]
pub fn intersect(a: &str, b: &str) -> Option<String> {
    if a == b {
        return Some(a.to_owned());
    }
    if is_kept_apart(a, b) {
        return None;
    }
    let mut levels: Vec<&str> = Vec::new();
    let (mut left, mut right) = (Some(a), Some(b));
    while let (Some(l), Some(r)) = (left, right) {
        let (level_l, rest_l) = split(l);
        let (level_r, rest_r) = split(r);
        let level = match (level_l, level_r) {
            // What is left of the other one; `a/#` is about `a` as well.
            ("#", _) => {
                levels.push(r);
                return Some(levels.join("/"));
            }
            (_, "#") => {
                levels.push(l);
                return Some(levels.join("/"));
            }
            ("+", level) | (level, "+") => level,
            (l, r) if l == r => l,
            _ => return None,
        };
        levels.push(level);
        (left, right) = (rest_l, rest_r);
    }
    match (left, right) {
        (None, None) | (Some("#"), None) | (None, Some("#")) => Some(levels.join("/")),
        _ => None,
    }
}

fn split(filter: &str) -> (&str, Option<&str>) {
    match filter.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (filter, None),
    }
}

/// Whether every topic that `inner` matches is matched by `outer`.
#[must_use]
pub fn covers(outer: &str, inner: &str) -> bool {
    if begins_wild(outer) && inner.starts_with('$') {
        return false;
    }
    let (mut left, mut right) = (Some(outer), Some(inner));
    while let (Some(l), Some(r)) = (left, right) {
        let (level_l, rest_l) = split(l);
        let (level_r, rest_r) = split(r);
        match (level_l, level_r) {
            ("#", _) => return true,
            (_, "#") => return false,
            ("+", _) => {}
            (l, r) if l == r => {}
            _ => return false,
        }
        (left, right) = (rest_l, rest_r);
    }
    matches!((left, right), (None, None) | (Some("#"), None))
}

/// What of `filter` is told over a link with these topic filters: the intersections, without those
/// that another one covers.
#[must_use]
pub fn intersections(filter: &str, of_link: &[Box<str>]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for wanted in of_link {
        let Some(new) = intersect(filter, wanted) else { continue };
        // No topic is so long.
        if new.len() > TOPIC_BYTES_MAX {
            continue;
        }
        if found.iter().any(|known| covers(known, &new)) {
            continue;
        }
        found.retain(|known| !covers(&new, known));
        found.push(new);
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rookery_codec::filter_matches;

    use super::*;

    fn boxed(filters: &[&str]) -> Vec<Box<str>> {
        filters.iter().map(|filter| Box::from(*filter)).collect()
    }

    #[test]
    fn what_is_told_of_a_subscription() {
        for (filter, link, told) in [
            ("t/+/#", &["t/1", "t/2"][..], &["t/1", "t/2"][..]),
            ("t/1", &["t/#"], &["t/1"]),
            ("t/+/2/3/#", &["t/1/+/3/#", "t/1/2/+"], &["t/1/2/3/#"]),
            ("t/#", &["t"], &["t"]),
            ("t", &["t/#"], &["t"]),
            ("t/+", &["t/#"], &["t/+"]),
            ("+/x", &["a/+"], &["a/x"]),
            ("#", &["$SYS/#"], &[]),
            ("$SYS/#", &["#"], &[]),
            ("$SYS/+", &["$SYS/#"], &["$SYS/+"]),
            ("+/x", &["$SYS/x"], &[]),
            ("/a", &["/+"], &["/a"]),
            ("+/a", &["/a"], &["/a"]),
            ("/", &["+/+"], &["/"]),
            ("#", &["a", "b/#", "b/c"], &["a", "b/#"]),
            ("a", &[], &[]),
            ("a/b", &["a", "a/b/c", "b/a"], &[]),
        ] {
            let mut found = intersections(filter, &boxed(link));
            found.sort();
            assert_eq!(found, told, "{filter} over {link:?}");
        }
    }

    fn filters() -> impl Strategy<Value = String> {
        let level = proptest::sample::select(&["a", "b", "+", "", "$x"][..]);
        (proptest::collection::vec(level, 1..4), any::<bool>()).prop_filter_map(
            "an empty filter",
            |(levels, is_open)| {
                let mut text = levels.join("/");
                if is_open {
                    text.push_str("/#");
                }
                if text == "/#" {
                    text = "#".to_owned();
                }
                (!text.is_empty()).then_some(text)
            },
        )
    }

    /// Every topic of up to four levels over the same words.
    fn topics() -> Vec<String> {
        let words = ["a", "b", "", "$x", "z"];
        let mut all: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let mut last = all.clone();
        for _ in 0..3 {
            last = last.iter().flat_map(|t| words.map(|w| format!("{t}/{w}"))).collect();
            all.extend(last.iter().cloned());
        }
        all.retain(|topic| !topic.is_empty());
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

        #[test]
        fn an_intersection_matches_what_both_match(a in filters(), b in filters()) {
            let both = intersect(&a, &b);
            prop_assert_eq!(&both, &intersect(&b, &a).clone());
            for topic in topics() {
                let want = filter_matches(&a, &topic) && filter_matches(&b, &topic);
                let has = both.as_deref().is_some_and(|filter| filter_matches(filter, &topic));
                prop_assert_eq!(want, has, "{} and {} on {}: {:?}", a, b, topic, both);
            }
        }

        #[test]
        fn what_is_told_is_all_that_is_wanted_and_nothing_twice(
            filter in filters(),
            link in proptest::collection::vec(filters(), 0..4),
        ) {
            let link: Vec<Box<str>> = link.into_iter().map(Into::into).collect();
            let told = intersections(&filter, &link);
            for topic in topics() {
                let want = filter_matches(&filter, &topic)
                    && link.iter().any(|wanted| filter_matches(wanted, &topic));
                let has = told.iter().any(|one| filter_matches(one, &topic));
                prop_assert_eq!(want, has, "{} over {:?} on {}", filter, link, topic);
            }
            for (at, one) in told.iter().enumerate() {
                let others = told.iter().enumerate().filter(|(other, _)| *other != at);
                prop_assert!(!others.into_iter().any(|(_, other)| covers(other, one)));
            }
        }

        #[test]
        fn a_filter_that_covers_another_matches_what_that_one_matches(a in filters(), b in filters()) {
            let is_covered = topics().iter().all(|t| !filter_matches(&b, t) || filter_matches(&a, t));
            if covers(&a, &b) {
                prop_assert!(is_covered, "{} covers {}", a, b);
            }
        }
    }
}
