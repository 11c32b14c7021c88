//! Appending terms piece by piece.

use crate::term::Atom;

/// The first octet of every term that stands by itself.
pub(crate) const VERSION: u8 = 131;

pub(crate) mod tag {
    pub(crate) const FLOAT: u8 = 70;
    pub(crate) const COMPRESSED: u8 = 80;
    pub(crate) const SMALL_INT: u8 = 97;
    pub(crate) const INT: u8 = 98;
    pub(crate) const ATOM: u8 = 100;
    pub(crate) const SMALL_TUPLE: u8 = 104;
    pub(crate) const LARGE_TUPLE: u8 = 105;
    pub(crate) const NIL: u8 = 106;
    pub(crate) const STRING: u8 = 107;
    pub(crate) const LIST: u8 = 108;
    pub(crate) const BINARY: u8 = 109;
    pub(crate) const SMALL_BIG: u8 = 110;
    pub(crate) const SMALL_ATOM: u8 = 115;
    pub(crate) const MAP: u8 = 116;
    pub(crate) const ATOM_UTF8: u8 = 118;
    pub(crate) const SMALL_ATOM_UTF8: u8 = 119;
}

/// Appends pieces of terms. Who writes a list, tuple or map writes as many terms as it announced.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

#[allow(clippy::cast_possible_truncation)] // lengths are those of MQTT packets
impl Writer<'_> {
    pub(crate) fn version(&mut self) {
        self.0.push(VERSION);
    }

    pub(crate) fn int(&mut self, value: i64) {
        if let Ok(small) = u8::try_from(value) {
            self.0.extend_from_slice(&[tag::SMALL_INT, small]);
        } else if let Ok(int) = i32::try_from(value) {
            self.0.push(tag::INT);
            self.0.extend_from_slice(&int.to_be_bytes());
        } else {
            let octets = value.unsigned_abs().to_le_bytes();
            let len = 8 - value.unsigned_abs().leading_zeros() as usize / 8;
            self.0.extend_from_slice(&[tag::SMALL_BIG, len as u8, u8::from(value < 0)]);
            self.0.extend_from_slice(octets.get(..len).unwrap_or_default());
        }
    }

    pub(crate) fn float(&mut self, value: f64) {
        self.0.push(tag::FLOAT);
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn atom(&mut self, atom: Atom) {
        let name = atom.name().as_bytes();
        self.0.extend_from_slice(&[tag::SMALL_ATOM_UTF8, name.len() as u8]);
        self.0.extend_from_slice(name);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.atom(if value { Atom::True } else { Atom::False });
    }

    pub(crate) fn binary(&mut self, bytes: &[u8]) {
        self.0.push(tag::BINARY);
        self.0.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.binary(text.as_bytes());
    }

    pub(crate) fn tuple(&mut self, arity: usize) {
        match u8::try_from(arity) {
            Ok(arity) => self.0.extend_from_slice(&[tag::SMALL_TUPLE, arity]),
            Err(_) => {
                self.0.push(tag::LARGE_TUPLE);
                self.0.extend_from_slice(&(arity as u32).to_be_bytes());
            }
        }
    }

    pub(crate) fn map(&mut self, pairs: usize) {
        self.0.push(tag::MAP);
        self.0.extend_from_slice(&(pairs as u32).to_be_bytes());
    }

    /// Begins a list that has members; [`Writer::nil`] ends it.
    pub(crate) fn list(&mut self, members: usize) {
        self.0.push(tag::LIST);
        self.0.extend_from_slice(&(members as u32).to_be_bytes());
    }

    /// The empty list, and the end of every other one.
    pub(crate) fn nil(&mut self) {
        self.0.push(tag::NIL);
    }
}

/// A term, its version octet in front, made small where that pays.
pub(crate) fn compressed(plain: Vec<u8>) -> Vec<u8> {
    const LEVEL: u8 = 6;
    const SMALL: usize = 1024;
    let Some(body) = plain.get(1..).filter(|body| body.len() >= SMALL) else { return plain };
    let small = miniz_oxide::deflate::compress_to_vec_zlib(body, LEVEL);
    let Ok(len) = u32::try_from(body.len()) else { return plain };
    if small.len() + 5 >= body.len() {
        return plain;
    }
    let mut out = Vec::with_capacity(small.len() + 6);
    out.extend_from_slice(&[VERSION, tag::COMPRESSED]);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&small);
    out
}
