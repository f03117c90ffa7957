//! The container, version 1: its bytes and its text. Everything here works without any secret.

use crate::{
    Header, MAX_SLOTS, ReadError, SlotKind, SlotSet, Work,
    slot::{Slot, lasting},
};
use alloc::{string::String, vec::Vec};
use pem_rfc7468::LineEnding;
use sha2::{Digest, Sha256};
use symbolon_core::wire::{Reader, Writer};

/// A backup is never longer, in bytes.
pub const MAX_LEN: usize = 64 << 10;
/// The label of the text form.
pub const PEM_LABEL: &str = "SYMBOLON SHARE BACKUP";

const MAGIC: &[u8; 7] = b"SYMBKUP";
const VERSION: u8 = 1;
const HASH: usize = 32;
const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

/// A sealed share: public bytes, for any storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    pub(crate) header: Header,
    pub(crate) slots: Vec<Slot>,
    /// Over everything before it.
    pub(crate) mac: [u8; 32],
    pub(crate) payload: Payload,
}

/// The share, encrypted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Payload {
    pub(crate) nonce: [u8; NONCE],
    /// With its tag.
    pub(crate) ciphertext: Vec<u8>,
}

impl Payload {
    pub(crate) fn write(&self, w: &mut Writer) {
        w.bytes(&self.nonce).prefixed(&self.ciphertext);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let nonce = r.array()?;
        let ciphertext = r.prefixed(MAX_LEN)?.to_vec();
        if ciphertext.len() < TAG { Err(ReadError::Malformed) } else { Ok(Self { nonce, ciphertext }) }
    }
}

/// Bytes with a magic in front and a hash at the end: the hash tells damage from everything else, for every version.
pub(crate) struct Framed<'a> {
    pub(crate) reader: Reader<'a>,
}

/// Ends what was written with its hash.
pub(crate) fn with_hash(w: Writer) -> Vec<u8> {
    let mut bytes = w.finish();
    let hash = Sha256::digest(&bytes);
    bytes.extend_from_slice(&hash);
    bytes
}

impl<'a> Framed<'a> {
    pub(crate) fn read(bytes: &'a [u8], magic: &[u8; 7]) -> Result<Self, ReadError> {
        if bytes.len() > MAX_LEN {
            return Err(ReadError::NotABackup);
        }
        let (content, hash) = bytes.split_last_chunk::<HASH>().ok_or(ReadError::NotABackup)?;
        let (found, rest) = content.split_first_chunk::<7>().ok_or(ReadError::NotABackup)?;
        // with the right magic in its place, so that one wrong byte there is damage too
        let intact = Sha256::new().chain_update(magic).chain_update(rest).finalize().as_slice() == hash;
        match (intact, found == magic) {
            (true, true) => {}
            (false, false) => return Err(ReadError::NotABackup),
            _ => return Err(ReadError::Damaged),
        }
        let mut reader = Reader::new(rest);
        match reader.u8()? {
            VERSION => Ok(Self { reader }),
            version => Err(ReadError::Version(version)),
        }
    }
}

/// Magic and version.
pub(crate) fn start(w: &mut Writer, magic: &[u8; 7]) {
    w.bytes(magic).u8(VERSION);
}

impl Backup {
    /// What it says in the clear.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What opens it, in order.
    pub fn slots(&self) -> impl Iterator<Item = SlotKind> {
        self.slots.iter().map(|slot| slot.recipient.kind())
    }

    /// What a try costs, in the same order; `None` for a slot without a password.
    pub fn costs(&self) -> impl Iterator<Item = Option<Work>> {
        self.slots.iter().map(|slot| slot.recipient.work().copied())
    }

    /// Its recipients, for the record of whoever will change or re-seal it: take it from a backup that was just made, never from one
    /// that comes from storage, not even if it opens.
    #[must_use]
    pub fn slot_set(&self) -> SlotSet {
        SlotSet::of(&self.slots)
    }

    /// The container up to the slots: HPKE's `info` and the payload's associated data.
    pub(crate) fn clear_part(header: &Header) -> Vec<u8> {
        let mut w = Writer::new();
        start(&mut w, MAGIC);
        header.write(&mut w);
        w.finish()
    }

    /// The container up to the MAC.
    pub(crate) fn authenticated_part(header: &Header, slots: &[Slot]) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(&Self::clear_part(header)).u8(u8::try_from(slots.len()).unwrap_or(u8::MAX));
        slots.iter().for_each(|slot| slot.write(&mut w));
        w.finish()
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(&Self::authenticated_part(&self.header, &self.slots)).bytes(&self.mac);
        self.payload.write(&mut w);
        with_hash(w)
    }

    /// Reads a file: the bytes, or the text form.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(file: &[u8]) -> Result<Self, ReadError> {
        match core::str::from_utf8(file) {
            Ok(text) if text.starts_with("-----BEGIN") => Self::from_pem(text),
            _ => Self::from_bytes(file),
        }
    }

    /// Reads bytes; what is read gives the same bytes again.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut r = Framed::read(bytes, MAGIC)?.reader;
        let header = Header::read(&mut r)?;
        let slots = Self::read_slots(&mut r)?;
        let mac = r.array()?;
        let payload = Payload::read(&mut r)?;
        r.finish()?;
        Ok(Self { header, slots, mac, payload })
    }

    pub(crate) fn read_slots(r: &mut Reader<'_>) -> Result<Vec<Slot>, ReadError> {
        let count = usize::from(r.u8()?);
        if !(1..=MAX_SLOTS).contains(&count) {
            return Err(ReadError::Malformed);
        }
        let mut slots = Vec::with_capacity(count);
        for _ in 0..count {
            slots.push(Slot::read(r)?);
        }
        if lasting(slots.iter().map(|slot| &slot.recipient)) { Ok(slots) } else { Err(ReadError::Malformed) }
    }

    /// The text form (RFC 7468), with LF line ends.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "the label is valid")]
    pub fn to_pem(&self) -> String {
        pem_rfc7468::encode_string(PEM_LABEL, LineEnding::LF, &self.to_bytes()).expect("the label is valid")
    }

    /// Reads the text form: exactly what [`Self::to_pem`] prints, where each line end may be CRLF and the last one may be missing.
    ///
    /// # Errors
    /// [`ReadError::Text`] for another text; [`ReadError`] for its bytes.
    pub fn from_pem(text: &str) -> Result<Self, ReadError> {
        // four characters for three bytes, a line end for 64
        if text.len() > MAX_LEN * 3 / 2 {
            return Err(ReadError::Text);
        }
        let unix = text.replace("\r\n", "\n");
        let (label, bytes) = pem_rfc7468::decode_vec(unix.as_bytes()).map_err(|_| ReadError::Text)?;
        let canonical = pem_rfc7468::encode_string(PEM_LABEL, LineEnding::LF, &bytes).map_err(|_| ReadError::Text)?;
        if label != PEM_LABEL || canonical.trim_end_matches('\n') != unix.strip_suffix('\n').unwrap_or(&unix) {
            return Err(ReadError::Text);
        }
        Self::from_bytes(&bytes)
    }
}
