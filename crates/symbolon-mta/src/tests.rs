//! Correctness of the steps, and what the attack tests need: a wire that can be rewritten.

use crate::*;
use alloc::vec::Vec;
use symbolon_core::{
    Group, Role, Secp256k1, SecretScalar, SeedRng, Sid,
    wire::{Reader, Writer},
};
use symbolon_session::{Fault, Pair};

mod base_ot;
mod committee;
mod extension;
mod multiply;
mod pinned;
mod protocols;
mod statistics;

pub(crate) type Scalar = <Secp256k1 as Group>::Scalar;
pub(crate) const SUITES: [Suite; 2] = [Suite::Blake3, Suite::Aes];

pub(crate) fn sid(n: u8) -> Sid {
    Sid::from_bytes([n; 32])
}

pub(crate) fn rng(n: u64) -> SeedRng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&n.to_le_bytes());
    SeedRng::new(&key)
}

/// Runs a writing step and gives its bytes.
pub(crate) fn written<T>(step: impl FnOnce(&mut Writer) -> T) -> (T, Vec<u8>) {
    let mut w = Writer::new();
    let value = step(&mut w);
    (value, w.finish())
}

/// Runs a reading step, which must read to the end.
pub(crate) fn read<T>(bytes: &[u8], step: impl FnOnce(&mut Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let mut r = Reader::new(bytes);
    let value = step(&mut r)?;
    r.finish()?;
    Ok(value)
}

/// Client and server of one setup.
pub(crate) struct Both {
    pub(crate) client: PairSetup,
    pub(crate) server: PairSetup,
}

/// How far an attacked setup came: the fault, and who saw it.
pub(crate) type Seen = (Role, Fault);

/// A whole setup over a wire that `tamper` may rewrite: it is given the message number and the bytes.
pub(crate) fn setup_with(suite: Suite, seed: u64, mut tamper: impl FnMut(u8, &mut Vec<u8>)) -> Result<Both, Seen> {
    let (mut rng_c, mut rng_s) = (rng(2 * seed), rng(2 * seed + 1));
    let at_client = |fault| (Role::Client, fault);
    let at_server = |fault| (Role::Server, fault);
    let (client, mut m1) = written(|w| SetupClient1::start(sid(1), Pair::from(Role::Client), suite, 7, &mut rng_c, w));
    tamper(1, &mut m1);
    let (server, mut m2) = written(|w| {
        read(&m1, |r| SetupServer1::choose(sid(2), sid(1), Pair::from(Role::Server), suite, 7, r, w, &mut rng_s))
    });
    let server = server.map_err(at_server)?;
    tamper(2, &mut m2);
    let (client, mut m3) = written(|w| read(&m2, |r| client.challenge(sid(2), r, w)));
    let client = client.map_err(at_client)?;
    tamper(3, &mut m3);
    let (server, mut m4) = written(|w| read(&m3, |r| server.respond(r, w)));
    let server = server.map_err(at_server)?;
    tamper(4, &mut m4);
    let (client, mut m5) = written(|w| read(&m4, |r| client.open(r, w, &mut rng_c)));
    let client = client.map_err(at_client)?;
    tamper(5, &mut m5);
    let (server, mut m6) = written(|w| read(&m5, |r| server.finish(r, w)));
    let server = server.map_err(at_server)?;
    tamper(6, &mut m6);
    let client = read(&m6, |r| client.finish(r)).map_err(at_client)?;
    let lens = [m1.len(), m2.len(), m3.len(), m4.len(), m5.len(), m6.len()];
    assert_eq!(lens, [M1_LEN, M2_LEN, M3_LEN, M4_LEN, M5_LEN, M6_LEN]);
    Ok(Both { client, server })
}

pub(crate) fn setup(suite: Suite, seed: u64) -> Both {
    setup_with(suite, seed, |_, _| ()).map_err(|seen| seen.1).unwrap()
}

/// Both shares of a batch in one direction.
pub(crate) type Shares<const ELL: usize> = (Vec<SenderShare<ELL>>, Vec<ReceiverShare<ELL>>);

/// A batch of multiplications over a wire that `tamper` may rewrite: message 1 is the extension, 2 the multiplications.
pub(crate) fn multiply_with<const ELL: usize>(
    (ext_s, ext_r): (&ExtSender, &ExtReceiver),
    count: u16,
    seed: u64,
    mut tamper: impl FnMut(u8, &mut Vec<u8>),
) -> Result<Shares<ELL>, Fault> {
    let (mut rng_s, mut rng_r) = (rng(1_000_000 + seed), rng(2_000_000 + seed));
    let sid = sid(9);
    let (receiver, mut first) = written(|w| MulReceiver::extend(ext_r, sid, Purpose::Mta, count, w, &mut rng_r));
    assert_eq!(first.len(), extension_len(count));
    tamper(1, &mut first);
    let sender = read(&first, |r| MulSender::extend(ext_s, sid, Purpose::Mta, count, r))?;
    assert_eq!(sender.digest(), receiver.digest());
    let (sent, mut second) = written(|w| sender.multiply::<ELL>(w, &mut rng_s));
    assert_eq!(second.len(), usize::from(count) * multiplication_len(ELL));
    tamper(2, &mut second);
    let received = read(&second, |r| receiver.multiply::<ELL>(r))?;
    Ok((sent, received))
}

pub(crate) fn multiply<const ELL: usize>(ext: (&ExtSender, &ExtReceiver), count: u16, seed: u64) -> Shares<ELL> {
    multiply_with(ext, count, seed, |_, _| ()).unwrap()
}

pub(crate) fn assert_products<const ELL: usize>((sent, received): &Shares<ELL>, count: u16) {
    assert_eq!((sent.len(), received.len()), (usize::from(count), usize::from(count)));
    let mut digests = Vec::new();
    for (s, r) in sent.iter().zip(received) {
        assert_eq!(s.digest(), r.digest());
        assert!(!digests.contains(s.digest()));
        digests.push(*s.digest());
        for i in 0..ELL {
            let sum: Scalar = *s.t()[i].expose() + r.r()[i].expose();
            assert_eq!(sum, *s.alpha()[i].expose() * r.beta().expose());
            assert_ne!(sum, Scalar::ZERO);
        }
    }
}

/// How a message of fixed length is spoilt.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    Empty,
    Shorter,
    Longer,
    Thousandfold,
}

impl Change {
    pub(crate) fn apply(self, message: &mut Vec<u8>) {
        match self {
            Self::Empty => message.clear(),
            Self::Shorter => message.truncate(message.len() - 1),
            Self::Longer => message.push(0),
            Self::Thousandfold => *message = message.repeat(1000),
        }
    }
}

/// `q`, `q + 1`, `2^256 - 1`.
pub(crate) fn not_scalars() -> [[u8; 32]; 3] {
    let mut q = Secp256k1::scalar_to_bytes(&-Scalar::ONE);
    q[31] += 1;
    let mut above = q;
    above[31] += 1;
    [q, above, [0xff; 32]]
}

pub(crate) fn scalar(n: u64) -> SecretScalar<Secp256k1> {
    SecretScalar::new(Scalar::from(n))
}

#[test]
fn multiplies_in_both_directions_and_suites() {
    for suite in SUITES {
        let both = setup(suite, 1);
        assert_eq!(both.client.id(), both.server.id());
        for ext in [(both.server.sender(), both.client.receiver()), (both.client.sender(), both.server.receiver())] {
            assert_eq!(ext.0.direction(), ext.1.direction());
            assert_products(&multiply::<1>(ext, 1, 1), 1);
            assert_products(&multiply::<2>(ext, 1, 2), 1);
            assert_products(&multiply::<2>(ext, 3, 3), 3);
            assert_products(&multiply::<7>(ext, 1, 4), 1);
            assert_products(&multiply::<2>(ext, 0, 5), 0);
        }
        // twice over one setup with other randomness
        let ext = (both.server.sender(), both.client.receiver());
        let (a, b) = (multiply::<1>(ext, 1, 10), multiply::<1>(ext, 1, 11));
        assert_ne!(a.0[0].digest(), b.0[0].digest());
    }
}

#[test]
fn message_sizes_are_those_of_the_specification() {
    assert_eq!(extension_len(1), 3632);
    assert_eq!(multiplication_len(2), 768 * 3 * 32 + 64);
    assert_eq!(multiplication_len(1), 768 * 2 * 32 + 64);
}
