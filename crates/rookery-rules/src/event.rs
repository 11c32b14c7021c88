//! What a rule can select from: messages by topic, events, and what sources bring in.
//!
//! The names are EMQX's, old (`$events/client_connected`) and new since 5.10
//! (`$events/client/connected`). Each event has its columns with an example of each, and the few
//! that a person fills in to test a rule.

use crate::column::Column;
use crate::column::Column as C;
use crate::context::Record;
use crate::value::Value;

/// A kind of thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A client published a message.
    MessagePublish,
    /// A message was written to a subscriber.
    MessageDelivered,
    /// A subscriber acknowledged a message.
    MessageAcked,
    /// A message reached nobody.
    MessageDropped,
    /// A message was not delivered to one subscriber.
    DeliveryDropped,
    /// A client is connected.
    ClientConnected,
    /// A connection ended.
    ClientDisconnected,
    /// A CONNACK was sent.
    ClientConnack,
    /// A PINGREQ arrived.
    ClientPing,
    /// It was decided who a client is.
    CheckAuthnComplete,
    /// It was decided what a client may do.
    CheckAuthzComplete,
    /// A session subscribed.
    SessionSubscribed,
    /// A session unsubscribed.
    SessionUnsubscribed,
    /// An alarm was raised.
    AlarmActivated,
    /// An alarm ended.
    AlarmDeactivated,
    /// A source brought a message in.
    Source,
}

/// One language and another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// A column that a person fills in to test a rule.
#[derive(Debug, Clone, Copy)]
pub struct TestColumn {
    /// The column.
    pub column: Column,
    /// What stands there at first, as JSON.
    pub example: &'static str,
    /// What it is.
    pub about: Texts,
}

/// Everything about one event.
#[derive(Debug)]
pub struct EventInfo {
    /// The event.
    pub event: Event,
    /// Its name as the column `event` has it, such as `client.connected`.
    pub name: &'static str,
    /// What stands behind FROM since EMQX 5.10.
    pub topic: &'static str,
    /// What stood behind FROM before, and still may.
    pub old_topic: Option<&'static str>,
    /// What happens.
    pub title: Texts,
    /// A rule on it.
    pub sql_example: &'static str,
    /// What `*` stands for.
    pub columns: &'static [Column],
    /// What a person fills in to test a rule.
    pub test_columns: &'static [TestColumn],
}

const fn texts(en: &'static str, zh: &'static str) -> Texts {
    Texts { en, zh }
}

const fn test(
    column: Column,
    example: &'static str,
    en: &'static str,
    zh: &'static str,
) -> TestColumn {
    TestColumn { column, example, about: texts(en, zh) }
}

const CLIENT_ID: TestColumn =
    test(C::ClientId, r#""c_emqx""#, "the client identifier", "客户端标识符");
const USERNAME: TestColumn = test(C::Username, r#""u_emqx""#, "the user name", "用户名");
const TOPIC: TestColumn = test(C::Topic, r#""t/a""#, "the topic of the message", "消息的主题");
const QOS: TestColumn = test(C::QoS, "1", "the QoS of the message", "消息的 QoS");
const PAYLOAD: TestColumn =
    test(C::Payload, r#""{\"msg\": \"hello\"}""#, "the payload of the message", "消息的内容");
const FROM_CLIENT_ID: TestColumn = test(
    C::FromClientId,
    r#""c_emqx_1""#,
    "the client identifier of the sender",
    "发送者的客户端标识符",
);
const FROM_USERNAME: TestColumn =
    test(C::FromUsername, r#""u_emqx_1""#, "the user name of the sender", "发送者的用户名");
const TO_CLIENT_ID: TestColumn = test(
    C::ClientId,
    r#""c_emqx_2""#,
    "the client identifier of the receiver",
    "接收者的客户端标识符",
);
const TO_USERNAME: TestColumn =
    test(C::Username, r#""u_emqx_2""#, "the user name of the receiver", "接收者的用户名");
const REASON_CODE: TestColumn = test(C::ReasonCode, r#""success""#, "the reason code", "原因码");

const PUBLISH: &[Column] = &[
    C::Event,
    C::Id,
    C::ClientId,
    C::Username,
    C::Payload,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::QoS,
    C::Flags,
    C::PublishReceivedAt,
    C::PubProps,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
    C::OriginLink,
];
const DELIVERED: &[Column] = &[
    C::Event,
    C::Id,
    C::FromClientId,
    C::FromUsername,
    C::ClientId,
    C::Username,
    C::Payload,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::QoS,
    C::Flags,
    C::PublishReceivedAt,
    C::PubProps,
    C::Timestamp,
    C::Node,
];
const ACKED: &[Column] = &[
    C::Event,
    C::Id,
    C::FromClientId,
    C::FromUsername,
    C::ClientId,
    C::Username,
    C::Payload,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::QoS,
    C::Flags,
    C::PublishReceivedAt,
    C::PubProps,
    C::PubackProps,
    C::Timestamp,
    C::Node,
];
const DROPPED: &[Column] = &[
    C::Event,
    C::Id,
    C::Reason,
    C::ClientId,
    C::Username,
    C::Payload,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::QoS,
    C::Flags,
    C::PublishReceivedAt,
    C::PubProps,
    C::Timestamp,
    C::Node,
];
const DELIVERY_DROPPED: &[Column] = &[
    C::Event,
    C::Id,
    C::Reason,
    C::FromClientId,
    C::FromUsername,
    C::ClientId,
    C::Username,
    C::Payload,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::QoS,
    C::Flags,
    C::PubProps,
    C::PublishReceivedAt,
    C::Timestamp,
    C::Node,
];
const CONNECTED: &[Column] = &[
    C::Event,
    C::ClientId,
    C::Username,
    C::MountPoint,
    C::PeerName,
    C::SockName,
    C::ProtoName,
    C::ProtoVer,
    C::KeepAlive,
    C::CleanStart,
    C::ExpiryInterval,
    C::IsBridge,
    C::ConnProps,
    C::ConnectedAt,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
];
const DISCONNECTED: &[Column] = &[
    C::Event,
    C::Reason,
    C::ClientId,
    C::Username,
    C::PeerName,
    C::SockName,
    C::ProtoName,
    C::ProtoVer,
    C::DisconnProps,
    C::ConnectedAt,
    C::DisconnectedAt,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
];
const CONNACK: &[Column] = &[
    C::Event,
    C::ReasonCode,
    C::ClientId,
    C::Username,
    C::PeerName,
    C::SockName,
    C::ProtoName,
    C::ProtoVer,
    C::KeepAlive,
    C::CleanStart,
    C::ExpiryInterval,
    C::ConnectedAt,
    C::ConnProps,
    C::Timestamp,
    C::Node,
];
const PING: &[Column] = &[
    C::Event,
    C::ClientId,
    C::Username,
    C::PeerName,
    C::SockName,
    C::ProtoName,
    C::ProtoVer,
    C::KeepAlive,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
];
const AUTHN: &[Column] = &[
    C::Event,
    C::ClientId,
    C::Username,
    C::PeerName,
    C::ReasonCode,
    C::IsSuperuser,
    C::IsAnonymous,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
];
const AUTHZ: &[Column] = &[
    C::Event,
    C::ClientId,
    C::Username,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::Action,
    C::AuthzSource,
    C::Result,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
];
const SUBSCRIBED: &[Column] = &[
    C::Event,
    C::ClientId,
    C::Username,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::QoS,
    C::SubProps,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
];
const UNSUBSCRIBED: &[Column] = &[
    C::Event,
    C::ClientId,
    C::Username,
    C::PeerHost,
    C::PeerName,
    C::Topic,
    C::QoS,
    C::UnsubProps,
    C::Timestamp,
    C::Node,
    C::ClientAttrs,
];
const ACTIVATED: &[Column] =
    &[C::Event, C::Name, C::Message, C::Details, C::ActivatedAt, C::Timestamp, C::Node];
const DEACTIVATED: &[Column] = &[
    C::Event,
    C::Name,
    C::Message,
    C::Details,
    C::ActivatedAt,
    C::DeactivatedAt,
    C::Timestamp,
    C::Node,
];
const SOURCE: &[Column] = &[
    C::Event,
    C::Id,
    C::Server,
    C::Payload,
    C::Topic,
    C::QoS,
    C::Dup,
    C::Retain,
    C::PubProps,
    C::Key,
    C::Value,
    C::Headers,
    C::Offset,
    C::Ts,
    C::TsType,
    C::MessageReceivedAt,
    C::Timestamp,
    C::Node,
];

const fn info(
    event: Event,
    name: &'static str,
    topics: (&'static str, Option<&'static str>),
    title: Texts,
    sql_example: &'static str,
    columns: &'static [Column],
    test_columns: &'static [TestColumn],
) -> EventInfo {
    let (topic, old_topic) = topics;
    EventInfo { event, name, topic, old_topic, title, sql_example, columns, test_columns }
}

/// Every event, in the order in which `/rule_events` lists them.
pub const EVENTS: &[EventInfo] = &[
    info(
        Event::MessagePublish,
        "message.publish",
        ("$events/message_publish", None),
        texts("message publish", "消息发布"),
        r#"SELECT payload.msg as msg FROM "t/#" WHERE msg = 'hello'"#,
        PUBLISH,
        &[CLIENT_ID, USERNAME, TOPIC, QOS, PAYLOAD],
    ),
    info(
        Event::MessageDelivered,
        "message.delivered",
        ("$events/message/delivered", Some("$events/message_delivered")),
        texts("message delivered", "消息已投递"),
        r#"SELECT * FROM "$events/message/delivered" WHERE topic =~ 't/#'"#,
        DELIVERED,
        &[FROM_CLIENT_ID, FROM_USERNAME, TO_CLIENT_ID, TO_USERNAME, TOPIC, QOS, PAYLOAD],
    ),
    info(
        Event::MessageAcked,
        "message.acked",
        ("$events/message/acked", Some("$events/message_acked")),
        texts("message acknowledged", "消息应答"),
        r#"SELECT * FROM "$events/message/acked" WHERE topic =~ 't/#'"#,
        ACKED,
        &[FROM_CLIENT_ID, FROM_USERNAME, TO_CLIENT_ID, TO_USERNAME, TOPIC, QOS, PAYLOAD],
    ),
    info(
        Event::MessageDropped,
        "message.dropped",
        ("$events/message/dropped", Some("$events/message_dropped")),
        texts("message reached no subscriber", "消息转发丢弃"),
        r#"SELECT * FROM "$events/message/dropped" WHERE topic =~ 't/#'"#,
        DROPPED,
        &[
            test(C::Reason, r#""no_subscribers""#, "why the message was dropped", "丢弃的原因"),
            CLIENT_ID,
            USERNAME,
            TOPIC,
            QOS,
            PAYLOAD,
        ],
    ),
    info(
        Event::DeliveryDropped,
        "delivery.dropped",
        ("$events/message/delivery_dropped", Some("$events/delivery_dropped")),
        texts("message not delivered to one subscriber", "消息投递丢弃"),
        r#"SELECT * FROM "$events/message/delivery_dropped" WHERE topic =~ 't/#'"#,
        DELIVERY_DROPPED,
        &[
            test(C::Reason, r#""queue_full""#, "why the message was dropped", "丢弃的原因"),
            FROM_CLIENT_ID,
            FROM_USERNAME,
            TO_CLIENT_ID,
            TO_USERNAME,
            TOPIC,
            QOS,
            PAYLOAD,
        ],
    ),
    info(
        Event::ClientConnected,
        "client.connected",
        ("$events/client/connected", Some("$events/client_connected")),
        texts("client connected", "连接建立"),
        r#"SELECT * FROM "$events/client/connected""#,
        CONNECTED,
        &[
            CLIENT_ID,
            USERNAME,
            test(
                C::PeerName,
                r#""127.0.0.1:52918""#,
                "address and port of the client",
                "客户端的地址和端口",
            ),
        ],
    ),
    info(
        Event::ClientDisconnected,
        "client.disconnected",
        ("$events/client/disconnected", Some("$events/client_disconnected")),
        texts("client disconnected", "连接断开"),
        r#"SELECT * FROM "$events/client/disconnected""#,
        DISCONNECTED,
        &[
            CLIENT_ID,
            USERNAME,
            test(C::Reason, r#""normal""#, "why the connection ended", "断开的原因"),
        ],
    ),
    info(
        Event::ClientConnack,
        "client.connack",
        ("$events/client/connack", Some("$events/client_connack")),
        texts("client connack", "连接确认"),
        r#"SELECT * FROM "$events/client/connack""#,
        CONNACK,
        &[CLIENT_ID, USERNAME, REASON_CODE],
    ),
    info(
        Event::ClientPing,
        "client.ping",
        ("$events/client/ping", None),
        texts("client keep-alive", "客户端心跳"),
        r#"SELECT * FROM "$events/client/ping""#,
        PING,
        &[CLIENT_ID, USERNAME],
    ),
    info(
        Event::CheckAuthzComplete,
        "client.check_authz_complete",
        ("$events/auth/check_authz_complete", Some("$events/client_check_authz_complete")),
        texts("authorization decided", "授权结果"),
        r#"SELECT * FROM "$events/auth/check_authz_complete""#,
        AUTHZ,
        &[
            CLIENT_ID,
            USERNAME,
            test(C::Topic, r#""t/1""#, "the topic name or filter", "主题名或主题过滤器"),
            test(C::Action, r#""publish""#, "publish or subscribe", "发布或订阅"),
            test(C::Result, r#""allow""#, "allow or deny", "允许或拒绝"),
        ],
    ),
    info(
        Event::CheckAuthnComplete,
        "client.check_authn_complete",
        ("$events/auth/check_authn_complete", Some("$events/client_check_authn_complete")),
        texts("authentication decided", "认证结果"),
        r#"SELECT * FROM "$events/auth/check_authn_complete""#,
        AUTHN,
        &[
            CLIENT_ID,
            USERNAME,
            REASON_CODE,
            test(C::IsSuperuser, "true", "whether it is a superuser", "是否为超级用户"),
            test(C::IsAnonymous, "false", "whether it is anonymous", "是否匿名"),
        ],
    ),
    info(
        Event::SessionSubscribed,
        "session.subscribed",
        ("$events/session/subscribed", Some("$events/session_subscribed")),
        texts("session subscribed", "会话订阅完成"),
        r#"SELECT * FROM "$events/session/subscribed" WHERE topic =~ 't/#'"#,
        SUBSCRIBED,
        &[CLIENT_ID, USERNAME, TOPIC, QOS],
    ),
    info(
        Event::SessionUnsubscribed,
        "session.unsubscribed",
        ("$events/session/unsubscribed", Some("$events/session_unsubscribed")),
        texts("session unsubscribed", "会话取消订阅完成"),
        r#"SELECT * FROM "$events/session/unsubscribed" WHERE topic =~ 't/#'"#,
        UNSUBSCRIBED,
        &[CLIENT_ID, USERNAME, TOPIC, QOS],
    ),
    info(
        Event::AlarmActivated,
        "alarm.activated",
        ("$events/sys/alarm_activated", None),
        texts("alarm activated", "告警激活"),
        r#"SELECT * FROM "$events/sys/alarm_activated""#,
        ACTIVATED,
        &[
            test(C::Name, r#""high_cpu_usage""#, "the name of the alarm", "告警名称"),
            test(C::Message, r#""80% cpu usage""#, "what is the matter", "告警内容"),
        ],
    ),
    info(
        Event::AlarmDeactivated,
        "alarm.deactivated",
        ("$events/sys/alarm_deactivated", None),
        texts("alarm deactivated", "告警解除"),
        r#"SELECT * FROM "$events/sys/alarm_deactivated""#,
        DEACTIVATED,
        &[
            test(C::Name, r#""high_cpu_usage""#, "the name of the alarm", "告警名称"),
            test(C::Message, r#""80% cpu usage""#, "what is the matter", "告警内容"),
        ],
    ),
    info(
        Event::Source,
        "$bridges/mqtt:*",
        ("$bridges/mqtt:*", None),
        texts("message from a source", "来自数据源的消息"),
        r#"SELECT * FROM "$bridges/mqtt:my_mqtt_bridge" WHERE topic =~ 't/#'"#,
        SOURCE,
        &[TOPIC, QOS, PAYLOAD],
    ),
];

/// Octets that begin what a source is called in FROM.
pub(crate) const SOURCES: [&str; 2] = ["$bridges/", "$sources/"];
pub(crate) const EVENT_PREFIX: &str = "$events/";

impl Event {
    /// Everything about it.
    #[must_use]
    pub fn info(self) -> &'static EventInfo {
        // Every event has its entry; a test goes through them.
        EVENTS.iter().find(|info| info.event == self).unwrap_or(&EVENTS[0])
    }

    /// Its name as the column `event` has it, such as `client.connected`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// What `*` stands for.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        self.info().columns
    }

    /// The event that is called `topic` behind FROM, by its old or its new name.
    #[must_use]
    pub fn from_topic(topic: &str) -> Option<Self> {
        let of_source = SOURCES.iter().any(|prefix| topic.starts_with(prefix));
        if of_source {
            return Some(Self::Source);
        }
        let found = EVENTS.iter().find(|info| info.topic == topic || info.old_topic == Some(topic));
        found.map(|info| info.event)
    }

    /// Columns with the examples that `/rule_events` shows and `/rule_test` starts from.
    ///
    /// Times are `now_ms`, milliseconds since 1970.
    #[must_use]
    pub fn example(self, now_ms: i64) -> Record<'static> {
        let mut record = Record::new(self);
        for column in self.columns() {
            if *column != Column::Event {
                record.set(*column, column_example(self, *column, now_ms));
            }
        }
        record
    }
}

fn column_example(event: Event, column: Column, now_ms: i64) -> Value<'static> {
    let tested = event.info().test_columns.iter().find(|test| test.column == column);
    if let Some(test) = tested {
        return crate::json::decode(test.example.as_bytes()).unwrap_or_default();
    }
    let json = match column {
        C::Id => r#""0005E27C1D24E44FF440000017520000""#,
        C::PeerHost => r#""192.168.0.10""#,
        C::PeerName => r#""192.168.0.10:32781""#,
        C::SockName => r#""0.0.0.0:1883""#,
        C::Flags => r#"{"retain":false,"dup":false}"#,
        C::PubProps => {
            r#"{"Payload-Format-Indicator":0,"Message-Expiry-Interval":30,"User-Property":{"foo":"bar"},"User-Property-Pairs":[{"key":"foo","value":"bar"}]}"#
        }
        C::PubackProps => r#"{"Reason-String":"OK","User-Property":{"foo":"bar"}}"#,
        C::ConnProps => {
            r#"{"Session-Expiry-Interval":7200,"Receive-Maximum":32,"User-Property":{"foo":"bar"}}"#
        }
        C::DisconnProps => {
            r#"{"Session-Expiry-Interval":7200,"Reason-String":"Redirect to another server","User-Property":{"foo":"bar"}}"#
        }
        C::SubProps | C::UnsubProps => r#"{"User-Property":{"foo":"bar"}}"#,
        C::Node => r#""rookery@127.0.0.1""#,
        C::ClientAttrs => r#"{"test":"example"}"#,
        C::OriginLink => r#""eu-west""#,
        C::ProtoName => r#""MQTT""#,
        C::ProtoVer => "5",
        C::KeepAlive => "60",
        C::CleanStart => "true",
        C::ExpiryInterval => "3600",
        C::IsBridge | C::Dup | C::Retain => "false",
        C::AuthzSource => r#""cache""#,
        C::Server => r#""192.168.0.10:1883""#,
        C::Details => "{}",
        C::PublishReceivedAt
        | C::Timestamp
        | C::ConnectedAt
        | C::DisconnectedAt
        | C::MessageReceivedAt
        | C::ActivatedAt
        | C::DeactivatedAt => return Value::from(now_ms),
        _ => return Value::Undefined,
    };
    crate::json::decode(json.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Source as _;

    #[test]
    fn every_event_is_found_by_each_of_its_names_and_has_its_columns() {
        for info in EVENTS {
            assert_eq!(info.event.info().name, info.name);
            for topic in [Some(info.topic), info.old_topic].into_iter().flatten() {
                assert_eq!(Event::from_topic(topic), Some(info.event), "{topic}");
            }
            for test in info.test_columns {
                assert!(info.columns.contains(&test.column), "{} {:?}", info.name, test.column);
                assert!(crate::json::decode(test.example.as_bytes()).is_some());
            }
            crate::compile(info.sql_example).expect(info.name);
        }
    }

    #[test]
    fn the_example_of_an_event_has_its_columns() {
        let example = Event::ClientConnected.example(1_645_002_753_259);
        assert_eq!(example.columns().len(), CONNECTED.len());
        assert!(matches!(example.column(Column::KeepAlive), Value::Int(60)));
        let published = Event::MessagePublish.example(0);
        assert!(published.columns().contains(&Column::OriginLink));
        assert!(!published.column(Column::OriginLink).is_undefined());
    }
}
