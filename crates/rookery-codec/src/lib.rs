//! MQTT 3.1, 3.1.1 and 5.0 packets to and from bytes, without I/O.
//!
//! Owns the wire format: framing, packets, properties, reason codes, topic syntax, and in [`ws`]
//! the WebSocket framing and in [`proxy`] the balancer's header that may lie below.
//! It does **not** own state: packet order, packet identifiers in use, topic alias tables and
//! negotiated limits belong to the channel that calls it. It reads no clock and no socket.
//!
//! **Invariants.** Decoding borrows from the input and allocates nothing. A decoded packet keeps
//! every rule that one packet alone can break. No input makes it panic. A packet that is not yet
//! complete is `Ok(None)` from [`parse_header`], never an error.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::indexing_slicing))]

mod encode;
mod error;
mod fields;
mod frame;
mod packet;
mod property;
pub mod proxy;
mod qos;
mod reader;
mod reason;
mod reason_set;
mod topic;
mod user_properties;
pub mod varint;
mod version;
pub mod ws;

pub use encode::{
    AckKind, PublishHead, encode_ack, encode_pingreq, encode_pingresp, encode_publish_head,
    publish_len,
};
pub use error::DecodeError;
pub use fields::Fields;
pub use frame::{FrameHeader, packet_type, parse_header};
pub use packet::{
    Ack, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, Packet, Publish,
    PublishProperties, SubAck, SubIds, SubIdsIter, Subscribe, SubscribeFilter, SubscribeFilters,
    SubscribeFiltersBuf, SubscriptionOptions, UnsubAck, Unsubscribe, UnsubscribeFilters,
    UnsubscribeFiltersBuf, Will, decode, decode_ack, decode_publish,
};
pub use qos::QoS;
pub use reason::ReasonCode;
pub use topic::{
    ParsedFilter, TOPIC_BYTES_MAX, TopicError, check_topic_filter, check_topic_name,
    filter_matches, levels, parse_filter,
};
pub use user_properties::{UserProperties, UserPropertiesBuf, UserPropertiesIter};
pub use version::Version;
