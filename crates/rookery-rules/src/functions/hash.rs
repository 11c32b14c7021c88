//! Digests, as hexadecimal digits in small letters.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::{Call, Function, Out, encode, same};

pub(super) const TABLE: &[Function] = &[
    same(
        "hash",
        (2, 2),
        hash,
        &[
            ("hash('md5', 'hello')", "\"5d41402abc4b2a76b9719d911017c592\""),
            ("hash('sha3', '')", "hash: \"sha3\" is no option"),
        ],
    ),
    same(
        "md5",
        (1, 1),
        |c| hex::<Md5>(c, 0),
        &[("md5('hello')", "\"5d41402abc4b2a76b9719d911017c592\"")],
    ),
    same(
        "sha",
        (1, 1),
        |c| hex::<Sha1>(c, 0),
        &[("sha('hello')", "\"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\"")],
    ),
    same(
        "sha256",
        (1, 1),
        |c| hex::<Sha256>(c, 0),
        &[(
            "sha256('hello')",
            "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"",
        )],
    ),
];

fn hex<'a, D: Digest>(c: &Call<'_, 'a, '_>, at: usize) -> Out<'a> {
    let bytes = c.bytes(at)?;
    // A digest takes longer for an octet than a copy does.
    c.work.spend(bytes.len() as u64 / 8)?;
    c.make(encode::hexadecimal(&D::digest(bytes), false))
}

fn hash<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    match c.text(0)? {
        "md5" => hex::<Md5>(c, 1),
        "sha" => hex::<Sha1>(c, 1),
        "sha224" => hex::<Sha224>(c, 1),
        "sha256" => hex::<Sha256>(c, 1),
        "sha384" => hex::<Sha384>(c, 1),
        "sha512" => hex::<Sha512>(c, 1),
        other => c.unknown_word(other),
    }
}
