//! The four rounds as functions over parts of bodies, so that rounds 1 and 2 serve the bank and the run from scratch.

use super::{
    Setups, failed,
    item::{Link, OwnNonce, QuorumItem},
    request::QuorumTarget,
};
use crate::{Signature, item::COMMIT, online::x_mod_q};
use alloc::{collections::BTreeMap, vec::Vec};
use subtle::ConstantTimeEq;
use symbolon_core::{
    Group, ItemId, PartyId, Secp256k1, SecretBytes, SecretScalar, SeedRng, Sid, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_mta::{MulReceiver, MulSender, Purpose, SenderShare, Suite, extension_len, multiplication_len};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Agreed, Draft, Failed, Fault, Inbox, Roster, Run, To};

type Point = <Secp256k1 as Group>::Point;
type Scalar = <Secp256k1 as Group>::Scalar;

/// Bytes of the body of round 1.
pub(super) fn round_1_len(count: u16) -> usize {
    16 + extension_len(count)
}

/// Bytes of the largest body of round 2, the multiplications; the commitments have less.
pub(super) fn round_2_len(count: u16) -> usize {
    multiplication_len(2) * usize::from(count)
}

/// Bytes of the echo of round 3, all of this round in a run for the bank.
pub(super) const ECHO_LEN: usize = 32;
/// Bytes of the private body of round 3: `gamma_k, gamma_x, psi, Gamma_k, Gamma_x`.
const ROUND_3_GIVE_LEN: usize = 3 * 32 + 2 * 33;
/// Bytes of its broadcast behind the echo: `R_i`, opening, `pk_i`.
const ROUND_3_OPEN_LEN: usize = 33 + 32 + 33;
/// Bytes of the largest body of round 3, which is the private one; from the bank there is no echo.
pub(super) const ROUND_3_LEN: usize = ROUND_3_GIVE_LEN;
const _: () = assert!(ECHO_LEN + ROUND_3_OPEN_LEN <= ROUND_3_LEN, "the private body is the largest");
/// Bytes of the body of round 4: `u, w`, view hash.
pub(super) const ROUND_4_LEN: usize = 3 * 32;

/// Round 1 is out.
pub(super) struct Extended {
    count: u16,
    receivers: BTreeMap<PartyId, MulReceiver>,
}

/// Round 2 is out.
pub(super) struct Multiplied {
    own: Vec<OwnNonce>,
    receivers: BTreeMap<PartyId, MulReceiver>,
    /// By peer, an entry for each item.
    senders: BTreeMap<PartyId, Vec<SenderShare<2>>>,
}

/// The items of a run, and the hash over everybody's commitments that all must have seen alike.
pub(super) struct Made {
    pub(super) items: Vec<QuorumItem>,
    pub(super) echo: Echo,
}

/// The hash over everybody's commitments as they were received here.
pub(super) struct Echo([u8; ECHO_LEN]);

/// Round 3 is out.
pub(super) struct Opened {
    own: OwnNonce,
    /// The sid that the commitments are bound to.
    committed: Sid,
    /// Absent from the bank: there the name of the item binds all commitments.
    echo: Option<Echo>,
    links: BTreeMap<PartyId, Link>,
    x: SecretScalar<Secp256k1>,
    big_x: Point,
    encoded_x: [u8; 33],
}

/// Round 4 is out: the own partial, and what the signature is made with.
pub(super) struct Released {
    u: SecretScalar<Secp256k1>,
    w: SecretScalar<Secp256k1>,
    big_r: Point,
    view: [u8; 32],
}

/// Round 1: to each peer the id of the pair setup and an extension message, for which this signer is receiver. No nonce is
/// drawn before all peers' frames are in (safety.md S9).
pub(super) fn extend(setups: &Setups, run: &Run, count: u16, rng: &mut SeedRng) -> (Extended, Vec<Draft>) {
    let mut drafts = Vec::new();
    let mut receivers = BTreeMap::new();
    for (peer, setup) in setups {
        let mut w = Writer::with_capacity(round_1_len(count));
        w.bytes(setup.id().as_ref());
        let receiver = MulReceiver::extend(setup.receiver(), run.sid0(), Purpose::Preprocess, count, &mut w, rng);
        receivers.insert(*peer, receiver);
        drafts.push((To::One(*peer), w.finish()));
    }
    (Extended { count, receivers }, drafts)
}

impl Echo {
    /// `T("quorum echo", sid, for each i: i, com_i..)`; the sid has nonces and parameters.
    fn over(sid: &Sid, me: PartyId, own: &[OwnNonce], theirs: &BTreeMap<PartyId, Vec<Commitment>>) -> Self {
        let own: Vec<Commitment> = own.iter().map(|own| own.com).collect();
        let mut all: BTreeMap<PartyId, &[Commitment]> = theirs.iter().map(|(id, coms)| (*id, &coms[..])).collect();
        all.insert(me, &own);
        let start = Transcript::new("ecdsa", "quorum echo").part(sid);
        let absorb = |t: Transcript, (id, coms): (PartyId, &[Commitment])| {
            coms.iter().fold(t.number(id.get()), |t, com| t.part(com.as_bytes()))
        };
        Self(all.into_iter().fold(start, absorb).finish())
    }

    /// The body of round 3 in a run for the bank.
    pub(super) fn draft(&self) -> Draft {
        (To::All, self.0.to_vec())
    }

    /// Compares the echo that begins the broadcast of each peer.
    fn same(&self, mut peers: impl Iterator<Item = PartyId>, inbox: &Inbox) -> Result<(), (PartyId, Fault)> {
        peers.try_for_each(|peer| match inbox.broadcast(peer).array() {
            Ok(theirs) if self.0 == theirs => Ok(()),
            Ok(_) => Err((peer, Fault::View)),
            Err(error) => Err((peer, error.into())),
        })
    }
}

impl Made {
    /// End of round 3 in a run for the bank: all echoes agree, so that the items may be banked.
    ///
    /// # Errors
    /// [`Fault::View`] names nobody; [`Fault::Encoding`] with its sender.
    pub(super) fn agreed(self, roster: &Roster, inbox: &Inbox) -> Result<Vec<QuorumItem>, (PartyId, Fault)> {
        // a longer body is refused for its size
        self.echo.same(roster.peers(), inbox)?;
        Ok(self.items)
    }
}

impl Extended {
    /// Round 2. Setup ids are compared before anything else; each peer's extension is checked; then the nonces are drawn,
    /// from a generator that has absorbed the peers' nonces. To all `Com(R_i)` of each item under the sid; to each peer the
    /// multiplication messages.
    pub(super) fn multiply(
        self,
        setups: Setups,
        run: &Run,
        me: PartyId,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<(Multiplied, Setups, Vec<Draft>), Failed<Setups>> {
        let Self { count, receivers } = self;
        let wrong = setups.iter().find_map(|(peer, setup)| match inbox.private(*peer).array::<16>() {
            Ok(id) if id == *setup.id().as_bytes() => None,
            Ok(_) => Some((*peer, Fault::Mismatch(Agreed::Setup))),
            Err(error) => Some((*peer, error.into())),
        });
        if let Some((peer, fault)) = wrong {
            return Err(failed(peer, fault, setups));
        }
        let (mut senders, mut drafts) = (BTreeMap::new(), Vec::new());
        let mut fault = None;
        for (peer, setup) in &setups {
            let multiplied = inbox.private(*peer).whole(|r| {
                r.bytes(16)?;
                let sid0 = run.sid0_of(*peer);
                MulSender::extend(setup.sender(), sid0, Purpose::Preprocess, count, r)
            });
            let mut w = Writer::with_capacity(round_2_len(count));
            match multiplied {
                Ok(sender) => senders.insert(*peer, sender.under(run.sid()).multiply::<2>(&mut w, rng)),
                Err(error) => {
                    fault = Some((*peer, error));
                    break;
                }
            };
            drafts.push((To::One(*peer), w.finish()));
        }
        if let Some((peer, fault)) = fault {
            return Err(failed(peer, fault, setups));
        }
        let mut all = Writer::new();
        let own = (0..count).map(|_| OwnNonce::committed(&run.sid(), me, &mut all, rng)).collect();
        drafts.push((To::All, all.finish()));
        Ok((Multiplied { own, receivers, senders }, setups, drafts))
    }
}

impl OwnNonce {
    /// Draws `k_i` and `phi_i`, and writes `Com("ecdsa R", sid, i, R_i)`.
    fn committed(sid: &Sid, me: PartyId, w: &mut Writer, rng: &mut SeedRng) -> Self {
        let k = SecretScalar::<Secp256k1>::random(rng);
        let big_r = k.public();
        let encoded_r = Secp256k1::point_to_bytes(&big_r);
        let (com, opening) = Commitment::commit(COMMIT, sid, me, &encoded_r, rng);
        com.encode(w);
        Self { k, big_r, encoded_r, opening, com, phi: SecretScalar::random(rng) }
    }
}

/// `T("quorum item", sid, counter, all commitments)[..16]`.
fn item_id(sid: &Sid, counter: usize, me: PartyId, own: &Commitment, links: &BTreeMap<PartyId, Link>) -> ItemId {
    let mut all: BTreeMap<PartyId, &Commitment> = links.iter().map(|(peer, link)| (*peer, &link.com)).collect();
    all.insert(me, own);
    let start = Transcript::new("ecdsa", "quorum item").part(sid).number(u64::try_from(counter).unwrap_or(u64::MAX));
    let id = all.into_iter().fold(start, |t, (id, com)| t.number(id.get()).part(com.as_bytes()));
    ItemId::truncate(&id.finish())
}

impl Multiplied {
    /// End of round 2: everybody's commitments are read, then the multiplications are checked. The items are nobody's to use
    /// before all echoes agree.
    pub(super) fn finish(
        self,
        setups: Setups,
        run: &Run,
        roster: &Roster,
        inbox: &Inbox,
    ) -> Result<(Made, Setups), Failed<Setups>> {
        match self.items(&setups, run, roster, inbox) {
            Ok(made) => Ok((made, setups)),
            Err((peer, fault)) => Err(failed(peer, fault, setups)),
        }
    }

    fn items(mut self, setups: &Setups, run: &Run, roster: &Roster, inbox: &Inbox) -> Result<Made, (PartyId, Fault)> {
        let mut commitments = BTreeMap::new();
        for peer in setups.keys() {
            let coms = inbox.broadcast(*peer).whole(|r| self.own.iter().map(|_| Commitment::decode(r)).collect());
            let coms: Vec<Commitment> = coms.map_err(|error: DecodeError| (*peer, error.into()))?;
            commitments.insert(*peer, coms);
        }
        let echo = Echo::over(&run.sid(), roster.me(), &self.own, &commitments);
        let mut links: Vec<BTreeMap<PartyId, Link>> = self.own.iter().map(|_| BTreeMap::new()).collect();
        for (peer, setup) in setups {
            let missing = || (*peer, Fault::Multiplication);
            let receiver = self.receivers.remove(peer).ok_or_else(missing)?.under(run.sid());
            let received = inbox.private(*peer).whole(|r| receiver.multiply::<2>(r));
            let received = received.map_err(|fault| (*peer, fault))?;
            let senders = self.senders.remove(peer).ok_or_else(missing)?;
            let coms = commitments.remove(peer).ok_or_else(missing)?;
            // all points of this peer with one inversion
            let gammas: Vec<Point> = senders.iter().flat_map(|s| s.t().each_ref().map(SecretScalar::public)).collect();
            let gammas = Secp256k1::points_to_bytes(&gammas);
            let (gammas, _) = gammas.as_chunks::<2>();
            if [received.len(), senders.len(), coms.len(), gammas.len()] != [links.len(); 4] {
                return Err(missing());
            }
            let parts = links.iter_mut().zip(senders).zip(received).zip(coms.into_iter().zip(gammas));
            for (n, (((links, sender), receiver), (com, big_gamma))) in (0u64..).zip(parts) {
                let zero = Transcript::new("ecdsa", "zero item").part(setup.zero_seed().expose()).part(run.sid());
                let link = Link {
                    setup: setup.id(),
                    pair: *setup.pair(),
                    serial: setup.serial(),
                    com,
                    sender,
                    big_gamma: *big_gamma,
                    receiver,
                    zero: SecretBytes::new(zero.number(n).finish()),
                };
                links.insert(*peer, link);
            }
        }
        let suite = setups.values().next().map_or(Suite::default(), symbolon_mta::PairSetup::suite);
        let item = |(n, (own, links)): (usize, (OwnNonce, BTreeMap<PartyId, Link>))| {
            let id = item_id(&run.sid(), n, roster.me(), &own.com, &links);
            QuorumItem { id, sid: run.sid(), roster: roster.clone(), suite, own, links }
        };
        Ok(Made { items: self.own.into_iter().zip(links).enumerate().map(item).collect(), echo })
    }
}

/// `zeta_i = sum_{j>i} F(seed_ij, sid) - sum_{j<i} F(seed_ij, sid)`: the signers' add up to zero. The sid names the signers.
fn zero_share(me: PartyId, links: &BTreeMap<PartyId, Link>, sid: &Sid) -> SecretScalar<Secp256k1> {
    let mut zeta = SecretScalar::<Secp256k1>::new(Scalar::default());
    for (peer, link) in links {
        let f = Transcript::new("ecdsa", "zero share").part(link.zero.expose()).part(sid).scalar::<Secp256k1>();
        let f = SecretScalar::<Secp256k1>::new(if *peer > me { f } else { -f });
        zeta = SecretScalar::new(*zeta.expose() + *f.expose());
    }
    zeta
}

/// Round 3: to all the echo, unless the item is from a bank, `R_i`, its opening and `pk_i = sk_i*G` with
/// `sk_i = x_i + zeta_i`; to each peer `gamma_k = k_i - alpha_k`, `gamma_x = sk_i - alpha_x`, `psi = phi_i - beta`, `Gamma_k`,
/// `Gamma_x`. The item is gone.
pub(super) fn open(item: QuorumItem, echo: Option<Echo>, sid: &Sid, target: &QuorumTarget) -> (Opened, Vec<Draft>) {
    let QuorumItem { sid: committed, roster, own, links, .. } = item;
    let zeta = zero_share(roster.me(), &links, sid);
    let x = SecretScalar::<Secp256k1>::new(*target.x.expose() + *zeta.expose());
    let big_x = x.public();
    let encoded_x = Secp256k1::point_to_bytes(&big_x);
    let mut all = Writer::new();
    if let Some(Echo(echo)) = &echo {
        all.bytes(echo);
    }
    all.bytes(&own.encoded_r);
    own.opening.encode(&mut all);
    all.bytes(&encoded_x);
    let mut drafts = alloc::vec![(To::All, all.finish())];
    for (peer, link) in &links {
        let mut w = Writer::with_capacity(ROUND_3_GIVE_LEN);
        let [alpha_k, alpha_x] = link.sender.alpha();
        w.scalar::<Secp256k1>(&(*own.k.expose() - *alpha_k.expose()));
        w.scalar::<Secp256k1>(&(*x.expose() - *alpha_x.expose()));
        w.scalar::<Secp256k1>(&(*own.phi.expose() - *link.receiver.beta().expose()));
        link.big_gamma.iter().for_each(|gamma| {
            w.bytes(gamma);
        });
        drafts.push((To::One(*peer), w.finish()));
    }
    (Opened { own, committed, echo, links, x, big_x, encoded_x }, drafts)
}

/// A peer's round 3, decoded.
struct Shown {
    big_r: Point,
    encoded_r: [u8; 33],
    big_x: Point,
    encoded_x: [u8; 33],
    gamma_k: Scalar,
    gamma_x: Scalar,
    psi: Scalar,
    big_gamma: [u8; 66],
}

impl Shown {
    /// `committed` is the sid that the commitments are bound to; `echo` bytes were compared before.
    fn read(link: &Link, committed: &Sid, echo: usize, peer: PartyId, inbox: &Inbox) -> Result<Self, Fault> {
        let (encoded_r, opening, encoded_x) = inbox.broadcast(peer).whole(|r| {
            r.bytes(echo)?;
            Ok::<_, DecodeError>((r.array::<33>()?, Opening::decode(r)?, r.array::<33>()?))
        })?;
        let big_r = Secp256k1::point_from_bytes(&encoded_r)?;
        let big_x = Secp256k1::point_from_bytes(&encoded_x)?;
        link.com.verify(COMMIT, committed, peer, &encoded_r, &opening).map_err(|_| Fault::Opening)?;
        inbox.private(peer).whole(|r: &mut Reader<'_>| {
            let mut scalar = || r.scalar::<Secp256k1>();
            let (gamma_k, gamma_x, psi) = (scalar()?, scalar()?, scalar()?);
            let big_gamma = r.array()?;
            Ok(Self { big_r, encoded_r, big_x, encoded_x, gamma_k, gamma_x, psi, big_gamma })
        })
    }
}

impl Opened {
    /// Round 4: all echoes, before anything else; openings; both exponent equations with each peer,
    /// `Gamma_k = beta*R_j - d_k*G`, `Gamma_x = beta*pk_j - d_x*G`; `sum pk = P'`; then
    /// `u_i = k_i*(phi_i + sum psi_ji) + sum (t_k + d_k)`, `v_i = sk_i*(..) + sum (t_x + d_x)`, `w_i = h*phi_i + r*v_i`. From here
    /// on this signer has signed.
    ///
    /// # Errors
    /// The peer that failed a check, and the check; of several the lowest id. [`Fault::View`] comes before all others, and
    /// names nobody.
    pub(super) fn release(
        self,
        sid: &Sid,
        me: PartyId,
        target: &QuorumTarget,
        inbox: &Inbox,
    ) -> Result<(Released, Vec<Draft>), (PartyId, Fault)> {
        let echo = match &self.echo {
            Some(echo) => echo.same(self.links.keys().copied(), inbox).map(|()| ECHO_LEN)?,
            None => 0,
        };
        let mut factor = SecretScalar::<Secp256k1>::new(*self.own.phi.expose());
        let mut shares = [SecretScalar::<Secp256k1>::new(Scalar::default()), SecretScalar::new(Scalar::default())];
        let (mut big_r, mut sum_x) = (self.own.big_r, self.big_x);
        let mut seen = BTreeMap::from([(me, (self.own.encoded_r, self.encoded_x))]);
        for (peer, link) in &self.links {
            let shown = Shown::read(link, &self.committed, echo, *peer, inbox).map_err(|fault| (*peer, fault))?;
            if bool::from(shown.encoded_r.ct_eq(&self.own.encoded_r)) {
                return Err((*peer, Fault::Forbidden));
            }
            let beta = link.receiver.beta().expose();
            let [r_k, r_x] = link.receiver.r();
            let d_k = SecretScalar::<Secp256k1>::new(*r_k.expose() + shown.gamma_k * *beta);
            let d_x = SecretScalar::<Secp256k1>::new(*r_x.expose() + shown.gamma_x * *beta);
            let expected = Secp256k1::points_to_bytes(&[
                Secp256k1::mul_base_add(&-*d_k.expose(), &shown.big_r, beta),
                Secp256k1::mul_base_add(&-*d_x.expose(), &shown.big_x, beta),
            ]);
            if !bool::from(expected.as_flattened().ct_eq(&shown.big_gamma)) {
                return Err((*peer, Fault::Exponent));
            }
            let [t_k, t_x] = link.sender.t();
            factor = SecretScalar::new(*factor.expose() + shown.psi);
            let [of_k, of_x] = &shares;
            shares = [
                SecretScalar::new(*of_k.expose() + *t_k.expose() + *d_k.expose()),
                SecretScalar::new(*of_x.expose() + *t_x.expose() + *d_x.expose()),
            ];
            (big_r, sum_x) = (big_r + shown.big_r, sum_x + shown.big_x);
            seen.insert(*peer, (shown.encoded_r, shown.encoded_x));
        }
        if sum_x != target.public_key {
            return Err((me, Fault::PublicKeySum));
        }
        let r = x_mod_q(&big_r).map_err(|fault| (me, fault))?;
        let [of_k, of_x] = &shares;
        let u = SecretScalar::<Secp256k1>::new(*self.own.k.expose() * *factor.expose() + *of_k.expose());
        let v = SecretScalar::<Secp256k1>::new(*self.x.expose() * *factor.expose() + *of_x.expose());
        let w = target.digest.to_scalar() * *self.own.phi.expose() + r * *v.expose();
        let w = SecretScalar::<Secp256k1>::new(w);
        let view = seen.iter().fold(Transcript::new("ecdsa", "quorum view").part(sid), |t, (id, (r, x))| {
            t.number(id.get()).part(r).part(x)
        });
        let view = view.finish();
        let mut out = Writer::with_capacity(ROUND_4_LEN);
        out.scalar::<Secp256k1>(u.expose()).scalar::<Secp256k1>(w.expose()).bytes(&view);
        Ok((Released { u, w, big_r, view }, alloc::vec![(To::All, out.finish())]))
    }
}

impl Released {
    /// The signature `s = sum w / sum u`, low-s, verified under the derived key before it is returned.
    ///
    /// # Errors
    /// [`Fault::Encoding`] with its sender; [`Fault::View`], [`Fault::ZeroDenominator`], [`Fault::Signature`] name nobody.
    pub(super) fn finish(
        self,
        peers: impl Iterator<Item = PartyId>,
        target: &QuorumTarget,
        inbox: &Inbox,
    ) -> Result<Signature, (PartyId, Fault)> {
        let (mut u, mut w, mut last) = (*self.u.expose(), *self.w.expose(), PartyId::SERVER);
        for peer in peers {
            let read = inbox.broadcast(peer).whole(|r| {
                Ok::<_, DecodeError>((r.scalar::<Secp256k1>()?, r.scalar::<Secp256k1>()?, r.array::<32>()?))
            });
            let (their_u, their_w, view) = read.map_err(|error| (peer, error.into()))?;
            if view != self.view {
                return Err((peer, Fault::View));
            }
            (u, w, last) = (u + their_u, w + their_w, peer);
        }
        if u == Scalar::from(0u64) {
            return Err((last, Fault::ZeroDenominator));
        }
        let s = w * Secp256k1::invert(&u);
        let signature = Signature::new(&self.big_r, &s).map_err(|_| (last, Fault::Signature))?;
        signature.verify(&target.public_key, &target.digest).map_err(|_| (last, Fault::Signature))?;
        Ok(signature)
    }
}

#[cfg(test)]
mod tests;
