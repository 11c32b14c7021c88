//! A cursor over what our own programs write: records of the store, frames between nodes, frames to
//! worker processes. Numbers are little-endian.

/// What is left to read. Each method is `None` when it is too short for what is asked.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// So many bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    /// An array of bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes.
    #[inline]
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    #[inline]
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    #[inline]
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes behind their length of four bytes, if they are there: the length `u32::MAX` says no.
    #[inline]
    #[allow(clippy::option_option)] // well-formed, then there
    pub fn bytes(&mut self) -> Option<Option<&'a [u8]>> {
        match self.u32()? {
            u32::MAX => Some(None),
            len => self.take(len as usize).map(Some),
        }
    }

    /// Text in the same form.
    #[inline]
    #[allow(clippy::option_option)] // well-formed, then there
    pub fn text(&mut self) -> Option<Option<&'a str>> {
        match self.bytes()? {
            None => Some(None),
            Some(bytes) => std::str::from_utf8(bytes).ok().map(Some),
        }
    }

    /// Text behind its length of two bytes.
    #[inline]
    pub fn short_text(&mut self) -> Option<&'a str> {
        let len = self.u16()?;
        std::str::from_utf8(self.take(len.into())?).ok()
    }

    /// Everything that is left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn parts_come_in_order_until_the_bytes_end() {
        let bytes = [1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, b'a', 7, 8];
        let mut fields = Fields(&bytes);
        assert_eq!((fields.u8(), fields.u16()), (Some(1), Some(2)));
        assert_eq!((fields.u32(), fields.u64()), (Some(3), Some(4)));
        assert_eq!(fields.short_text(), Some("a"));
        assert_eq!(fields.u32(), None, "too short, and nothing is taken");
        assert_eq!((fields.rest(), fields.u8()), (&[7, 8][..], None));
    }

    #[test]
    fn texts_may_be_absent_empty_or_none_at_all() {
        for (bytes, found) in [
            (&[255, 255, 255, 255][..], Some(None)),
            (&[0, 0, 0, 0], Some(Some(""))),
            (&[1, 0, 0, 0, b'a'], Some(Some("a"))),
            (&[1, 0, 0, 0, 0xFF], None),
            (&[2, 0, 0, 0, b'a'], None),
            (&[1, 0], None),
        ] {
            assert_eq!(Fields(bytes).text(), found, "{bytes:?}");
        }
    }
}
