//! Steps 3 and 4 of signing (docs/spec/ecdsa.md), shared by signing from a bank, from scratch and in composed runs.

use crate::{
    Digest, Signature,
    item::{COMMIT, Hidden, OwnHalf, PeerHalf},
};
use subtle::ConstantTimeEq;
use symbolon_core::{
    Group, PartyId, Role, Secp256k1, SecretScalar, Sid, Transcript,
    wire::{Reader, Writer},
};
use symbolon_proofs::Opening;
use symbolon_session::{Fault, Pair};

type Point = <Secp256k1 as Group>::Point;
type Scalar = <Secp256k1 as Group>::Scalar;

/// Bytes of step 3 of the client: `R, gamma_k, gamma_x, Gamma_k, Gamma_x`.
pub const CLIENT_STEP_3_LEN: usize = 33 + 2 * 32 + 2 * 33;
/// Bytes of step 3 of the server: the opening of its commitment before all that.
pub const SERVER_STEP_3_LEN: usize = 32 + CLIENT_STEP_3_LEN;
/// Bytes of step 4: `u, w`, and the view hash.
pub const STEP_4_LEN: usize = 3 * 32;

/// What is fixed once message, key and path are: the own additive share `x_i` (Lagrange-weighted, tweaked), the derived
/// public key `P'`, the digest. The peer's point of the same kind is `X' = P' - x_i*G`: the public shares of a
/// [`symbolon_sharing::KeyShare`] add up to the key.
pub struct Target {
    pub(crate) server: PartyId,
    pub(crate) x: SecretScalar<Secp256k1>,
    pub(crate) public_key: Point,
    pub(crate) digest: Digest,
}

/// The outcome of the checks on the peer's step 3: the own halves of both products, and the peer's nonce point.
struct Checked {
    big_r_peer: Point,
    encoded_r_peer: [u8; 33],
    d_k: SecretScalar<Secp256k1>,
    d_x: SecretScalar<Secp256k1>,
}

/// `u_i, w_i`; sending them is signing.
struct Partial {
    u: SecretScalar<Secp256k1>,
    w: SecretScalar<Secp256k1>,
    /// The own `R_i`, encoded.
    encoded_r: [u8; 33],
    /// `R = R_1 + R_2`.
    big_r: Point,
}

/// Step 3: opens `R_i`; writes `gamma_k = k_i - alpha_k`, `gamma_x = x_i - alpha_x`, `Gamma_k`, `Gamma_x`.
pub fn open(own: &OwnHalf, target: &Target, w: &mut Writer) {
    if let Hidden::Own(_, opening) = &own.hidden {
        opening.encode(w);
    }
    let [alpha_k, alpha_x] = &own.alpha;
    w.bytes(&own.encoded_r());
    w.scalar::<Secp256k1>(&(*own.k.expose() - *alpha_k.expose()));
    w.scalar::<Secp256k1>(&(*target.x.expose() - *alpha_x.expose()));
    own.big_gamma.iter().for_each(|gamma| {
        w.bytes(gamma);
    });
}

/// Step 3 on the peer's values: the opening, then both checks in the exponent.
///
/// `d_k = r_k + gamma'_k*beta`, `d_x = r_x + gamma'_x*beta`; the encodings of `beta*R' - d_k*G` and `beta*X' - d_x*G`
/// must be `Gamma'_k` and `Gamma'_x`, compared together and in constant time.
fn check(own: &OwnHalf, peer: &PeerHalf, target: &Target, r: &mut Reader<'_>) -> Result<Checked, Fault> {
    let opening = match &own.hidden {
        Hidden::Peer(com) => Some((com, Opening::decode(r)?)),
        Hidden::Own(..) | Hidden::Open => None,
    };
    let encoded_r_peer = r.array::<33>()?;
    let big_r_peer = Secp256k1::point_from_bytes(&encoded_r_peer)?;
    let (gamma_k, gamma_x) = (r.scalar::<Secp256k1>()?, r.scalar::<Secp256k1>()?);
    let claimed = r.array::<66>()?;
    if let Some((com, opening)) = opening {
        com.verify(COMMIT, &own.origin.sid, target.server, &encoded_r_peer, &opening).map_err(|_| Fault::Opening)?;
    }
    if bool::from(encoded_r_peer.ct_eq(&own.encoded_r())) {
        return Err(Fault::Forbidden);
    }
    let beta = peer.beta.expose();
    let [r_k, r_x] = &peer.r;
    let d_k = SecretScalar::<Secp256k1>::new(*r_k.expose() + gamma_k * *beta);
    let d_x = SecretScalar::<Secp256k1>::new(*r_x.expose() + gamma_x * *beta);
    // beta*X' - d_x*G with X' = P' - x*G: one multiplication by G less than through X'
    let on_base = SecretScalar::<Secp256k1>::new(-(*d_x.expose() + *beta * *target.x.expose()));
    let expected = Secp256k1::points_to_bytes(&[
        Secp256k1::mul_base_add(&-*d_k.expose(), &big_r_peer, beta),
        Secp256k1::mul_base_add(on_base.expose(), &target.public_key, beta),
    ]);
    if bool::from(expected.as_flattened().ct_eq(&claimed)) {
        Ok(Checked { big_r_peer, encoded_r_peer, d_k, d_x })
    } else {
        Err(Fault::Exponent)
    }
}

/// Step 4: `u_i = k_i*beta_i + t_k + d_k`, `v_i = x_i*beta_i + t_x + d_x`, `R = R_1 + R_2`, `r = x(R) mod q`,
/// `w_i = h*beta_i + r*v_i`. Consumes the correlation.
fn partial(own: OwnHalf, peer: PeerHalf, target: &Target, checked: &Checked) -> Result<Partial, Fault> {
    let beta = peer.beta.expose();
    let [t_k, t_x] = &own.t;
    let big_r = checked.big_r_peer + own.big_r;
    let r = x_mod_q(&big_r)?;
    let u = *own.k.expose() * *beta + *t_k.expose() + *checked.d_k.expose();
    let v = SecretScalar::<Secp256k1>::new(*target.x.expose() * *beta + *t_x.expose() + *checked.d_x.expose());
    let w = target.digest.to_scalar() * *beta + r * *v.expose();
    Ok(Partial { u: SecretScalar::new(u), w: SecretScalar::new(w), encoded_r: own.encoded_r(), big_r })
}

/// `x(R) mod q`; refuses `R = O` and `r = 0`.
pub(crate) fn x_mod_q(big_r: &Point) -> Result<Scalar, Fault> {
    let bytes = Secp256k1::point_to_bytes(big_r);
    let (tag, x) = bytes.split_first_chunk::<1>().ok_or(Fault::DegenerateNonce)?;
    let mut wide = [0; 64];
    let (_, low) = wide.split_at_mut(32);
    low.copy_from_slice(x);
    let r = Secp256k1::scalar_from_wide(&wide);
    if *tag == [0] || r == Scalar::from(0u64) { Err(Fault::DegenerateNonce) } else { Ok(r) }
}

/// The hash that ties a partial to the run and to both nonce points: `T("sign", sid, R_1, R_2)`.
fn view(sid: &Sid, server: &[u8; 33], client: &[u8; 33]) -> [u8; 32] {
    Transcript::new("ecdsa", "sign").part(sid).part(server).part(client).finish()
}

impl Partial {
    /// Step 4, responder (server): writes `u, w` and the view hash. From here on it has signed.
    fn release(&self, sid: &Sid, checked: &Checked, w: &mut Writer) {
        w.scalar::<Secp256k1>(self.u.expose()).scalar::<Secp256k1>(self.w.expose());
        w.bytes(&view(sid, &self.encoded_r, &checked.encoded_r_peer));
    }

    /// Step 4, initiator (client): `s = (w_1 + w_2) / (u_1 + u_2)`, low-s, verified under the derived key before it is
    /// returned.
    fn finish(self, sid: &Sid, checked: &Checked, target: &Target, r: &mut Reader<'_>) -> Result<Signature, Fault> {
        let (u, w, seen) = (r.scalar::<Secp256k1>()?, r.scalar::<Secp256k1>()?, r.array::<32>()?);
        if seen != view(sid, &checked.encoded_r_peer, &self.encoded_r) {
            return Err(Fault::View);
        }
        let denominator = *self.u.expose() + u;
        if denominator == Scalar::from(0u64) {
            return Err(Fault::ZeroDenominator);
        }
        let s = (*self.w.expose() + w) * Secp256k1::invert(&denominator);
        let signature = Signature::new(&self.big_r, &s).map_err(|_| Fault::Signature)?;
        signature.verify(&target.public_key, &target.digest).map_err(|_| Fault::Signature)?;
        Ok(signature)
    }
}

/// The weighted, tweaked target of one signer: `x_i = lambda_i*x_i (+ tweak)`, the tweak on the server, the lower party id.
pub(crate) fn target(
    x: Scalar,
    lambda: Scalar,
    tweak: Scalar,
    pair: &Pair,
    public_key: Point,
    digest: Digest,
) -> Target {
    let weighted = x * lambda;
    let x = SecretScalar::<Secp256k1>::new(match pair.role() {
        Role::Server => weighted + tweak,
        Role::Client => weighted,
    });
    Target { server: pair.id(Role::Server), x, public_key, digest }
}

/// Steps 3 and 4 of the server: checks the client's step 3, then writes its own opening and its partial. Gives `R`.
/// From here on the server has signed.
///
/// # Errors
/// [`Fault::Exponent`], [`Fault::Forbidden`], [`Fault::DegenerateNonce`], [`Fault::Encoding`].
pub fn server_signs(
    sid: &Sid,
    own: OwnHalf,
    peer: PeerHalf,
    target: &Target,
    r: &mut Reader<'_>,
    w: &mut Writer,
) -> Result<Point, Fault> {
    let checked = check(&own, &peer, target, r)?;
    let mut opened = Writer::with_capacity(SERVER_STEP_3_LEN);
    open(&own, target, &mut opened);
    let partial = partial(own, peer, target, &checked)?;
    w.bytes(&opened.finish());
    partial.release(sid, &checked, w);
    Ok(partial.big_r)
}

/// Step 3 on the server's values, then step 4 of the client: the signature, verified.
///
/// # Errors
/// [`Fault::Opening`], [`Fault::Exponent`], [`Fault::Forbidden`], [`Fault::View`], [`Fault::DegenerateNonce`],
/// [`Fault::ZeroDenominator`], [`Fault::Signature`], [`Fault::Encoding`].
pub fn client_finishes(
    sid: &Sid,
    own: OwnHalf,
    peer: PeerHalf,
    target: &Target,
    r: &mut Reader<'_>,
) -> Result<Signature, Fault> {
    let checked = check(&own, &peer, target, r)?;
    partial(own, peer, target, &checked)?.finish(sid, &checked, target, r)
}
