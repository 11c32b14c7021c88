//! DEFLATE, bare (`zip`), with zlib's frame (`zip_compress`) and with gzip's (`gzip`).
//!
//! What is decompressed may have [`TEXT_BYTES_MAX`] octets: more is an error, not memory.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use miniz_oxide::inflate::{
    DecompressError, TINFLStatus, decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit,
};

use super::{Call, Function, Out, absent, same};
use crate::TEXT_BYTES_MAX;
use crate::error::EvalError;
use crate::messages;

const LEVEL: u8 = 6;
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
const NO_LZ4: &str = "no action of Rookery takes LZ4";

pub(super) const TABLE: &[Function] = &[
    same(
        "gunzip",
        (1, 1),
        gunzip,
        &[
            (
                "gunzip(hexstr2bin('1F8B0800000000000013CB48CDC9C9070086A6103605000000'))",
                "\"hello\"",
            ),
            ("gunzip('x')", "gunzip: the data is damaged"),
        ],
    ),
    same(
        "gzip",
        (1, 1),
        gzip,
        &[("bin2hexstr(gzip('hello'))", "\"1F8B0800000000000003CB48CDC9C9070086A6103605000000\"")],
    ),
    same("unzip", (1, 1), unzip, &[("unzip(hexstr2bin('CB48CDC9C90700'))", "\"hello\"")]),
    same("zip", (1, 1), zip, &[("bin2hexstr(zip('hello'))", "\"CB48CDC9C90700\"")]),
    same(
        "zip_compress",
        (1, 1),
        zip_compress,
        &[("zip_uncompress(zip_compress('hello'))", "\"hello\"")],
    ),
    same(
        "zip_uncompress",
        (1, 1),
        zip_uncompress,
        &[("zip_uncompress(hexstr2bin('789CCB48CDC9C90700062C0215'))", "\"hello\"")],
    ),
    absent("lz4_compress", NO_LZ4),
    absent("lz4_uncompress", NO_LZ4),
];

/// The octets to compress; compressing costs more than reading.
fn input<'e>(c: &Call<'e, '_, '_>) -> Result<&'e [u8], EvalError> {
    let bytes = c.bytes(0)?;
    c.work.spend(1000 + bytes.len() as u64)?;
    Ok(bytes)
}

fn plain<'a>(c: &Call<'_, 'a, '_>, result: Result<Vec<u8>, DecompressError>) -> Out<'a> {
    match result {
        Ok(bytes) => {
            c.work.spend(bytes.len() as u64 / 8)?;
            c.make(bytes)
        }
        Err(error) if error.status == TINFLStatus::HasMoreOutput => {
            Err(EvalError::TooLarge(TEXT_BYTES_MAX))
        }
        Err(_) => damaged(c),
    }
}

fn damaged<T>(c: &Call<'_, '_, '_>) -> Result<T, EvalError> {
    c.fail(messages::data_damaged())
}

fn zip<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    c.make(compress_to_vec(input(c)?, LEVEL))
}

fn unzip<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    plain(c, decompress_to_vec_with_limit(input(c)?, TEXT_BYTES_MAX))
}

fn zip_compress<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    c.make(compress_to_vec_zlib(input(c)?, LEVEL))
}

fn zip_uncompress<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    plain(c, decompress_to_vec_zlib_with_limit(input(c)?, TEXT_BYTES_MAX))
}

fn gzip<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = input(c)?;
    let mut out = GZIP_HEADER.to_vec();
    out.extend_from_slice(&compress_to_vec(bytes, LEVEL));
    out.extend_from_slice(&crc32(bytes).to_le_bytes());
    out.extend_from_slice(&length32(bytes).to_le_bytes());
    c.make(out)
}

/// The length as gzip keeps it: its lower 32 bits.
fn length32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or(u32::MAX)
}

fn gunzip<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let Some((deflated, crc, length)) = gzip_member(input(c)?) else { return damaged(c) };
    match decompress_to_vec_with_limit(deflated, TEXT_BYTES_MAX) {
        Ok(bytes) if crc32(&bytes) != crc || length32(&bytes) != length => damaged(c),
        result => plain(c, result),
    }
}

/// The compressed octets of one gzip member, its check sum and its length. RFC 1952 section 2.3.
fn gzip_member(bytes: &[u8]) -> Option<(&[u8], u32, u32)> {
    let (header, mut rest) = bytes.split_at_checked(10)?;
    let flags = match header {
        [0x1f, 0x8b, 8, flags, ..] => *flags,
        _ => return None,
    };
    let after_zero = |rest: &'_ [u8]| rest.iter().position(|byte| *byte == 0).map(|at| at + 1);
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            rest = rest.get(after_zero(rest)?..)?;
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..)?;
    }
    let (rest, length) = rest.split_last_chunk::<4>()?;
    let (deflated, crc) = rest.split_last_chunk::<4>()?;
    Some((deflated, u32::from_le_bytes(*crc), u32::from_le_bytes(*length)))
}

/// The check sum of gzip. RFC 1952 section 8.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut at = 0;
        while at < 16 {
            let mut value = at as u32;
            let mut bit = 0;
            while bit < 4 {
                value = (value >> 1) ^ (0xedb8_8320 & (value & 1).wrapping_neg());
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    let entry = |crc: u32| TABLE.get((crc & 15) as usize).copied().unwrap_or_default();
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        crc = (crc >> 4) ^ entry(crc);
        crc = (crc >> 4) ^ entry(crc);
    }
    !crc
}
