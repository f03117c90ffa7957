//! The way out: the whole key, from enough opened shares, offline (safety.md S4; backup.md, exit).

use crate::{Change, Consent, KeyShare, PairFactor};
use alloc::vec::Vec;
use symbolon_core::{Group, Secp256k1, SecretScalar, on_cleared_stack};

/// A key that somebody holds whole. The secret is wiped on drop.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_sharing::Exit<symbolon_core::Ed25519>>();
/// ```
pub struct Exit<G: Group> {
    secret: SecretScalar<G>,
    public_key: G::Point,
    chain_code: [u8; 32],
}

/// Why no key was rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExitError {
    /// The consent does not name exactly this key.
    #[error("the consent does not name the exit of this key")]
    Consent,
    /// Not exactly `t` shares, or one twice.
    #[error("an exit takes exactly as many different shares as the threshold says")]
    Count,
    /// Shares of different keys, sharings or epochs.
    #[error("the shares are not of one sharing of one key")]
    Mixed,
}

/// Rebuilds the key from exactly `t` shares of one sharing, and checks it against the public key: `x = sum lambda_i*x_i`.
/// `consent` names [`Change::Exits`] with the key.
///
/// # Errors
/// [`ExitError`].
///
/// # Security
/// From here on one machine has the key. The shares of all holders remain, and any `t` of them are the key as well: to be alone
/// with it, move the funds to a fresh key. Holders who go on mark their shares ([`KeyShare::with_exported`]), and store them again, or
/// the health of a later epoch wrongly says that the old sharing is dead. A non-hardened BIP-32 child key together with the chain code gives away the root. On
/// Ed25519 the scalar is not the 32-byte seed that wallets import, and no seed has it: it signs with
/// `symbolon_eddsa::sign_with_scalar`, and nowhere else.
pub fn exit<G: Group>(shares: &[KeyShare<G>], consent: &Consent) -> Result<Exit<G>, ExitError> {
    on_cleared_stack(|| {
        let first = shares.first().ok_or(ExitError::Count)?;
        if !consent.covers(&[Change::Exits(first.key_id())]) {
            return Err(ExitError::Consent);
        }
        let sharing = |share: &KeyShare<G>| (share.scheme(), share.key_id(), share.sharing_id(), share.epoch());
        // each share fits its own public data: with the same public data they fit each other
        let same = |share: &KeyShare<G>| {
            sharing(share) == sharing(first)
                && share.members() == first.members()
                && share.public_key() == first.public_key()
                && share.chain_code() == first.chain_code()
        };
        if !shares.iter().all(same) {
            return Err(ExitError::Mixed);
        }
        let holders: Vec<_> = shares.iter().map(KeyShare::me).collect();
        let lambdas = first.lambdas(&holders).map_err(|_| ExitError::Count)?;
        let mut secret = SecretScalar::<G>::new(G::Scalar::default());
        for (share, lambda) in shares.iter().zip(lambdas) {
            secret = SecretScalar::new(*secret.expose() + lambda * *share.secret().expose());
        }
        if secret.public() != *first.public_key() {
            return Err(ExitError::Mixed);
        }
        Ok(Exit { secret, public_key: *first.public_key(), chain_code: *first.chain_code() })
    })
}

/// The same from both factors of a two-party key: `x = a*b`.
///
/// # Errors
/// [`ExitError`]; [`ExitError::Count`] for two factors of one side.
///
/// # Security
/// As [`exit`].
pub fn exit_pair(one: &PairFactor, other: &PairFactor, consent: &Consent) -> Result<Exit<Secp256k1>, ExitError> {
    on_cleared_stack(|| {
        if !consent.covers(&[Change::Exits(one.key_id())]) {
            return Err(ExitError::Consent);
        }
        let of =
            |factor: &PairFactor| (factor.key_id(), factor.generation(), *factor.public_key(), *factor.chain_code());
        if of(one) != of(other) {
            return Err(ExitError::Mixed);
        }
        if one.pair().me() == other.pair().me() {
            return Err(ExitError::Count);
        }
        let secret = SecretScalar::<Secp256k1>::new(*one.secret().expose() * other.secret().expose());
        if secret.public() != *one.public_key() {
            return Err(ExitError::Mixed);
        }
        Ok(Exit { secret, public_key: *one.public_key(), chain_code: *one.chain_code() })
    })
}

impl<G: Group> Exit<G> {
    /// The key.
    #[must_use]
    pub fn secret(&self) -> &SecretScalar<G> {
        &self.secret
    }

    /// `P`.
    #[must_use]
    pub const fn public_key(&self) -> &G::Point {
        &self.public_key
    }

    /// The BIP-32 chain code.
    #[must_use]
    pub const fn chain_code(&self) -> &[u8; 32] {
        &self.chain_code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_share::tests::deal;
    use symbolon_core::{Ed25519, KeyId, Role, SeedRng};

    fn check<G: Group>() {
        let mut rng = SeedRng::new(&[8; 32]);
        let mut shares = deal::<G>(2, 3, &mut rng);
        let public_key = *shares[0].public_key();
        let other = deal::<G>(2, 3, &mut rng).pop().unwrap();
        let consent = Consent::new([Change::Exits(shares[0].key_id())]);
        let error = |shares: &[KeyShare<G>], consent: &Consent| exit(shares, consent).err();
        assert_eq!(error(&shares, &consent), Some(ExitError::Count));
        let third = shares.pop().unwrap();
        for wrong in [Consent::new([]), Consent::new([Change::Exits(KeyId::from_bytes([9; 16]))])] {
            assert_eq!(error(&shares, &wrong), Some(ExitError::Consent));
        }
        let made = exit(&shares, &consent).unwrap();
        assert!(made.secret().public() == public_key && *made.public_key() == public_key);
        assert_eq!(made.chain_code(), third.chain_code());
        let first = shares.swap_remove(0);
        assert_eq!(error(&shares, &consent), Some(ExitError::Count));
        assert_eq!(error(&[], &consent), Some(ExitError::Count));
        // the same ids, another key
        assert_eq!(error(&[first, other], &consent), Some(ExitError::Mixed));
        let again = exit(&[shares.pop().unwrap(), third], &consent).unwrap();
        assert!(again.secret().expose() == made.secret().expose(), "any two");
    }

    #[test]
    fn both_factors_are_the_key() {
        let mut rng = SeedRng::new(&[9; 32]);
        let (a, b) = (SecretScalar::<Secp256k1>::random(&mut rng), SecretScalar::<Secp256k1>::random(&mut rng));
        let p = Secp256k1::mul(&b.public(), a.expose());
        let id = KeyId::from_bytes([1; 16]);
        let side = |role: Role, generation, own: &SecretScalar<Secp256k1>, peer: &SecretScalar<Secp256k1>| {
            let secret = SecretScalar::new(*own.expose());
            PairFactor::new(role.into(), id, generation, secret, peer.public(), p, [3; 32]).unwrap()
        };
        let (server, client) = (side(Role::Server, 2, &a, &b), side(Role::Client, 2, &b, &a));
        let consent = Consent::new([Change::Exits(id)]);
        for made in [exit_pair(&server, &client, &consent), exit_pair(&client, &server, &consent)] {
            let made = made.unwrap();
            assert!(*made.secret().expose() == *a.expose() * b.expose() && *made.public_key() == p);
            assert_eq!(made.chain_code(), &[3; 32]);
        }
        let error = |one: &PairFactor, other: &PairFactor, consent: &Consent| exit_pair(one, other, consent).err();
        assert_eq!(error(&server, &server, &consent), Some(ExitError::Count));
        assert_eq!(error(&server, &client, &Consent::new([])), Some(ExitError::Consent));
        let refreshed = side(Role::Client, 3, &b, &a);
        assert_eq!(error(&server, &refreshed, &consent), Some(ExitError::Mixed));
    }

    #[test]
    fn exactly_t_shares_of_one_sharing_are_the_key() {
        check::<Secp256k1>();
        check::<Ed25519>();
    }
}
