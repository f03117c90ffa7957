//! Chaum-Pedersen proof of equal discrete logarithms.

use crate::{ProofError, schnorr::nonce};
use rand_core::CryptoRng;
use symbolon_core::{
    Group, SecretScalar, Transcript,
    wire::{DecodeError, Reader, Writer},
};

/// `(K, L, z)`: the prover knows one `x` with `X = x*G` and `Y = x*H`. `K = k*G`, `L = k*H`,
/// `e = T("dleq", context, G, H, X, Y, K, L)`, `z = k + e*x`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DleqProof<G: Group> {
    big_k: G::Point,
    big_l: G::Point,
    z: G::Scalar,
}

impl<G: Group> DleqProof<G> {
    /// Bytes of an encoded proof.
    pub const LEN: usize = 2 * G::POINT_LEN + 32;

    /// Proves `X = x*G`, `Y = x*H`.
    pub fn prove(
        context: &Transcript,
        x: &SecretScalar<G>,
        big_x: &G::Point,
        big_h: &G::Point,
        big_y: &G::Point,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let k = nonce(context, &[x], rng);
        let (big_k, big_l) = (k.public(), G::mul(big_h, k.expose()));
        let e = Self::challenge(context, big_x, big_h, big_y, &big_k, &big_l);
        Self { big_k, big_l, z: *k.expose() + e * *x.expose() }
    }

    /// Checks both equations.
    ///
    /// # Errors
    /// [`ProofError`]; also for `H = O`, under which every statement would hold.
    pub fn verify(
        &self,
        context: &Transcript,
        big_x: &G::Point,
        big_h: &G::Point,
        big_y: &G::Point,
    ) -> Result<(), ProofError> {
        if G::is_identity(big_h) {
            return Err(ProofError);
        }
        let e = Self::challenge(context, big_x, big_h, big_y, &self.big_k, &self.big_l);
        let on_g = G::mul_base_add_vartime(&self.z, big_x, &-e);
        let on_h = G::lincomb_vartime(&[(*big_h, self.z), (*big_y, -e)]);
        if on_g == self.big_k && on_h == self.big_l { Ok(()) } else { Err(ProofError) }
    }

    fn challenge(
        context: &Transcript,
        big_x: &G::Point,
        big_h: &G::Point,
        big_y: &G::Point,
        big_k: &G::Point,
        big_l: &G::Point,
    ) -> G::Scalar {
        let points = [G::generator(), *big_h, *big_x, *big_y, *big_k, *big_l];
        let start = context.clone().part("dleq").part([G::ID]);
        G::points_to_bytes(&points).iter().fold(start, Transcript::part).scalar::<G>()
    }

    /// Appends `K`, `L`, `z`.
    pub fn encode(&self, w: &mut Writer) {
        w.point::<G>(&self.big_k).point::<G>(&self.big_l).scalar::<G>(&self.z);
    }

    /// # Errors
    /// [`DecodeError`].
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { big_k: r.point::<G>()?, big_l: r.point::<G>()?, z: r.scalar::<G>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::{Ed25519, Secp256k1, SeedRng};

    fn equality<G: Group>() {
        let mut rng = SeedRng::new(&[3; 32]);
        let context = Transcript::new("test", "dleq");
        let x = SecretScalar::<G>::random(&mut rng);
        let big_h = G::mul_base(&G::random_scalar(&mut rng));
        let (big_x, big_y) = (x.public(), G::mul(&big_h, x.expose()));
        let proof = DleqProof::prove(&context, &x, &big_x, &big_h, &big_y, &mut rng);
        assert!(proof.verify(&context, &big_x, &big_h, &big_y).is_ok());
        let other = big_y + G::generator();
        assert!(proof.verify(&context, &big_x, &big_h, &other).is_err());
        assert!(proof.verify(&context, &other, &big_h, &big_y).is_err());
        assert!(proof.verify(&context, &big_x, &other, &big_y).is_err());
        assert!(proof.verify(&context.clone().part("x"), &big_x, &big_h, &big_y).is_err());
        // an honest prover of an unequal pair
        let lie = DleqProof::prove(&context, &x, &big_x, &big_h, &other, &mut rng);
        assert!(lie.verify(&context, &big_x, &big_h, &other).is_err());
        let o = G::identity();
        let empty = DleqProof::prove(&context, &x, &big_x, &o, &o, &mut rng);
        assert!(empty.verify(&context, &big_x, &o, &o).is_err());
        let mut w = Writer::new();
        proof.encode(&mut w);
        let bytes = w.finish();
        assert_eq!(bytes.len(), DleqProof::<G>::LEN);
        assert_eq!(DleqProof::decode(&mut Reader::new(&bytes)), Ok(proof));
    }

    #[test]
    fn equality_on_both_curves() {
        equality::<Secp256k1>();
        equality::<Ed25519>();
    }
}
