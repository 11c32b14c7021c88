//! A bare node for benchmarks and tests of the core: no Python, no configuration file.
//!
//! `rookery-node-dev [--port P] [--ws-port P] [--workers N] [--data-dir DIR] [--sync always|never]`
//! `[--tls-port P] [--wss-port P] [--cert FILE] [--key FILE] [--client-ca FILE]`

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use rookery_core::config::{BrokerConfig, ZoneConfig};
use rookery_node::Node;
use rookery_node::api::{
    DurabilityConfig, ListenerConfig, ListenerKind, NodeConfig, SyncPolicy, TlsConfig, TlsVerify,
    TlsVersion, WebSocketConfig,
};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<std::convert::Infallible, Box<dyn std::error::Error>> {
    let mut port = 0;
    let mut ws_port = None;
    let mut tls_port = None;
    let mut wss_port = None;
    let mut cert = std::path::PathBuf::new();
    let mut key = std::path::PathBuf::new();
    let mut client_ca = None;
    let mut workers = 1;
    let mut dir = None;
    let mut sync = SyncPolicy::Interval(Duration::from_millis(100));
    let mut args = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        match name.as_str() {
            "--port" => port = value.parse()?,
            "--ws-port" => ws_port = Some(value.parse()?),
            "--tls-port" => tls_port = Some(value.parse()?),
            "--wss-port" => wss_port = Some(value.parse()?),
            "--cert" => cert = value.into(),
            "--key" => key = value.into(),
            "--client-ca" => client_ca = Some(std::path::PathBuf::from(value)),
            "--workers" => workers = value.parse()?,
            "--data-dir" => dir = Some(std::path::PathBuf::from(value)),
            "--sync" if value == "always" => sync = SyncPolicy::Always,
            "--sync" if value == "never" => sync = SyncPolicy::Never,
            _ => return Err(format!("unknown option {name} {value}").into()),
        }
    }
    let listener = |id: &str, kind: ListenerKind, port: u16| ListenerConfig {
        id: id.to_owned(),
        kind,
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into(),
        ..ListenerConfig::default()
    };
    let tls = Some(TlsConfig {
        certfile: cert,
        keyfile: key,
        verify: if client_ca.is_some() { TlsVerify::Peer } else { TlsVerify::None },
        fail_if_no_peer_cert: client_ca.is_some(),
        cacertfile: client_ca,
        password: None,
        depth: 6,
        versions: vec![TlsVersion::V12, TlsVersion::V13],
        ciphers: Vec::new(),
        crlfile: None,
        handshake_timeout_ms: 15_000,
        sni: Vec::new(),
        session_tickets: true,
    });
    let ws = WebSocketConfig::default();
    let mut listeners = vec![listener("tcp:default", ListenerKind::Tcp, port)];
    if let Some(port) = ws_port {
        listeners.push(listener("ws:default", ListenerKind::WebSocket(ws.clone()), port));
    }
    if let Some(port) = tls_port {
        let plain = listener("ssl:default", ListenerKind::Tcp, port);
        listeners.push(ListenerConfig { tls: tls.clone(), ..plain });
    }
    if let Some(port) = wss_port {
        let plain = listener("wss:default", ListenerKind::WebSocket(ws), port);
        listeners.push(ListenerConfig { tls, ..plain });
    }
    let zone = ZoneConfig { name: "default".into(), ..ZoneConfig::default() };
    let node = Node::start(NodeConfig {
        broker: BrokerConfig {
            node_name: "dev@127.0.0.1".into(),
            zones: vec![zone],
            ..BrokerConfig::default()
        },
        listeners,
        workers,
        durability: DurabilityConfig { dir, sync, max_disk_bytes: 0 },
    })?;
    for listener in node.listeners() {
        println!("listening {} {}", listener.id, listener.bind);
    }
    loop {
        // Only a signal ends it.
        std::thread::park();
    }
}
