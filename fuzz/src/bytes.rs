//! An input read piece by piece. At its end there are zeros without end, so that every input can be read.

pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    pub(crate) fn i64(&mut self) -> i64 {
        i64::from_be_bytes(self.array())
    }

    /// Up to `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A piece of text behind its length; `None` where the length is zero.
    pub(crate) fn piece(&mut self) -> Option<String> {
        let len = usize::from(self.byte());
        (len > 0).then(|| String::from_utf8_lossy(self.take(len)).into_owned())
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    /// Changes up to four bytes of `text` from `start` on: places and bytes from the input.
    pub(crate) fn edit(&mut self, text: &mut [u8], start: usize) {
        for _ in 0..self.byte() % 5 {
            let place = start + usize::from(self.u16()) % (text.len() - start);
            text[place] ^= self.byte() & 0x7f;
        }
    }
}
