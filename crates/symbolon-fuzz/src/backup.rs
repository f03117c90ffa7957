//! Backups, their text and their halves: what is read prints as the same bytes, and opens only if nothing was changed.

use crate::{bytes::Bytes, memory::bounded};
use pem_rfc7468::LineEnding;
use sha2::{Digest, Sha256};
use symbolon_backup::{
    Backed, Backup, EncryptedShare, Expected, Limits, OpenError, PEM_LABEL, ReadError, SecretKind, SecretStore, Unlock,
};
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes};
use symbolon_seal::DeviceKey;
use symbolon_sharing::{KeyShare, PairFactor};

/// Files of version 1, and the device that opens them.
pub(crate) const GOLDEN: [&[u8]; 5] = [
    include_bytes!("../../symbolon-backup/testdata/v1/share-secp256k1.bin"),
    include_bytes!("../../symbolon-backup/testdata/v1/share-ed25519.bin"),
    include_bytes!("../../symbolon-backup/testdata/v1/factor-client.bin"),
    include_bytes!("../../symbolon-backup/testdata/v1/factor-server.bin"),
    include_bytes!("../../symbolon-backup/testdata/v1/share-default-cost.bin"),
];
const DEVICE: [u8; 32] = [
    0x80, 0xd7, 0x02, 0xf0, 0xce, 0xb9, 0x4d, 0xe0, 0x4a, 0xf4, 0xa7, 0x82, 0xff, 0x91, 0x0a, 0x0a, 0x75, 0xb0, 0x0b,
    0x40, 0xbf, 0xea, 0xd1, 0x6e, 0xcc, 0xd8, 0x77, 0xd3, 0xed, 0xa4, 0x37, 0x66,
];

/// The target. Gives whether some bytes or text were read as a backup or a half of one.
pub fn run(data: &[u8]) -> bool {
    let file = read(data).is_ok();
    let text = str::from_utf8(data).is_ok_and(|text| read_text(text).is_ok());
    let halves = store(data).is_ok() || share(data).is_ok();
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => read(&hashed(b"SYMBKUP\x01", input.rest())).is_ok(),
        2 => store(&hashed(b"SYMBKUS\x01", input.rest())).is_ok(),
        3 => share(&hashed(b"SYMBKUE\x01", input.rest())).is_ok(),
        4 => changed(&mut input),
        5 => changed_text(&mut input),
        6 => wrapped(&mut input),
        _ => false,
    };
    file || text || halves || built
}

fn hashed(front: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = [front, content].concat();
    let hash = Sha256::digest(&bytes);
    bytes.extend_from_slice(&hash);
    bytes
}

fn read(data: &[u8]) -> Result<Backup, ReadError> {
    let backup = bounded(4, data, || Backup::from_bytes(data))?;
    assert_eq!(backup.to_bytes(), data);
    let pem = backup.to_pem();
    assert_eq!(Backup::from_pem(&pem).as_ref(), Ok(&backup));
    assert_eq!(Backup::from_pem(&pem.replace('\n', "\r\n")).as_ref(), Ok(&backup));
    let (one, other) = backup.clone().detach();
    assert_eq!(store(&one.to_bytes()).as_ref(), Ok(&one));
    assert_eq!(share(&other.to_bytes()).as_ref(), Ok(&other));
    assert_eq!(Backup::attach(one, other).as_ref(), Ok(&backup));
    // any other byte at any place is damage
    let mut damaged = data.to_vec();
    damaged[usize::from(data[data.len() - 1]) % data.len()] ^= 1;
    assert_eq!(Backup::from_bytes(&damaged), Err(ReadError::Damaged));
    opened(&backup);
    Ok(backup)
}

fn store(data: &[u8]) -> Result<SecretStore, ReadError> {
    let half = bounded(4, data, || SecretStore::from_bytes(data))?;
    assert_eq!(half.to_bytes(), data);
    Ok(half)
}

fn share(data: &[u8]) -> Result<EncryptedShare, ReadError> {
    let half = bounded(4, data, || EncryptedShare::from_bytes(data))?;
    assert_eq!(half.to_bytes(), data);
    Ok(half)
}

fn read_text(text: &str) -> Result<Backup, ReadError> {
    // the text without CRs, which grows by doubling, its bytes, and the text that it should be
    let backup = bounded(6, text.as_bytes(), || Backup::from_pem(text))?;
    let unix = text.replace("\r\n", "\n");
    assert_eq!(backup.to_pem(), if unix.ends_with('\n') { unix } else { unix + "\n" });
    read(&backup.to_bytes())
}

/// Whether it opens: only a golden file does.
fn opened(backup: &Backup) -> bool {
    let opened = match backup.header().kind() {
        SecretKind::PairFactor => open::<PairFactor>(backup),
        _ if backup.header().is_on::<Secp256k1>() => open::<KeyShare<Secp256k1>>(backup),
        _ => open::<KeyShare<Ed25519>>(backup),
    };
    assert_eq!(opened, GOLDEN.contains(&backup.to_bytes().as_slice()));
    opened
}

fn open<S: Backed>(backup: &Backup) -> bool {
    let public_key = S::Group::point_from_bytes(backup.header().public_key());
    // a factor's header may name the other curve
    let public_key = public_key.unwrap_or_else(|_| S::Group::generator());
    let device = DeviceKey::from_bytes(&SecretBytes::new(DEVICE));
    let expected = Expected::key(public_key);
    match backup.open::<S>(&Unlock::Device(&device), &expected, &Limits::default()) {
        Ok(opened) => {
            assert_eq!(opened.secret.header(), *backup.header());
            true
        }
        Err(OpenError::NoSlot | OpenError::WrongDevice | OpenError::Forged | OpenError::OtherKind) => false,
        Err(error) => panic!("{error}"),
    }
}

/// A file with some bytes changed, and its hash made right.
fn changed(input: &mut Bytes<'_>) -> bool {
    let golden = GOLDEN[usize::from(input.byte() % 5)];
    let mut bytes = golden[..golden.len() - 32].to_vec();
    // the edits of a text leave the highest bit alone
    for _ in 0..input.byte() % 5 {
        let place = 7 + usize::from(input.u16()) % (bytes.len() - 7);
        bytes[place] ^= input.byte();
    }
    if input.byte() % 4 == 1 {
        bytes.truncate(usize::from(input.u16()));
    }
    bytes.extend_from_slice(input.rest());
    read(&hashed(&[], &bytes)).is_ok()
}

/// The text of a file with some characters changed: it is read only if that were line ends.
fn changed_text(input: &mut Bytes<'_>) -> bool {
    let golden = Backup::from_bytes(GOLDEN[usize::from(input.byte() % 5)]).expect("a golden file");
    let mut text = golden.to_pem().into_bytes();
    input.edit(&mut text, 0);
    let read = str::from_utf8(&text).map_or(Err(ReadError::Text), read_text);
    if let Ok(backup) = &read {
        assert_eq!(*backup, golden);
    }
    read.is_ok()
}

/// Any bytes as text, with lines of any length.
fn wrapped(input: &mut Bytes<'_>) -> bool {
    let width = 1 + usize::from(input.byte() % 130);
    let bytes = hashed(b"SYMBKUP\x01", input.rest());
    let text = pem_rfc7468::encode_string(PEM_LABEL, LineEnding::LF, &bytes).expect("the label is valid");
    let (begin, rest) = text.split_once('\n').expect("several lines");
    let (body, end) = rest.split_once('-').expect("an end");
    let body = body.replace('\n', "");
    let lines: String =
        body.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect();
    let read = read_text(&format!("{begin}\n{lines}-{end}"));
    assert!(read.is_err() || width == 64 || body.len() <= width.min(64));
    read.is_ok()
}
