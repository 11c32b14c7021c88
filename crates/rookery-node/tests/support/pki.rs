//! A certificate authority for tests, and clients that speak TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rookery_codec::{AckKind, Connect, Packet, QoS, Version, decode, parse_header};
use rookery_node::Node;
use rookery_node::api::{
    Bind, DurabilityConfig, ListenerConfig, NodeConfig, SyncPolicy, TlsConfig, TlsVerify,
    TlsVersion,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::{DEADLINE, Dir, config};

/// A CA whose files lie in a directory that goes with the test.
pub struct Pki {
    pub dir: Dir,
    ca: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, both PEM.
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Pki {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let pki = Self { dir: Dir::new(), ca };
        pki.write("ca.pem", &pki.ca_pem());
        pki
    }

    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// A certificate of this CA; until the end of `year`.
    pub fn issue(&self, name: &str, serial: u8, year: i32) -> Pair {
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(vec![serial]));
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.ca).unwrap();
        Pair { cert: cert.pem(), key: key.serialize_pem() }
    }

    /// A list that revokes these serial numbers.
    pub fn crl(&self, serials: &[u8]) -> String {
        let revoked = |serial: &u8| RevokedCertParams {
            serial_number: SerialNumber::from(vec![*serial]),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(vec![1]),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.ca).unwrap().pem().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.0.join(name)
    }

    /// Puts a file there in one step, as tools do that rotate certificates.
    pub fn write(&self, name: &str, text: &str) {
        let beside = self.path(&format!("{name}.new"));
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, self.path(name)).unwrap();
    }

    /// Settings of a listener whose files are `server.pem` and `server.key`.
    pub fn settings(&self) -> TlsConfig {
        TlsConfig {
            certfile: self.path("server.pem"),
            keyfile: self.path("server.key"),
            cacertfile: None,
            password: None,
            verify: TlsVerify::None,
            fail_if_no_peer_cert: false,
            depth: 6,
            versions: vec![TlsVersion::V12, TlsVersion::V13],
            ciphers: Vec::new(),
            crlfile: None,
            handshake_timeout_ms: 15_000,
            sni: Vec::new(),
            session_tickets: true,
        }
    }

    /// The same for clients that have to show a certificate of this CA.
    pub fn mutual_settings(&self) -> TlsConfig {
        TlsConfig {
            cacertfile: Some(self.path("ca.pem")),
            verify: TlsVerify::Peer,
            fail_if_no_peer_cert: true,
            ..self.settings()
        }
    }

    pub fn write_server(&self, pair: &Pair) {
        self.write("server.key", &pair.key);
        self.write("server.pem", &pair.cert);
    }

    /// What a client that trusts this CA begins with.
    pub fn client(&self, pair: Option<&Pair>) -> Arc<ClientConfig> {
        self.client_of(pair, rustls::DEFAULT_VERSIONS)
    }

    pub fn client_of(
        &self,
        pair: Option<&Pair>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match pair {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = CertificateDer::pem_slice_iter(pair.cert.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain.map(Result::unwrap).collect(), key).unwrap()
            }
        })
    }
}

pub fn listener(id: &str, tls: Option<TlsConfig>) -> ListenerConfig {
    ListenerConfig { id: id.into(), tls, ..ListenerConfig::default() }
}

pub fn start_with(listeners: Vec<ListenerConfig>, workers: usize) -> Node {
    try_start(listeners, workers).unwrap()
}

pub fn try_start(
    listeners: Vec<ListenerConfig>,
    workers: usize,
) -> Result<Node, rookery_node::api::NodeError> {
    let durability = DurabilityConfig { dir: None, sync: SyncPolicy::Never, max_disk_bytes: 0 };
    Node::start(NodeConfig { broker: config(), listeners, workers, durability })
}

pub fn address(node: &Node, id: &str) -> SocketAddr {
    let all = node.listeners();
    let found = all.into_iter().find(|l| l.id == id).unwrap_or_else(|| panic!("no listener {id}"));
    let Bind::Inet(address) = found.bind else { panic!("{id} has no port") };
    address
}

/// A client over TLS.
pub struct TlsClient {
    pub tls: ClientConnection,
    pub socket: TcpStream,
    version: Version,
    buffer: Vec<u8>,
}

impl TlsClient {
    /// Before the handshake.
    pub fn raw(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(config.clone(), name).unwrap();
        Self { tls, socket, version: Version::V5, buffer: Vec::new() }
    }

    /// An admitted client, or why there is none.
    pub fn connect(
        address: SocketAddr,
        config: &Arc<ClientConfig>,
        client_id: &str,
    ) -> std::io::Result<Self> {
        let mut client = Self::raw(address, config);
        client.send(|out| Connect::new(Version::V5, client_id).encode(out))?;
        let (first, body) = client.read()?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let Packet::ConnAck(ack) = decode(first, &body, Version::V5).unwrap() else { panic!() };
        assert!(!ack.reason.is_error(), "{:?}", ack.reason);
        Ok(client)
    }

    pub fn send(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> std::io::Result<()> {
        let mut out = Vec::new();
        encode(&mut out);
        let mut stream = rustls::Stream::new(&mut self.tls, &mut self.socket);
        stream.write_all(&out)?;
        stream.flush()
    }

    /// The next packet: first byte and body; none when the broker closed as it should.
    pub fn read(&mut self) -> std::io::Result<Option<(u8, Vec<u8>)>> {
        loop {
            if let Some(header) = parse_header(&self.buffer).unwrap()
                && self.buffer.len() >= header.total_len()
            {
                let rest = self.buffer.split_off(header.total_len());
                let body = std::mem::replace(&mut self.buffer, rest).split_off(header.header_len);
                return Ok(Some((header.first, body)));
            }
            let mut bytes = [0; 16_384];
            let mut stream = rustls::Stream::new(&mut self.tls, &mut self.socket);
            match stream.read(&mut bytes)? {
                0 => return Ok(None),
                n => self.buffer.extend_from_slice(&bytes[..n]),
            }
        }
    }

    /// Whether the broker answers.
    pub fn ping(&mut self) -> std::io::Result<()> {
        self.send(rookery_codec::encode_pingreq)?;
        let (first, body) = self.read()?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        assert!(matches!(decode(first, &body, self.version).unwrap(), Packet::PingResp));
        Ok(())
    }

    pub fn subscribe(&mut self, filter: &str) {
        let mut wanted = rookery_codec::SubscribeFiltersBuf::default();
        let options = rookery_codec::SubscriptionOptions {
            qos: QoS::AtLeastOnce,
            ..rookery_codec::SubscriptionOptions::default()
        };
        wanted.push(filter, options);
        let version = self.version;
        self.send(|out| rookery_codec::Subscribe::new(1, &wanted).encode(version, out)).unwrap();
        let (first, body) = self.read().unwrap().unwrap();
        assert!(matches!(decode(first, &body, version).unwrap(), Packet::SubAck(_)));
    }

    pub fn publish(&mut self, topic: &str, packet_id: u16, payload: &[u8]) {
        let publish = rookery_codec::Publish {
            qos: QoS::AtLeastOnce,
            topic,
            packet_id,
            payload,
            ..rookery_codec::Publish::default()
        };
        let version = self.version;
        self.send(|out| publish.encode(version, out)).unwrap();
    }

    /// The payload of the next PUBLISH, acknowledged.
    pub fn receive(&mut self) -> Vec<u8> {
        loop {
            let (first, body) = self.read().unwrap().expect("PUBLISH");
            let (packet_id, payload) = match decode(first, &body, self.version).unwrap() {
                Packet::Publish(publish) => (publish.packet_id, publish.payload.to_vec()),
                _ => continue,
            };
            let version = self.version;
            let ack = rookery_codec::Ack { packet_id, ..rookery_codec::Ack::default() };
            self.send(|out| ack.encode(AckKind::PubAck, version, out)).unwrap();
            return payload;
        }
    }

    /// The reason code of the DISCONNECT that the broker sends.
    pub fn expect_disconnect(&mut self) -> u8 {
        loop {
            let (first, body) = self.read().unwrap().expect("DISCONNECT");
            if let Packet::Disconnect(disconnect) = decode(first, &body, self.version).unwrap() {
                return disconnect.reason.0;
            }
        }
    }
}
