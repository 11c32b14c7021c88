//! A result becomes a message.

use rookery_codec::{PublishProperties, QoS, UserProperties, UserPropertiesBuf, check_topic_name};
use rookery_rules::{
    EvalError, Invalid, Map, Parts, Template, TemplateError, Text, Value, encode_json,
    encode_json_map,
};

/// Most octets of a payload that a rule makes.
const PAYLOAD_BYTES_MAX: usize = 16 << 20;
/// Most octets of a topic, MQTT-5.0 section 1.5.4.
const TOPIC_BYTES_MAX: usize = 65_535;
/// EMQX's word for the user properties of the message itself.
const ORIGINAL: &str = "${pub_props.'User-Property'}";

/// How a result becomes a message, as people write it.
#[derive(Debug, Clone)]
pub struct RepublishSpec {
    /// Topic.
    pub topic: String,
    /// QoS: a number or one placeholder.
    pub qos: String,
    /// RETAIN: `true`, `false` or one placeholder.
    pub retain: String,
    /// Payload; empty = the whole result as JSON.
    pub payload: String,
    /// User properties: one placeholder, or [`ORIGINAL`]; empty = none.
    pub user_properties: String,
    /// Properties by their MQTT names.
    pub mqtt_properties: Vec<(String, String)>,
    /// Neither retained nor seen by other rules.
    pub direct_dispatch: bool,
}

impl Default for RepublishSpec {
    fn default() -> Self {
        Self {
            topic: String::new(),
            qos: "${qos}".into(),
            retain: "${retain}".into(),
            payload: "${payload}".into(),
            user_properties: "${user_properties}".into(),
            mqtt_properties: Vec::new(),
            direct_dispatch: false,
        }
    }
}

/// Why a republish cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RepublishError {
    /// Which part of it, with a dot before the name of a property.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

fn wrong(field: &str) -> impl FnOnce(TemplateError) -> RepublishError {
    move |error| refused(field, error.to_string())
}

fn refused(field: &str, problem: String) -> RepublishError {
    RepublishError { field: field.to_owned(), problem }
}

#[derive(Debug, PartialEq)]
enum Few<T> {
    Fixed(T),
    Of(Template),
}

#[derive(Debug, PartialEq)]
enum UserProps {
    None,
    Original,
    Of(Template),
}

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Property {
    PayloadFormat,
    Expiry,
    ResponseTopic,
    CorrelationData,
    ContentType,
}

impl Property {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "Payload-Format-Indicator" => Self::PayloadFormat,
            "Message-Expiry-Interval" => Self::Expiry,
            "Response-Topic" => Self::ResponseTopic,
            "Correlation-Data" => Self::CorrelationData,
            "Content-Type" => Self::ContentType,
            _ => return None,
        })
    }
}

/// How a result becomes a message, read once.
#[derive(Debug, PartialEq)]
pub struct Republish {
    topic: Template,
    qos: Few<QoS>,
    retain: Few<bool>,
    payload: Option<Template>,
    user_properties: UserProps,
    mqtt_properties: Vec<(Property, Template)>,
    pub(crate) is_direct: bool,
}

/// Room for the parts of a message that is being made, used again and again.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    topic: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) properties: Vec<u8>,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) expiry_s: Option<u32>,
}

impl Draft {
    /// Octets of all its parts.
    pub(crate) fn len(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.len()
    }

    pub(crate) fn topic(&self) -> &str {
        std::str::from_utf8(&self.topic).unwrap_or_default()
    }
}

impl Republish {
    /// Reads the templates.
    ///
    /// # Errors
    ///
    /// The first of them that cannot be used.
    pub fn new(spec: &RepublishSpec) -> Result<Self, RepublishError> {
        let topic = Template::parse(&spec.topic).map_err(wrong("topic"))?;
        if topic.is_plain() && check_topic_name(&spec.topic).is_err() {
            let problem = format!("{:?} is no topic name", spec.topic);
            return Err(refused("topic", problem));
        }
        let qos = few(&spec.qos, "qos", |text| QoS::from_u8(text.parse().ok()?))?;
        let retain = few(&spec.retain, "retain", |text| text.parse().ok())?;
        let payload = (!spec.payload.is_empty())
            .then(|| Template::parse(&spec.payload).map_err(wrong("payload")))
            .transpose()?;
        let user_properties = match spec.user_properties.trim() {
            "" => UserProps::None,
            ORIGINAL => UserProps::Original,
            text => UserProps::Of(Template::parse(text).map_err(wrong("user_properties"))?),
        };
        let mut mqtt_properties = Vec::new();
        for (name, text) in &spec.mqtt_properties {
            let field = format!("mqtt_properties.{name}");
            let Some(property) = Property::of(name) else {
                let problem = format!("{name:?} is no property that a PUBLISH can carry on");
                return Err(refused(&field, problem));
            };
            let template = Template::parse(text).map_err(wrong(&field))?;
            mqtt_properties.push((property, template));
        }
        let is_direct = spec.direct_dispatch;
        Ok(Self { topic, qos, retain, payload, user_properties, mqtt_properties, is_direct })
    }

    /// Fills `draft` with the message that `row` becomes. `original`: the properties of the
    /// message that the rule saw.
    pub(crate) fn fill<'a>(
        &self,
        parts: &Parts<'a, '_>,
        row: &Map<'a>,
        original: &[u8],
        draft: &mut Draft,
    ) -> Result<(), String> {
        let said = |error: EvalError| error.to_string();
        draft.topic.clear();
        draft.payload.clear();
        draft.properties.clear();
        self.topic.render_of(parts, row, TOPIC_BYTES_MAX, &mut draft.topic).map_err(said)?;
        let is_topic = std::str::from_utf8(&draft.topic).is_ok_and(|t| check_topic_name(t).is_ok());
        if !is_topic {
            return Err(format!("{:?} is no topic name", String::from_utf8_lossy(&draft.topic)));
        }
        match &self.payload {
            Some(template) => template.render_of(parts, row, PAYLOAD_BYTES_MAX, &mut draft.payload),
            None => encode_json_map(row, Invalid::Replace, PAYLOAD_BYTES_MAX, &mut draft.payload),
        }
        .map_err(said)?;
        draft.qos = match &self.qos {
            Few::Fixed(qos) => *qos,
            Few::Of(template) => {
                qos_of(template.value(parts, row).map_err(said)?).ok_or("QoS is not 0, 1 or 2")?
            }
        };
        draft.retain = match &self.retain {
            Few::Fixed(retain) => *retain,
            Few::Of(template) => flag_of(template.value(parts, row).map_err(said)?)
                .ok_or("RETAIN is not true or false")?,
        };
        draft.expiry_s = None;
        let has_none = match self.user_properties {
            UserProps::None => true,
            UserProps::Original => original.is_empty(),
            UserProps::Of(_) => false,
        };
        if !has_none || !self.mqtt_properties.is_empty() {
            self.fill_properties(parts, row, original, draft).map_err(said)?;
        }
        Ok(())
    }

    fn fill_properties<'a>(
        &self,
        parts: &Parts<'a, '_>,
        row: &Map<'a>,
        original: &[u8],
        draft: &mut Draft,
    ) -> Result<(), EvalError> {
        let mut made = UserPropertiesBuf::default();
        let mut user_properties = UserProperties::default();
        match &self.user_properties {
            UserProps::None => {}
            UserProps::Original => {
                user_properties = UserProperties::from_encoded(original).unwrap_or_default();
            }
            UserProps::Of(template) => {
                collect_pairs(template.value(parts, row)?, &mut made);
                user_properties = made.as_ref();
            }
        }
        let mut texts: Vec<(Property, Vec<u8>)> = Vec::new();
        for (property, template) in &self.mqtt_properties {
            if template.value(parts, row)?.is_some_and(|value| value.is_undefined()) {
                continue;
            }
            let mut text = Vec::new();
            match template.render_of(parts, row, TOPIC_BYTES_MAX, &mut text) {
                Ok(()) => texts.push((*property, text)),
                Err(EvalError::TooLarge(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let find = |wanted| texts.iter().find(|(p, _)| *p == wanted).map(|(_, text)| &text[..]);
        let text = |wanted| find(wanted).and_then(|text| std::str::from_utf8(text).ok());
        let number = |wanted| text(wanted).and_then(|text| text.trim().parse::<u32>().ok());
        draft.expiry_s = number(Property::Expiry);
        let properties = PublishProperties {
            payload_format_indicator: number(Property::PayloadFormat).map(|n| u8::from(n != 0)),
            response_topic: text(Property::ResponseTopic)
                .filter(|topic| check_topic_name(topic).is_ok()),
            correlation_data: find(Property::CorrelationData),
            content_type: text(Property::ContentType),
            user_properties,
            ..PublishProperties::default()
        };
        properties.forward_into(&mut draft.properties);
        Ok(())
    }
}

/// A fixed value, or a template for it.
fn few<T>(
    text: &str,
    field: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Few<T>, RepublishError> {
    if let Some(value) = read(text.trim()) {
        return Ok(Few::Fixed(value));
    }
    let template = Template::parse(text.trim()).map_err(wrong(field))?;
    if template.is_plain() {
        let problem = format!("{text:?} is neither a value nor a placeholder");
        return Err(refused(field, problem));
    }
    Ok(Few::Of(template))
}

fn qos_of(value: Option<Value<'_>>) -> Option<QoS> {
    match value? {
        Value::Undefined => Some(QoS::AtMostOnce),
        Value::Int(number) => QoS::from_u8(u8::try_from(number).ok()?),
        Value::Text(text) => QoS::from_u8(text.as_str()?.parse().ok()?),
        _ => None,
    }
}

fn flag_of(value: Option<Value<'_>>) -> Option<bool> {
    match value? {
        Value::Undefined => Some(false),
        Value::Bool(flag) => Some(flag),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Text(text) => match text.as_str()? {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A map of names and values, or a list of maps with `key` and `value`.
fn collect_pairs(value: Option<Value<'_>>, made: &mut UserPropertiesBuf) {
    match value {
        Some(Value::Map(map)) => {
            for (key, value) in map.entries() {
                push_pair(Some(key), value, made);
            }
        }
        Some(Value::Array(items)) => {
            for item in items.items() {
                let Value::Map(pair) = item else { continue };
                let (Some(Value::Text(key)), Some(value)) = (pair.get(b"key"), pair.get(b"value"))
                else {
                    continue;
                };
                push_pair(Some(key), value, made);
            }
        }
        _ => {}
    }
}

fn push_pair(key: Option<&Text<'_>>, value: &Value<'_>, made: &mut UserPropertiesBuf) {
    let Some(key) = key.and_then(Text::as_str).filter(|key| key.len() <= TOPIC_BYTES_MAX) else {
        return;
    };
    match value {
        Value::Text(text) => {
            if let Some(text) = text.as_str().filter(|text| text.len() <= TOPIC_BYTES_MAX) {
                made.push(key, text);
            }
        }
        Value::Undefined => {}
        value => {
            let mut json = Vec::new();
            let is_done = encode_json(value, Invalid::Replace, TOPIC_BYTES_MAX, &mut json).is_ok();
            if let (true, Ok(text)) = (is_done, std::str::from_utf8(&json)) {
                made.push(key, text);
            }
        }
    }
}
