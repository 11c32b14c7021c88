//! A bare node for benchmarks and tests of the core: no Python, no configuration file.
//!
//! `rookery-node-dev [--port P] [--ws-port P] [--workers N] [--data-dir DIR] [--sync always|never]`
//! `[--tls-port P] [--wss-port P] [--cert FILE] [--key FILE] [--client-ca FILE]`
//! `[--quiet-rules N]`

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use rookery_core::config::{BrokerConfig, ZoneConfig};
use rookery_core::rules::Surroundings;
use rookery_node::api::{
    DurabilityConfig, ListenerConfig, ListenerKind, NodeConfig, SyncPolicy, TlsConfig, TlsVerify,
    TlsVersion, WebSocketConfig,
};
use rookery_node::{Node, OutputSpec, RuleSpec};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The command line.
struct Options {
    port: u16,
    ws_port: Option<u16>,
    tls_port: Option<u16>,
    wss_port: Option<u16>,
    cert: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
    workers: usize,
    dir: Option<PathBuf>,
    sync: SyncPolicy,
    quiet_rules: usize,
}

impl Options {
    fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let mut options = Self {
            port: 0,
            ws_port: None,
            tls_port: None,
            wss_port: None,
            cert: PathBuf::new(),
            key: PathBuf::new(),
            client_ca: None,
            workers: 1,
            dir: None,
            sync: SyncPolicy::Interval(Duration::from_millis(100)),
            quiet_rules: 0,
        };
        let mut args = std::env::args().skip(1);
        while let (Some(name), Some(value)) = (args.next(), args.next()) {
            match name.as_str() {
                "--port" => options.port = value.parse()?,
                "--ws-port" => options.ws_port = Some(value.parse()?),
                "--tls-port" => options.tls_port = Some(value.parse()?),
                "--wss-port" => options.wss_port = Some(value.parse()?),
                "--cert" => options.cert = value.into(),
                "--key" => options.key = value.into(),
                "--client-ca" => options.client_ca = Some(value.into()),
                "--workers" => options.workers = value.parse()?,
                "--data-dir" => options.dir = Some(value.into()),
                "--sync" if value == "always" => options.sync = SyncPolicy::Always,
                "--quiet-rules" => options.quiet_rules = value.parse()?,
                "--sync" if value == "never" => options.sync = SyncPolicy::Never,
                _ => return Err(format!("unknown option {name} {value}").into()),
            }
        }
        Ok(options)
    }

    fn listeners(&self) -> Vec<ListenerConfig> {
        let ws = || ListenerKind::WebSocket(WebSocketConfig::default());
        let tls = Some(TlsConfig {
            certfile: self.cert.clone(),
            keyfile: self.key.clone(),
            verify: if self.client_ca.is_some() { TlsVerify::Peer } else { TlsVerify::None },
            fail_if_no_peer_cert: self.client_ca.is_some(),
            cacertfile: self.client_ca.clone(),
            password: None,
            depth: 6,
            versions: vec![TlsVersion::V12, TlsVersion::V13],
            ciphers: Vec::new(),
            crlfile: None,
            handshake_timeout_ms: 15_000,
            sni: Vec::new(),
            session_tickets: true,
        });
        let all = [
            ("tcp:default", ListenerKind::Tcp, None, Some(self.port)),
            ("ws:default", ws(), None, self.ws_port),
            ("ssl:default", ListenerKind::Tcp, tls.clone(), self.tls_port),
            ("wss:default", ws(), tls, self.wss_port),
        ];
        let wanted = all.into_iter().filter_map(|(id, kind, tls, port)| {
            let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, port?)).into();
            Some(ListenerConfig { id: id.into(), kind, bind, tls, ..ListenerConfig::default() })
        });
        wanted.collect()
    }
}

/// A rule that wants nothing of what is published to measure.
fn quiet_rule(n: usize) -> RuleSpec {
    let sql = format!(r#"SELECT * FROM "quiet/{n}/+" WHERE payload.t > {n}"#);
    RuleSpec { id: format!("quiet_{n}"), sql, enable: true, outputs: vec![OutputSpec::Console] }
}

fn main() -> Result<std::convert::Infallible, Box<dyn std::error::Error>> {
    let options = Options::read()?;
    let zone = ZoneConfig { name: "default".into(), ..ZoneConfig::default() };
    let node = Node::start(NodeConfig {
        broker: BrokerConfig {
            node_name: "dev@127.0.0.1".into(),
            zones: vec![zone],
            ..BrokerConfig::default()
        },
        listeners: options.listeners(),
        workers: options.workers,
        durability: DurabilityConfig { dir: options.dir, sync: options.sync, max_disk_bytes: 0 },
    })?;
    node.put_rules((0..options.quiet_rules).map(quiet_rule).collect(), Surroundings::default())?;
    for listener in node.listeners() {
        println!("listening {} {}", listener.id, listener.bind);
    }
    loop {
        // Only a signal ends it.
        std::thread::park();
    }
}
