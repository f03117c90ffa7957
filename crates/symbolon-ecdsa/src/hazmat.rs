//! What can lower security when it is used wrongly: digests from elsewhere, and a bank that outlives the process.

pub use crate::payload::hazmat::{PrehashLength, prehash};

use crate::item::{Hidden, Origin, OwnHalf, PeerHalf, Preprocessed};
use alloc::sync::Arc;
use rand_core::TryCryptoRng;
use symbolon_core::{
    Group, ItemId, Role, Secp256k1, SecretScalar, SetupId, Sid, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_mta::Suite;
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Claimed, FloorId, Ledger, OpenError, Pair, SealError, StorageKey, Token};
use zeroize::Zeroizing;

const KIND: &[u8; 8] = b"bankitem";

/// Why a sealed item does not come alive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError<E> {
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
    /// It came alive before, or its setup was burned.
    #[error("the item was used before, or its pair setup was burned")]
    Used,
    /// It is older than the last confirmed refresh of a key of this pair.
    #[error("the item is stale")]
    Stale,
    /// The bytes do not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The opened bytes are not an item.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Seals an item for a store; the item is gone.
///
/// # Errors
/// [`SealError`]; the item is lost, which is safe.
///
/// # Security
/// Losing an item is cheap; using one twice publishes the key. The sealed bytes come alive through [`open_item`] only, over
/// one ledger that is never rolled back and never read from a replica.
pub fn seal_item(
    item: Preprocessed,
    key: &StorageKey,
    rng: &mut impl TryCryptoRng,
) -> Result<alloc::vec::Vec<u8>, SealError> {
    on_cleared_stack(|| {
        let mut w = Writer::with_capacity(1024);
        let Preprocessed { id, own, peer } = &item;
        let Origin { sid, setup, serial, pair, suite } = &*own.origin;
        pair.encode(&mut w);
        w.bytes(id.as_ref()).bytes(setup.as_ref()).u32(*serial).bytes(sid.as_ref());
        w.u8(match suite {
            Suite::Aes => 2,
            _ => 1,
        });
        match &own.hidden {
            Hidden::Own(com, opening) => {
                com.encode(&mut w);
                opening.encode(&mut w);
            }
            Hidden::Peer(com) => com.encode(&mut w),
            Hidden::Open => {}
        }
        let secrets = own.alpha.iter().chain(&own.t).chain(&peer.r).chain([&peer.beta, &own.k]);
        secrets.for_each(|secret| {
            w.bytes(secret.to_bytes().expose());
        });
        let plain = Zeroizing::new(w.finish());
        if cfg!(symbolon_planted = "residue-heap") {
            drop(core::hint::black_box(plain.to_vec())); // a control: see docs/assurance.md
        }
        key.seal(KIND, &plain, rng)
    })
}

/// Brings a sealed item alive, once: the claim is durable before the item is returned.
///
/// # Errors
/// [`ItemError`].
pub fn open_item<L: Ledger>(
    sealed: &[u8],
    key: &StorageKey,
    ledger: &mut L,
) -> Result<Preprocessed, ItemError<L::Error>> {
    on_cleared_stack(|| {
        let plain = key.open(KIND, sealed)?;
        let item = Reader::new(&plain).whole(decode)?;
        let pair = FloorId::pair(item.pair().identity(Role::Server), item.pair().identity(Role::Client));
        if u64::from(item.serial()) < ledger.floor(&pair).map_err(ItemError::Ledger)? {
            return Err(ItemError::Stale);
        }
        match ledger.claim(&Token::Item { item: item.id, setup: item.setup() }).map_err(ItemError::Ledger)? {
            Claimed::Fresh => Ok(item),
            _ => Err(ItemError::Used),
        }
    })
}

fn decode(r: &mut Reader<'_>) -> Result<Preprocessed, DecodeError> {
    let pair = Pair::decode(r)?;
    let (id, setup, serial) = (ItemId::from_bytes(r.array()?), SetupId::from_bytes(r.array()?), r.u32()?);
    let sid = Sid::from_bytes(r.array()?);
    let suite = match r.u8()? {
        1 => Suite::Blake3,
        2 => Suite::Aes,
        _ => return Err(DecodeError::Value),
    };
    let com = Commitment::decode(r)?;
    let hidden = match pair.role() {
        Role::Server => Hidden::Own(com, Opening::decode(r)?),
        Role::Client => Hidden::Peer(com),
    };
    let mut secret = || r.scalar::<Secp256k1>().map(SecretScalar::<Secp256k1>::new);
    let (alpha, t) = ([secret()?, secret()?], [secret()?, secret()?]);
    let (r_shares, beta, k) = ([secret()?, secret()?], secret()?, secret()?);
    let big_gamma = t.each_ref().map(|t| Secp256k1::point_to_bytes(&t.public()));
    let big_r = k.public().to_affine();
    let origin = Arc::new(Origin { sid, setup, serial, pair, suite });
    let own = OwnHalf { origin, k, big_r, hidden, alpha, t, big_gamma };
    Ok(Preprocessed { id, own, peer: PeerHalf { beta, r: r_shares } })
}
