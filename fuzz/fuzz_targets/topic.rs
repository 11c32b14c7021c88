//! Topic syntax and matching against a second, recursive matcher. A line feed parts filter and
//! topic name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_codec::{check_topic_filter, check_topic_name, filter_matches, levels, parse_filter};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (filter, topic) = text.split_once('\n').unwrap_or((text, text));
    let Ok(parsed) = parse_filter(filter) else {
        // What is no filter at all has no prefix that saves it.
        assert!(filter.starts_with('$') || check_topic_filter(filter).is_err());
        return;
    };
    assert!(filter.ends_with(parsed.filter()));
    assert_eq!(check_topic_filter(parsed.filter()), Ok(()));
    if check_topic_name(topic).is_err() {
        return;
    }
    // A name is a filter that matches itself.
    assert_eq!(check_topic_filter(topic), Ok(()));
    assert!(filter_matches(topic, topic));
    // The second matcher goes one frame down for each level.
    if levels(topic) > 1_000 || levels(filter) > 1_000 {
        return;
    }
    let filter_levels: Vec<&str> = parsed.filter().split('/').collect();
    let topic_levels: Vec<&str> = topic.split('/').collect();
    let is_hidden = topic.starts_with('$') && ["#", "+"].contains(&filter_levels[0]);
    let want = !is_hidden && matches(&filter_levels, &topic_levels);
    assert_eq!(
        filter_matches(parsed.filter(), topic),
        want,
        "{filter:?} {topic:?}"
    );
});

fn matches(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => matches(filter, topic),
        ([want, filter @ ..], [have, topic @ ..]) => want == have && matches(filter, topic),
        _ => false,
    }
}
