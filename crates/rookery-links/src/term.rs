//! Erlang's external term format, as far as links use it.
//!
//! A peer writes terms with `term_to_binary`, and reads ours with `binary_to_term(…, [safe])`: an
//! atom that it does not know makes it drop the whole term, so only those of [`Atom`] are written.
//! Atoms that come and are none of those are read as [`Atom::Other`]; their text is not kept.
//!
//! **Bounds.** [`Limits`] hold for every term: octets when decompressed, depth, and terms in all,
//! which bounds lists, tuples and maps. A length is believed only as far as there are octets for it.

use std::borrow::Cow;

use crate::write::{VERSION, Writer, compressed, tag};

/// How deeply terms may lie in each other.
pub const DEPTH_MAX: usize = 24;

macro_rules! atoms {
    ($($name:ident = $text:literal,)*) => {
        /// Atoms that both sides know.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names are the protocol's")]
        pub enum Atom { $($name,)* /** One that means nothing here. */ Other }

        impl Atom {
            /// Its text. One that is not known is written as `undefined`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Other => "undefined" }
            }

            fn of(name: &[u8]) -> Self {
                $(if name == $text.as_bytes() { return Self::$name; })*
                Self::Other
            }

            /// All that are known.
            pub const KNOWN: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

atoms! {
    True = "true",
    False = "false",
    Undefined = "undefined",
    Ok = "ok",
    Error = "error",
    Op = "$op",
    Message = "message",
    Dup = "dup",
    Retain = "retain",
    Sys = "sys",
    Properties = "properties",
    ProtoVer = "proto_ver",
    Protocol = "protocol",
    Mqtt = "mqtt",
    Username = "username",
    PayloadFormatIndicator = "Payload-Format-Indicator",
    MessageExpiryInterval = "Message-Expiry-Interval",
    ContentType = "Content-Type",
    ResponseTopic = "Response-Topic",
    CorrelationData = "Correlation-Data",
    UserProperty = "User-Property",
}

/// A term; texts and binaries are borrowed from what was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Term<'a> {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// An atom.
    Atom(Atom),
    /// A binary.
    Binary(&'a [u8]),
    /// A list.
    List(Vec<Term<'a>>),
    /// A tuple.
    Tuple(Vec<Term<'a>>),
    /// A map.
    Map(Vec<(Term<'a>, Term<'a>)>),
}

/// What a term may be.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    /// Octets when it is decompressed.
    pub bytes: usize,
    /// Terms in it, each member of a list and each key of a map counted.
    pub terms: usize,
}

/// Why octets are no term that is taken.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermError {
    /// It ends before it is complete, or goes on behind its end.
    #[error("it is cut off, or something follows it")]
    Length,
    /// It is none of format version 131.
    #[error("it is no Erlang term")]
    Version,
    /// A kind of term that links do not use.
    #[error("it holds a kind of term that links do not use (tag {0})")]
    Tag(u8),
    /// Larger, deeper or longer than may be.
    #[error("it is larger or deeper than may be")]
    TooLarge,
    /// It cannot be decompressed.
    #[error("it cannot be decompressed")]
    Compression,
    /// An integer that does not fit into 64 bits.
    #[error("it holds an integer of more than 64 bits")]
    Integer,
}

/// The octets of a term without its version, decompressed.
///
/// # Errors
///
/// It is no term, cannot be decompressed, or is larger than `limits` say.
pub fn open(bytes: &[u8], limits: Limits) -> Result<Cow<'_, [u8]>, TermError> {
    let (version, body) = bytes.split_first().ok_or(TermError::Length)?;
    if *version != VERSION {
        return Err(TermError::Version);
    }
    if body.len() > limits.bytes {
        return Err(TermError::TooLarge);
    }
    let Some((&tag::COMPRESSED, rest)) = body.split_first() else { return Ok(body.into()) };
    let (len, packed) = rest.split_first_chunk::<4>().ok_or(TermError::Length)?;
    let len = u32::from_be_bytes(*len) as usize;
    if len > limits.bytes {
        return Err(TermError::TooLarge);
    }
    // What says that it is shorter than it is fails as soon as it is longer.
    let plain = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, len)
        .map_err(|_| TermError::Compression)?;
    if plain.len() == len { Ok(plain.into()) } else { Err(TermError::Compression) }
}

/// Reads what [`open`] gave.
///
/// # Errors
///
/// It is no term of the kinds that links use, or goes beyond `limits`.
pub fn decode(plain: &[u8], limits: Limits) -> Result<Term<'_>, TermError> {
    let mut reader = Reader { rest: plain, left: limits.terms };
    let term = reader.term(DEPTH_MAX)?;
    if reader.rest.is_empty() { Ok(term) } else { Err(TermError::Length) }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Terms that may still come.
    left: usize,
}

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], TermError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(TermError::Length)?;
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], TermError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(TermError::Length)?;
        self.rest = rest;
        Ok(head)
    }

    fn u8(&mut self) -> Result<usize, TermError> {
        self.array::<1>().map(|[octet]| octet.into())
    }

    fn u16(&mut self) -> Result<usize, TermError> {
        self.array().map(|octets| u16::from_be_bytes(octets).into())
    }

    fn u32(&mut self) -> Result<usize, TermError> {
        self.array().map(|octets| u32::from_be_bytes(octets) as usize)
    }

    fn term(&mut self, depth: usize) -> Result<Term<'a>, TermError> {
        self.left = self.left.checked_sub(1).ok_or(TermError::TooLarge)?;
        let depth = depth.checked_sub(1).ok_or(TermError::TooLarge)?;
        let [kind] = self.array()?;
        Ok(match kind {
            tag::SMALL_INT => Term::Int(self.array::<1>().map(|[octet]| octet.into())?),
            tag::INT => Term::Int(i32::from_be_bytes(self.array()?).into()),
            tag::SMALL_BIG => self.big()?,
            tag::FLOAT => Term::Float(f64::from_be_bytes(self.array()?)),
            tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8 => {
                let len = self.u8()?;
                Term::Atom(Atom::of(self.take(len)?))
            }
            tag::ATOM | tag::ATOM_UTF8 => {
                let len = self.u16()?;
                Term::Atom(Atom::of(self.take(len)?))
            }
            tag::BINARY => {
                let len = self.u32()?;
                Term::Binary(self.take(len)?)
            }
            tag::NIL => Term::List(Vec::new()),
            tag::STRING => {
                let len = self.u16()?;
                self.left = self.left.checked_sub(len).ok_or(TermError::TooLarge)?;
                Term::List(self.take(len)?.iter().map(|o| Term::Int((*o).into())).collect())
            }
            tag::LIST => {
                let len = self.u32()?;
                let members = self.members(len, depth)?;
                // Only a proper list: nothing here means one with another end.
                match self.array()? {
                    [tag::NIL] => Term::List(members),
                    [other] => return Err(TermError::Tag(other)),
                }
            }
            tag::SMALL_TUPLE => {
                let len = self.u8()?;
                Term::Tuple(self.members(len, depth)?)
            }
            tag::LARGE_TUPLE => {
                let len = self.u32()?;
                Term::Tuple(self.members(len, depth)?)
            }
            tag::MAP => self.map(depth)?,
            other => return Err(TermError::Tag(other)),
        })
    }

    fn big(&mut self) -> Result<Term<'a>, TermError> {
        let (len, [sign]) = (self.u8()?, self.array()?);
        let mut octets = [0; 8];
        for (at, octet) in self.take(len)?.iter().enumerate() {
            match octets.get_mut(at) {
                Some(place) => *place = *octet,
                None if *octet == 0 => {}
                None => return Err(TermError::Integer),
            }
        }
        let value = i128::from(u64::from_le_bytes(octets));
        let value = if sign == 0 { value } else { -value };
        i64::try_from(value).map(Term::Int).map_err(|_| TermError::Integer)
    }

    /// Each member takes an octet at least, so a length beyond what is left is none.
    fn bound(&self, members: usize) -> Result<(), TermError> {
        if members > self.left {
            return Err(TermError::TooLarge);
        }
        if members > self.rest.len() { Err(TermError::Length) } else { Ok(()) }
    }

    fn members(&mut self, len: usize, depth: usize) -> Result<Vec<Term<'a>>, TermError> {
        self.bound(len)?;
        (0..len).map(|_| self.term(depth)).collect()
    }

    fn map(&mut self, depth: usize) -> Result<Term<'a>, TermError> {
        let len = self.u32()?;
        self.bound(len.saturating_mul(2))?;
        let pairs: Result<_, _> =
            (0..len).map(|_| Ok((self.term(depth)?, self.term(depth)?))).collect();
        pairs.map(Term::Map)
    }
}

impl<'a> Term<'a> {
    /// The value of a key of a map.
    #[must_use]
    pub fn get(&self, key: &Term<'_>) -> Option<&Term<'a>> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// A binary that is text.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        let Self::Binary(bytes) = self else { return None };
        std::str::from_utf8(bytes).ok()
    }

    /// An integer.
    #[must_use]
    pub const fn int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    fn write(&self, out: &mut Writer<'_>) {
        match self {
            Self::Int(value) => out.int(*value),
            Self::Float(value) => out.float(*value),
            Self::Atom(atom) => out.atom(*atom),
            Self::Binary(bytes) => out.binary(bytes),
            Self::List(members) => {
                if !members.is_empty() {
                    out.list(members.len());
                    members.iter().for_each(|member| member.write(out));
                }
                out.nil();
            }
            Self::Tuple(members) => {
                out.tuple(members.len());
                members.iter().for_each(|member| member.write(out));
            }
            Self::Map(pairs) => {
                out.map(pairs.len());
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
        }
    }

    /// As `term_to_binary(Term)` writes it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.write(&mut Writer(&mut out));
        out
    }

    /// As `term_to_binary(Term, [compressed])` writes it.
    #[must_use]
    pub fn encode_compressed(&self) -> Vec<u8> {
        compressed(self.encode())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { bytes: 1 << 20, terms: 10_000 };

    fn check(bytes: &[u8], want: Result<Term<'_>, TermError>) {
        let found = open(bytes, LIMITS).and_then(|plain| match decode(&plain, LIMITS) {
            Ok(term) => {
                assert_eq!(Ok(&term), want.as_ref(), "{bytes:?}");
                Ok(())
            }
            Err(error) => Err(error),
        });
        assert_eq!(found.err(), want.err(), "{bytes:?}");
    }

    #[test]
    fn every_kind_of_term_that_links_use() {
        check(&[131, 97, 7], Ok(Term::Int(7)));
        check(&[131, 98, 0xFF, 0xFF, 0xFF, 0xFE], Ok(Term::Int(-2)));
        check(&[131, 110, 6, 0, 0x80, 0x36, 0xC2, 0x83, 0x98, 1], Ok(Term::Int(1_754_557_200_000)));
        check(&[131, 110, 1, 1, 5], Ok(Term::Int(-5)));
        check(&[131, 110, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], Ok(Term::Int(1)));
        check(&[131, 70, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0], Ok(Term::Float(1.5)));
        for atom in [
            &[131, 100, 0, 4, b't', b'r', b'u', b'e'][..],
            &[131, 118, 0, 4, b't', b'r', b'u', b'e'],
            &[131, 115, 4, b't', b'r', b'u', b'e'],
            &[131, 119, 4, b't', b'r', b'u', b'e'],
        ] {
            check(atom, Ok(Term::Atom(Atom::True)));
        }
        check(&[131, 119, 3, b'x', b'y', b'z'], Ok(Term::Atom(Atom::Other)));
        check(&[131, 106], Ok(Term::List(vec![])));
        check(&[131, 107, 0, 2, 1, 2], Ok(Term::List(vec![Term::Int(1), Term::Int(2)])));
        check(&[131, 108, 0, 0, 0, 1, 97, 1, 106], Ok(Term::List(vec![Term::Int(1)])));
        check(&[131, 105, 0, 0, 0, 1, 106], Ok(Term::Tuple(vec![Term::List(vec![])])));
    }

    #[test]
    fn what_is_no_term_is_refused() {
        check(&[], Err(TermError::Length));
        check(&[130, 97, 7], Err(TermError::Version));
        check(&[131], Err(TermError::Length));
        check(&[131, 97, 7, 7], Err(TermError::Length));
        check(&[131, 103, 1], Err(TermError::Tag(103)));
        check(&[131, 108, 0, 0, 0, 1, 97, 1, 97, 1], Err(TermError::Tag(97)));
        check(&[131, 110, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Err(TermError::Integer));
        check(&[131, 109, 0xFF, 0xFF, 0xFF, 0xFF, 1], Err(TermError::Length));
        check(&[131, 108, 0xFF, 0xFF, 0xFF, 0xFF], Err(TermError::TooLarge));
        check(&[131, 116, 0xFF, 0xFF, 0xFF, 0xFF], Err(TermError::TooLarge));
        check(&[131, 108, 0, 0, 0x10, 0, 106], Err(TermError::Length));
        check(&[131, 80, 0, 0, 0, 4, 1, 2, 3], Err(TermError::Compression));
        check(&[131, 80, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3], Err(TermError::TooLarge));
        let deep: Vec<u8> =
            [131].into_iter().chain([104, 1].repeat(DEPTH_MAX)).chain([106]).collect();
        check(&deep, Err(TermError::TooLarge));
    }

    #[test]
    fn a_bomb_is_not_decompressed() {
        let bomb = Term::Binary(&vec![0; 1 << 21]).encode_compressed();
        assert!(bomb.len() < 10_000);
        assert_eq!(open(&bomb, LIMITS).map(drop), Err(TermError::TooLarge));
        // One that says that it is small.
        let mut liar = bomb;
        liar[2..6].copy_from_slice(&100_u32.to_be_bytes());
        assert_eq!(open(&liar, LIMITS).map(drop), Err(TermError::Compression));
    }

    fn terms() -> impl Strategy<Value = Term<'static>> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Term::Int),
            (-1e9..1e9_f64).prop_map(Term::Float),
            proptest::sample::select(Atom::KNOWN).prop_map(Term::Atom),
            proptest::sample::select(vec![&b""[..], b"a", b"topic/one", &[0; 300]])
                .prop_map(Term::Binary),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Term::List),
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Term::Tuple),
                proptest::collection::vec((inner.clone(), inner), 0..8).prop_map(Term::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(term in terms()) {
            for bytes in [term.encode(), term.encode_compressed()] {
                let plain = open(&bytes, LIMITS).unwrap();
                prop_assert_eq!(&decode(&plain, LIMITS).unwrap(), &term);
            }
        }

        #[test]
        fn no_octets_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes: Vec<u8> = [131].into_iter().chain(bytes).collect();
            if let Ok(plain) = open(&bytes, LIMITS) {
                let _ = decode(&plain, LIMITS);
            }
        }
    }
}
