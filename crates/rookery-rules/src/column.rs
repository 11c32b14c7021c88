//! The columns that sources have: names as EMQX documents them.

macro_rules! columns {
    ($($variant:ident = $name:literal,)*) => {
        /// A column of a message or an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Column {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Column {
            /// Every column there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in SQL.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The column that is called `name`.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

columns! {
    Event = "event",
    Id = "id",
    ClientId = "clientid",
    Username = "username",
    Payload = "payload",
    PeerHost = "peerhost",
    PeerName = "peername",
    SockName = "sockname",
    Topic = "topic",
    QoS = "qos",
    Flags = "flags",
    PublishReceivedAt = "publish_received_at",
    PubProps = "pub_props",
    PubackProps = "puback_props",
    ConnProps = "conn_props",
    DisconnProps = "disconn_props",
    SubProps = "sub_props",
    UnsubProps = "unsub_props",
    Timestamp = "timestamp",
    Node = "node",
    OriginLink = "origin_link",
    ClientAttrs = "client_attrs",
    FromClientId = "from_clientid",
    FromUsername = "from_username",
    Reason = "reason",
    ReasonCode = "reason_code",
    MountPoint = "mountpoint",
    ProtoName = "proto_name",
    ProtoVer = "proto_ver",
    KeepAlive = "keepalive",
    CleanStart = "clean_start",
    ExpiryInterval = "expiry_interval",
    IsBridge = "is_bridge",
    ConnectedAt = "connected_at",
    DisconnectedAt = "disconnected_at",
    Action = "action",
    AuthzSource = "authz_source",
    Result = "result",
    IsSuperuser = "is_superuser",
    IsAnonymous = "is_anonymous",
    Server = "server",
    Dup = "dup",
    Retain = "retain",
    MessageReceivedAt = "message_received_at",
    Name = "name",
    Message = "message",
    Details = "details",
    ActivatedAt = "activated_at",
    DeactivatedAt = "deactivated_at",
    Headers = "headers",
    Key = "key",
    Value = "value",
    Offset = "offset",
    Ts = "ts",
    TsType = "ts_type",
    Metadata = "metadata",
}
