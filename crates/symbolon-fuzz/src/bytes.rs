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

    /// Overwrites fields of an encoding: a few pieces at places of the input's choice become zeros, ones, the order of a group, a
    /// point, small numbers, other pieces of the same encoding, or bytes of the input; then perhaps the end is cut or lengthened.
    /// Gives whether anything has changed.
    pub(crate) fn overwrite(&mut self, object: &mut Vec<u8>) -> bool {
        let before = object.clone();
        for _ in 0..self.byte() % 8 {
            if object.is_empty() {
                break;
            }
            let place = usize::from(self.u16()) % object.len();
            let value = match self.byte() % 10 {
                0 => vec![0; usize::from(self.byte() % 34)],
                1 => vec![0xff; usize::from(self.byte() % 34)],
                2 => ORDER_SECP256K1.to_vec(),
                3 => ORDER_ED25519.to_vec(),
                4 => [&[2], &GENERATOR_X[..]].concat(),
                5 => vec![self.byte()],
                6 => self.array::<2>().to_vec(),
                7 => {
                    let (from, len) = (usize::from(self.u16()) % object.len(), usize::from(self.byte()));
                    object[from..object.len().min(from + len)].to_vec()
                }
                8 => vec![object[place] ^ (1 << (self.byte() % 8))],
                _ => {
                    let len = usize::from(self.byte());
                    self.take(len).to_vec()
                }
            };
            let end = object.len().min(place + value.len());
            object[place..end].copy_from_slice(&value[..end - place]);
        }
        match self.byte() % 8 {
            1 => object.truncate(object.len().saturating_sub(usize::from(self.byte()))),
            2 => object.truncate(usize::from(self.u16())),
            3 => object.extend_from_slice(self.rest()),
            // a piece in the middle is missing, or there twice
            4 if !object.is_empty() => {
                let (from, len) = (usize::from(self.u16()) % object.len(), usize::from(self.byte()));
                object.drain(from..(from + len).min(object.len()));
            }
            5 if !object.is_empty() => {
                let (from, len) = (usize::from(self.u16()) % object.len(), usize::from(self.byte()));
                let piece = object[from..(from + len).min(object.len())].to_vec();
                object.splice(from..from, piece);
            }
            _ => {}
        }
        *object != before
    }
}

/// The order of secp256k1, big-endian.
pub(crate) const ORDER_SECP256K1: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// The order of the prime-order subgroup of edwards25519, little-endian.
pub(crate) const ORDER_ED25519: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// `x` of secp256k1's generator.
const GENERATOR_X: [u8; 32] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc,
    0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];
