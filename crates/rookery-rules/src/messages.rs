//! What is said about rules: each text has a key that stays, and values.
//!
//! English is here; whoever shows it to people who read another language has their texts by key.
//! A function of this module makes the text of its name.

use std::fmt;

/// A kind of text.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Stays the same from version to version.
    pub key: &'static str,
    /// In English, with `{name}` where a value goes.
    pub english: &'static str,
}

/// A text with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    message: &'static Message,
    values: Box<[(&'static str, Part)]>,
}

/// A value in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The same in every language.
    Plain(Box<str>),
    /// A text itself.
    Said(Said),
}

impl Said {
    /// The key of the text.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.message.key
    }

    /// Its values by name, in the order of the English text.
    #[must_use]
    pub fn values(&self) -> &[(&'static str, Part)] {
        &self.values
    }
}

impl fmt::Display for Said {
    /// In English.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.message.english;
        while let Some((before, after)) = rest.split_once('{') {
            f.write_str(before)?;
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            if let Some((_, value)) = self.values.iter().find(|(have, _)| *have == name) {
                value.fmt(f)?;
            }
            rest = after;
        }
        f.write_str(rest)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Said(said) => said.fmt(f),
        }
    }
}

impl From<Said> for Part {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

macro_rules! plain {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Part {
            fn from(value: $kind) -> Self {
                Self::Plain(value.to_string().into())
            }
        })*
    };
}

plain!(&str, String, char, usize, u32, i64, i128);

macro_rules! messages {
    ($($key:ident($($value:ident),*) = $english:literal,)*) => {
        /// Every text that there is.
        pub const ALL: &[Message] =
            &[$(Message { key: stringify!($key), english: $english },)*];

        $(
            #[doc = concat!("`", $english, "`")]
            #[must_use]
            pub fn $key($($value: impl Into<Part>),*) -> Said {
                const MESSAGE: Message = Message { key: stringify!($key), english: $english };
                Said { message: &MESSAGE, values: Box::new([$((stringify!($value), $value.into())),*]) }
            }
        )*
    };
}

messages! {
    // -- how texts are put together ----------------------------------------------------------
    at_place(line, column, what) = "line {line}, column {column}: {what}",
    with_hint(what, hint) = "{what} ({hint})",
    // -- the text of a rule ------------------------------------------------------------------
    unexpected(wanted, found) = "expected {wanted}, found {found}",
    means_nothing(character) = "{character} means nothing here",
    quote_open() = "this quote is never closed",
    number_too_large() = "this number is too large",
    index_too_large() = "this index is too large",
    index_kind() = "an index is a whole number, a column or an alias",
    no_parts() = "only a column, an alias or a function has parts",
    rule_too_long(most) = "rule is longer than {most} octets",
    too_many_sources(most) = "rule has more than {most} sources",
    too_many_parts(most) = "rule has more than {most} parts",
    too_many_joined(most) = "more than {most} parts are joined in one chain",
    too_deep(most) = "expression is nested deeper than {most} levels",
    path_too_long(most) = "path has more than {most} parts",
    // -- what was wanted, and what was found -------------------------------------------------
    the_end() = "the end",
    the_text(text) = "the text {text}",
    the_word(word) = "\"{word}\"",
    an_expression() = "an expression",
    select_or_foreach() = "SELECT or FOREACH",
    comma_or(other) = "\",\" or {other}",
    name_after_as() = "a name after AS",
    filter_or_event() = "a topic filter or an event in quotes",
    key_after_dot() = "a key after the dot",
    whole_number() = "a whole number",
    // -- what a rule means -------------------------------------------------------------------
    no_topic_filter(why) = "no topic filter: {why}",
    topic_empty() = "topic is empty",
    topic_too_long(bytes, most) = "topic has {bytes} bytes, more than {most}",
    topic_null() = "topic contains U+0000",
    topic_wildcard(wildcard) = "wildcard `{wildcard}` is not allowed there",
    topic_share_name() = "share name is empty or contains `/`, `+` or `#`",
    topic_prefix() = "no topic filter after the prefix",
    no_share() = "a rule has no share of a subscription",
    no_event(name) = "there is no event {name}",
    foreach_everything() = "FOREACH goes through an array, not *",
    foreach_nothing() = "FOREACH goes through an array",
    element_parts() = "the name of an element has no parts",
    no_function(name) = "there is no function {name}",
    function_absent(name) = "{name} is not available",
    arguments(name, wanted, found) = "{name} takes {wanted} arguments, not {found}",
    from_to(least, most) = "{least} to {most}",
    no_regex(why) = "no regular expression: {why}",
    // -- advice ------------------------------------------------------------------------------
    absent_because(reason) = "{reason}",
    did_you_mean(name) = "did you mean {name}?",
    events_are(names) = "events are {names}",
    filter_alone() = "write the topic filter alone: every message is seen once",
    filters_in_quotes() = "topic filters stand in quotes: FROM \"t/#\"",
    write_from() = "write FROM \"t/#\"",
    write_foreach() = "write FOREACH payload.list AS item",
    name_first() = "give it a name with AS first",
    numbers_in_quotes() = "put keys that are numbers in quotes",
    keys_behind_dot() = "keys stand behind a dot: payload.'my key'",
    join_with_plus() = "text is joined with +",
    change_types() = "types are changed with str(), int(), float(), bool()",
    use_is_null() = "use is_null(x) or is_not_null(x)",
    use_regex_match() = "use regex_match(x, '…') or x =~ 'topic/filter'",
    use_comparisons() = "use x >= a AND x <= b",
    one_message() = "a rule sees one message at a time",
    // -- what fails with one message ---------------------------------------------------------
    function_failed(function, what) = "{function}: {what}",
    not_a_number(text) = "{text} is not a number",
    overflow() = "integer overflow",
    value_too_deep(most) = "value is nested deeper than {most}",
    json_too_large(values, levels) = "JSON has more than {values} values or {levels} levels",
    too_many_items(most) = "array has more than {most} elements",
    too_much_work() = "rule did more work than one message may cost",
    too_much_work_together() = "rules of this message did all the work that it may cost: nothing is left for this one",
    too_large(most) = "result is larger than {most} octets",
    not_text() = "octets that are not UTF-8 cannot become JSON; use bin2hexstr or base64_encode",
    // -- what functions say ------------------------------------------------------------------
    wrong_argument(position, kind, wanted) = "argument {position} is {kind}, not {wanted}",
    cannot_be_done(left, right) = "cannot be done with {left} and {right}",
    cannot_be_done_with(kind) = "cannot be done with {kind}",
    division_by_zero() = "division by zero",
    result_no_number() = "the result is no number",
    part_of_no_array() = "a part of what is no array",
    positions_from_one() = "positions count from 1",
    array_shorter() = "the array is shorter",
    array_empty() = "the array is empty",
    string_empty() = "the string is empty",
    no_element(position) = "there is no element {position}",
    no_level(level) = "there is no level {level}",
    no_option(word) = "{word} is no option",
    data_damaged() = "the data is damaged",
    no_base64() = "the text is not base64",
    no_hexadecimal() = "the text is not hexadecimal",
    no_json() = "the text is not JSON",
    regex_not_utf8() = "the expression is not UTF-8",
    regex_too_long(most) = "the expression is longer than {most} octets",
    regex_too_large() = "the expression is too large",
    regex_wrong(what) = "{what}",
    time_outside() = "the time is outside the years 0 to 9999",
    offset_too_large() = "an offset is less than a day",
    no_offset(text) = "{text} is no offset",
    not_written_so(text) = "{text} is not written so",
    format_too_long(most) = "the format is longer than {most} octets",
    not_the_format() = "the text does not follow the format",
    no_such_time() = "there is no such day or time",
    too_few_values() = "too few values",
    too_many_values() = "too many values",
    field_too_wide(most) = "a field is wider than {most}",
    format_ends() = "the format ends inside a control sequence",
    does_not_print(letter, kind) = "~{letter} does not print {kind}",
    whole_octets() = "only whole octets can be taken as bits",
    at_most_bits(most) = "at most {most} bits",
    float_bits() = "a float has 16, 32 or 64 bits",
    bits_no_number() = "these bits are no number",
    key_too_long(most) = "a key has more than {most} parts",
    too_many_keys(most) = "more than {most} keys",
    key_is(kind) = "a key is {kind}",
    neither_true_nor_false(text) = "{text} is neither true nor false",
    at_most_decimals(most) = "at most {most} decimals",
    no_escape(escape) = "{escape} is no escape",
    no_character(number) = "\\x{number} is no character",
    // -- kinds of values ---------------------------------------------------------------------
    kind_undefined() = "undefined",
    kind_null() = "null",
    kind_boolean() = "boolean",
    kind_integer() = "integer",
    kind_float() = "float",
    kind_string() = "string",
    kind_array() = "array",
    kind_map() = "map",
    an_integer() = "an integer",
    a_size() = "a size",
    a_number() = "a number",
    a_string() = "a string",
    utf8() = "UTF-8",
    an_array() = "an array",
    a_map() = "a map",
    // -- trials ------------------------------------------------------------------------------
    context_no_object() = "the context is no JSON object",
    no_event_type(name) = "there is no event_type {name}",
    no_match() = "the rule takes nothing of it",
}

/// What kind of value it is.
pub(crate) fn kind(value: &crate::Value<'_>) -> Said {
    use crate::Value;
    match value {
        Value::Undefined => kind_undefined(),
        Value::Null => kind_null(),
        Value::Bool(_) => kind_boolean(),
        Value::Int(_) => kind_integer(),
        Value::Float(_) => kind_float(),
        Value::Text(_) => kind_string(),
        Value::Array(_) => kind_array(),
        Value::Map(_) => kind_map(),
    }
}

/// What is wrong with a topic filter.
pub(crate) fn topic(error: rookery_codec::TopicError) -> Part {
    use rookery_codec::TopicError;
    match error {
        TopicError::Empty => topic_empty().into(),
        TopicError::TooLong(bytes) => topic_too_long(bytes, rookery_codec::TOPIC_BYTES_MAX).into(),
        TopicError::Null => topic_null().into(),
        TopicError::Wildcard(wildcard) => topic_wildcard(wildcard).into(),
        TopicError::ShareName => topic_share_name().into(),
        TopicError::Prefix => topic_prefix().into(),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_values_in_their_places() {
        let said = with_hint(unexpected(an_expression(), the_text("\"{wanted}\"")), write_from());
        assert_eq!(
            said.to_string(),
            "expected an expression, found the text \"{wanted}\" (write FROM \"t/#\")"
        );
        assert_eq!(said.key(), "with_hint");
        assert_eq!(said.values()[1], ("hint", Part::Said(write_from())));
    }

    #[test]
    fn keys_are_there_once_and_english_has_a_place_for_each_value() {
        let mut keys: Vec<_> = ALL.iter().map(|message| message.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), ALL.len());
        for message in ALL {
            assert_eq!(message.english.matches('{').count(), message.english.matches('}').count());
        }
    }

    #[test]
    fn what_is_said_of_topics_is_what_the_codec_says() {
        use rookery_codec::TopicError;
        let wrong = [
            TopicError::Empty,
            TopicError::TooLong(70_000),
            TopicError::Null,
            TopicError::Wildcard('#'),
            TopicError::ShareName,
            TopicError::Prefix,
        ];
        for error in wrong {
            let said = topic(error);
            assert!(matches!(said, Part::Said(_)), "{error}");
            assert_eq!(said.to_string(), error.to_string());
        }
    }
}
