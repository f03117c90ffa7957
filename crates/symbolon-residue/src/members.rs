//! Keys of three holders on both curves: made, refreshed, handed over, used.

use crate::{
    Needles,
    report::{Pass, Report},
    run::{Joined, Napping, Twist, play, resume_ending, run, start, storage},
    secrets::{Recording, Secrets, watch_identity},
    watched::{Watched, deals, hedged},
};
use rand_core::Rng;
use std::collections::BTreeMap;
use symbolon::{
    Auth, DerivationPath, Header, Identity, IdentityKey, KeyShare, Label, MemoryLedger, PairSetup, PartyId, Payload,
    Protocol, Roster, Scheme, Session, Setup, Signature, Suite, Suspend, Threshold, close,
    committee::{Change, Consent, DeviceKey, OpenWith, Reshared, SealTo},
    frost::{
        self, Ciphersuite, CommitmentList, FrostItem, FrostOnline, FrostOnlineSetup, FrostPreprocess,
        FrostPreprocessSetup, FrostRequest, FrostSign, Nonces, Signers, SigningPackage,
    },
};
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes, SecretScalar, Transcript};
use symbolon_ecdsa::{
    QuorumFull, QuorumFullSetup, QuorumItem, QuorumOnline, QuorumOnlineSetup, QuorumPreprocess, QuorumPreprocessSetup,
    QuorumRequest,
};
use symbolon_mta::{CommitteeSetup, CommitteeTerms};
use symbolon_sharing::{
    Dkg, DkgSetup, Factors, HandOver, Plan, Refreshes, Resealed, Reshare, hand_over, refresh, retire,
};
use symbolon_testkit::{Lie, Lying};

impl<G: Group> Secrets for Reshared<G> {
    fn watch(&self) {
        self.share.watch();
    }
}

impl Secrets for Signature {
    fn watch(&self) {}
}

/// What it holds is drawn: `k` is a scalar of a round's stream.
impl Secrets for QuorumItem {
    fn watch(&self) {}
}

/// Its nonces are [`hedged`].
impl<C: Ciphersuite> Secrets for FrostItem<C> {
    fn watch(&self) {}
}

impl<C: Ciphersuite> Secrets for frost::Signature<C> {
    fn watch(&self) {}
}

type Shares<G> = BTreeMap<PartyId, KeyShare<G>>;
type AllSetups = BTreeMap<PartyId, BTreeMap<PartyId, PairSetup>>;
const MESSAGE: &[u8] = b"a message to sign";

pub fn id(i: u16) -> PartyId {
    PartyId::new(i).expect("not zero")
}

/// The seed of an identity key.
pub fn seed(i: u16) -> SecretBytes<32> {
    SecretBytes::random(&mut Recording::new(500 + u64::from(i)))
}

pub fn key(me: PartyId) -> IdentityKey {
    IdentityKey::from_seed(seed(me.get()))
}

pub fn auth(me: PartyId) -> Auth {
    Auth::Signed(key(me))
}

/// The keys that sign frames, in the forms of their scalars too.
pub fn watch_keys(r: &Report) {
    if r.pass == Pass::Learn {
        (1..=5).for_each(|i| watch_identity(seed(i).expose()));
    }
}

pub fn holder(i: u16) -> (PartyId, Identity) {
    (id(i), key(id(i)).identity())
}

fn members() -> Vec<(PartyId, Identity)> {
    (1..=3).map(holder).collect()
}

fn two() -> Threshold {
    Threshold::new(2, 3).expect("two of three")
}

fn dkg_setup<G: Group>(me: PartyId, scheme: Scheme) -> DkgSetup<G> {
    DkgSetup::new(Roster::new(me, members()).expect("a committee"), two(), scheme).expect("two of three")
}

/// Ends of an honest run.
pub fn outputs<O: Secrets, H: Secrets>(ends: BTreeMap<PartyId, crate::run::End<O, H>>) -> BTreeMap<PartyId, O> {
    ends.into_iter().map(|(id, end)| (id, end.output.expect("an honest run ends"))).collect()
}

fn dkg<G: Group>(r: &mut Report, scheme: Scheme, twist: Twist) -> BTreeMap<PartyId, crate::run::End<KeyShare<G>, ()>> {
    let parties = members().iter().map(|m| (dkg_setup(m.0, scheme), &(), (), auth(m.0))).collect();
    play::<Dkg<G>>(r, parties, twist, 30)
}

/// The first member lies in its message of this number.
fn with_liar<P: Protocol>(r: &mut Report, parties: Vec<(P::Setup, &P::LongTerm, P::Input)>, message: usize)
where
    P::Output: Secrets,
    P::Held: Secrets,
{
    let mut joined: Vec<Joined<'_, P::Output, P::Held>> = Vec::new();
    for (setup, secrets, input) in parties {
        let me = setup.roster().me();
        if me == id(1) {
            let lie: Lie = Box::new(move |telling| {
                if telling.message == message
                    && let Some(byte) = telling.body.last_mut()
                {
                    *byte ^= 1;
                }
            });
            let label = Label::new("residue").expect("short");
            let mut rng = symbolon_testkit::seeded(33);
            let (session, frames) =
                Session::<Lying<P>>::start(setup, secrets, (input, lie), label, auth(me), &mut rng).expect("starts");
            joined.push((me, Box::new(session), frames));
        } else {
            joined.push(start::<P>(r, setup, secrets, input, auth(me), 34));
        }
    }
    let ends = run(r, joined, Twist::Honest, deals::<P>());
    r.entry("drop", || drop(ends));
}

/// Every session is stored between two entries.
fn napping<P: Suspend>(r: &mut Report, parties: Vec<(P::Setup, &P::LongTerm)>)
where
    P::Output: Secrets,
    P::Held: Secrets,
{
    let mut joined: Vec<Joined<'_, P::Output, P::Held>> = Vec::new();
    for (setup, secrets) in parties {
        let me = setup.roster().me();
        let mut rng = Recording::new(600 + u64::from(me.get()));
        let label = Label::new("residue").expect("short");
        let auth_of = move || auth(me);
        let started = r.entry("Session::start", || {
            Session::<Watched<P>>::start(setup, secrets, P::Input::default(), label, auth(me), &mut rng)
        });
        let (session, frames) = started.expect("it starts");
        let key = storage();
        let sealed = r.entry("Session::suspend", || session.suspend(&key, &mut rng)).expect("it is suspended");
        r.publish(&sealed);
        let ledger = MemoryLedger::default();
        joined.push((me, Box::new(Napping::<P> { sealed, secrets, auth: Box::new(auth_of), ledger, rng }), frames));
    }
    let ends = run(r, joined, Twist::Honest, deals::<P>());
    r.entry("drop", || drop(ends));
}

fn names<G: Group>(secp256k1: &'static str, ed25519: &'static str) -> &'static str {
    if G::ID == Ed25519::ID { ed25519 } else { secp256k1 }
}

/// Runs them all.
pub fn all(reports: &mut Vec<Report>, only: Option<&str>) {
    keys::<Secp256k1>(reports, only, Scheme::Ecdsa);
    keys::<Ed25519>(reports, only, Scheme::Frost);
    Report::add(reports, only, "ECDSA of three", ecdsa);
    Report::add(reports, only, "FROST on Ed25519", frost::<Ed25519>);
    Report::add(reports, only, "FROST on secp256k1", frost::<Secp256k1>);
}

fn keys<G: Group>(reports: &mut Vec<Report>, only: Option<&str>, scheme: Scheme) {
    Report::add(reports, only, names::<G>("key of three on secp256k1", "key of three on Ed25519"), |r| {
        watch_keys(r);
        for twist in [Twist::Honest].into_iter().chain((0..18).step_by(3).map(Twist::Cancel)) {
            let ends = dkg::<G>(r, scheme, twist);
            for (me, sealed) in ends.iter().filter_map(|(me, end)| end.sealed.as_ref().map(|sealed| (*me, sealed))) {
                resume_ending::<Dkg<G>>(r, sealed, auth(me));
            }
            if twist == Twist::Cancel(6) {
                // the first member is asked again by the second
                let (frame, mut ledger) = (&ends[&id(2)].sent[0], MemoryLedger::default());
                let roster = Roster::new(id(1), members()).expect("a committee");
                let closed = r.entry("session::close", || {
                    close::<Dkg<G>, _>(id(2), frame, &roster, auth(id(1)), &mut ledger).is_ok()
                });
                assert!(closed);
            }
            r.entry("drop", || drop(ends));
        }
        for message in 1..=4 {
            let parties = members().iter().map(|m| (dkg_setup::<G>(m.0, scheme), &(), ())).collect();
            with_liar::<Dkg<G>>(r, parties, message);
        }
        napping::<Dkg<G>>(r, members().iter().map(|m| (dkg_setup::<G>(m.0, scheme), &())).collect());
    });
    Report::add(reports, only, names::<G>("who is away on secp256k1", "who is away on Ed25519"), |r| {
        away::<G>(r, scheme)
    });
    Report::add(reports, only, names::<G>("resharing on secp256k1", "resharing on Ed25519"), |r| {
        watch_keys(r);
        let shares = outputs(dkg::<G>(r, scheme, Twist::Honest));
        let dealers = [id(1), id(3)];
        let all = |r: &mut Report| {
            let mut ready = Vec::new();
            for share in shares.values() {
                let one = r.entry("sharing::refresh", || refresh(share, &dealers, 1, Factors::Gone));
                ready.push((share.me(), one.expect("a later epoch")));
            }
            ready
        };
        for twist in [Twist::Honest].into_iter().chain((0..18).step_by(4).map(Twist::Cancel)) {
            let (mut setups, mut sources) = (Vec::new(), Vec::new());
            for (me, (setup, source)) in all(r) {
                setups.push((me, setup));
                sources.push(source);
            }
            let parties = setups.into_iter().zip(&sources);
            let parties = parties.map(|((me, setup), source)| (setup, source, (), auth(me))).collect();
            let ends = play::<Reshare<G, Refreshes>>(r, parties, twist, 35);
            r.entry("drop", || drop((ends, sources)));
        }
        for message in 1..=4 {
            let (setups, sources): (Vec<_>, Vec<_>) = all(r).into_iter().map(|(_, ready)| ready).unzip();
            let parties = setups.into_iter().zip(&sources).map(|(setup, source)| (setup, source, ())).collect();
            with_liar::<Reshare<G, Refreshes>>(r, parties, message);
        }
        let (setups, sources): (Vec<_>, Vec<_>) = all(r).into_iter().map(|(_, ready)| ready).unzip();
        napping::<Reshare<G, Refreshes>>(r, setups.into_iter().zip(&sources).collect());

        // one more holder, and the old shares retired
        let plan = Plan::of(&shares[&id(1)], &dealers, 1, Factors::Gone).add_device(holder(4)).expect("a new one");
        let consent = Consent::new(plan.changes());
        let (mut setups, mut sources) = (Vec::new(), Vec::new());
        for i in 1..=4 {
            let share = shares.get(&id(i));
            let ready = r.entry("sharing::hand_over", || hand_over(id(i), share, plan.clone(), &consent));
            let (setup, source) = ready.expect("the plan");
            setups.push((id(i), setup));
            sources.push(source);
        }
        let parties = setups.into_iter().zip(&sources);
        let parties = parties.map(|((me, setup), source)| (setup, source, (), auth(me))).collect();
        let new = outputs(play::<Reshare<G, HandOver>>(r, parties, Twist::Honest, 36));
        let mut health = new[&id(1)].health.clone();
        (1..=4).for_each(|i| health.note_finished(id(i)));
        for (me, old) in shares {
            let token = Resealed::without_backup(&new[&me].health);
            let consent = Consent::new([Change::Retires(old.key_id(), old.epoch())]);
            r.entry("sharing::retire", || retire(old, &mut health, &token, &consent))
                .map_err(|e| e.1)
                .expect("retired");
        }
        r.entry("drop", || drop((new, sources)));
    });
}

/// The third holder is away, and takes its share later: with a device key or with its old share.
fn away<G: Group>(r: &mut Report, scheme: Scheme) {
    watch_keys(r);
    let device = DeviceKey::generate(&mut Recording::new(70)).unwrap_or_else(|never| match never {});
    if r.pass == Pass::Learn {
        Needles::watch("a device key", device.to_bytes().expose());
    }
    let shares = outputs(dkg::<G>(r, scheme, Twist::Honest));
    let old = [&shares[&id(3)]];
    let dealers = [id(1), id(2)];
    let ways = [
        (SealTo::Device(*device.public()), OpenWith::Device(&device)),
        (SealTo::OldShare, OpenWith::OldShares(old.as_slice())),
    ];
    for (to, with) in ways {
        let absent = [(id(3), to)];
        let ready = |me| refresh(&shares[&me], &dealers, 1, Factors::Gone).expect("a later epoch");
        let (setups, sources): (Vec<_>, Vec<_>) = dealers.map(ready).into_iter().unzip();
        let parties = setups.into_iter().zip(&sources).map(|(setup, source)| {
            let me = setup.roster().me();
            (setup.with_offline(&absent).expect("one is away"), source, (), auth(me))
        });
        let ends = play::<Reshare<G, Refreshes>>(r, parties.collect(), Twist::Honest, 45);
        let rounds = <Reshare<G, Refreshes> as Protocol>::ROUNDS;
        let last = |frame: &&Vec<u8>| Header::parse(frame).is_ok_and(|header| header.round == rounds);
        let words: Vec<_> = ends.values().flat_map(|end| &end.sent).filter(last).cloned().collect();
        let made = ends[&id(1)].output.as_ref().expect("an honest run ends");
        let package = made.package.as_ref().expect("one is away");
        let holder = ready(id(3)).0.offline_holder(&absent).expect("it is in the list");
        let (label, mut rng) = (Label::new("residue").expect("short"), Recording::new(71));
        let mine = r.entry("OfflineHolder::receive", || holder.receive(&label, package, &words, with, &mut rng));
        let mine = mine.expect("it opens");
        let refused =
            r.entry("OfflineHolder::receive", || holder.receive(&label, package, &words[1..], with, &mut rng));
        assert!(refused.is_err());
        let (share, own) = (mine.share.as_ref().expect("a member"), key(id(3)));
        if r.pass == Pass::Learn {
            share.watch();
        }
        r.entry("KeyHealth::confirmation", || mine.health.confirmation(share, &own).is_ok());
        r.entry("drop", || drop((mine, ends, own)));
    }
    r.entry("drop", || drop((shares, device)));
}

fn setups(r: &mut Report, twist: Twist) -> AllSetups {
    let terms = |me| CommitteeTerms::new(me, members(), Suite::Blake3, 0).expect("three members");
    let parties = members().iter().map(|m| (terms(m.0), &(), (), auth(m.0))).collect();
    let ends = play::<CommitteeSetup>(r, parties, twist, 37);
    ends.into_iter().filter_map(|(id, end)| end.output.map(|made| (id, made))).collect()
}

fn ecdsa(r: &mut Report) {
    watch_keys(r);
    let three = Threshold::new(3, 3).expect("three of three");
    let setup = |me| DkgSetup::new(Roster::new(me, members()).expect("a committee"), three, Scheme::Ecdsa);
    let parties = members().iter().map(|m| (setup(m.0).expect("three of three"), &(), (), auth(m.0))).collect();
    let shares: Shares<Secp256k1> = outputs(play::<Dkg<Secp256k1>>(r, parties, Twist::Honest, 31));
    for at in [0, 4, 9] {
        let left = setups(r, Twist::Cancel(at));
        r.entry("drop", || drop(left));
    }
    let signers = [id(1), id(2), id(3)];
    let path: DerivationPath = "m/0/5".parse().expect("a path");
    let request = |share: &KeyShare<Secp256k1>| {
        QuorumRequest::new(share, &signers, Payload::personal_message(MESSAGE), path.clone()).expect("this key")
    };
    for twist in [Twist::Honest, Twist::Cancel(0), Twist::Cancel(2), Twist::Cancel(4)] {
        // from the bank
        let mut parties = Vec::new();
        for (me, mut own) in setups(r, Twist::Honest) {
            let setup = QuorumPreprocessSetup::new(me, &members(), &mut own, 2).expect("runs left");
            parties.push((setup, &(), own, auth(me)));
        }
        let ends = play::<QuorumPreprocess>(r, parties, twist, 38);
        let mut online = Vec::new();
        let mut held = BTreeMap::new();
        for (me, end) in ends {
            held.extend(end.held.map(|setups| (me, setups)));
            let Some(mut items) = end.output else { continue };
            let item = items.pop().expect("two items");
            r.entry("drop", || drop(items));
            let request = request(&shares[&me]);
            let signer = r.entry("QuorumRequest::signer", || request.signer(&shares[&me])).expect("its share");
            online.push((me, QuorumOnlineSetup::new(request, &item).expect("its item"), signer, item));
        }
        if twist != Twist::Honest {
            r.entry("drop", || drop((online, held)));
            continue;
        }
        let (mut parties, mut keep) = (Vec::new(), Vec::new());
        for (me, setup, signer, item) in online {
            keep.push(signer);
            parties.push((me, setup, item));
        }
        let parties = parties.into_iter().zip(&keep).map(|((me, setup, item), signer)| (setup, signer, item, auth(me)));
        play::<QuorumOnline>(r, parties.collect(), Twist::Honest, 39);
        // and from scratch, honest and not
        for twist in [Twist::Cancel(3), Twist::Honest] {
            let (mut parties, mut signers) = (Vec::new(), Vec::new());
            for (me, mut own) in core::mem::take(&mut held) {
                let request = request(&shares[&me]);
                signers.push(r.entry("QuorumRequest::signer", || request.signer(&shares[&me])).expect("its share"));
                parties.push((me, QuorumFullSetup::new(request, &mut own).expect("runs left"), own));
            }
            let parties = parties.into_iter().zip(&signers);
            let parties = parties.map(|((me, setup, own), signer)| (setup, signer, own, auth(me))).collect();
            let ends = play::<QuorumFull>(r, parties, twist, 40);
            held = ends.into_iter().filter_map(|(me, end)| end.held.map(|setups| (me, setups))).collect();
            r.entry("drop", || drop(signers));
        }
        r.entry("drop", || drop((held, keep)));
    }
    r.entry("drop", || drop(shares));
}

/// The nonce is a hash over what was drawn.
fn sign_alone<C: Ciphersuite>(r: &mut Report, scalar: &SecretScalar<C>) {
    let mut rng = Recording::new(49);
    r.entry("frost::sign_with_scalar", || frost::sign_with_scalar(scalar, MESSAGE, &mut rng).is_ok());
    if r.pass == Pass::Learn {
        let t = Transcript::new("eddsa", "offline nonce").part([C::ID]).part(rng.log[0].as_slice());
        let nonce = t.part(scalar.to_bytes().expose()).part(MESSAGE).scalar::<C>();
        Needles::watch_scalar::<C>("an offline nonce", &nonce);
    }
}

fn frost<C: Ciphersuite>(r: &mut Report) {
    watch_keys(r);
    let shares: Shares<C> = outputs(dkg::<C>(r, Scheme::Frost, Twist::Honest));
    if r.pass == Pass::Learn {
        shares.values().for_each(|share| hedged::<C>(share.secret()));
    }
    let signers = [id(1), id(2), id(3)];
    let request = |share| FrostRequest::new(share, &signers, MESSAGE).expect("these signers");
    for twist in [Twist::Honest, Twist::Cancel(0), Twist::Cancel(3), Twist::Cancel(6)] {
        let parties = shares.values().map(|share| (request(share), share, (), auth(share.me()))).collect();
        play::<FrostSign<C>>(r, parties, twist, 41);
    }
    for message in 1..=2 {
        let parties = shares.values().map(|share| (request(share), share, ())).collect();
        with_liar::<FrostSign<C>>(r, parties, message);
    }
    napping::<FrostSign<C>>(r, shares.values().map(|share| (request(share), share)).collect());
    let batch = |share| FrostPreprocessSetup::new(share, &signers, 2).expect("these signers");
    let parties = shares.values().map(|share| (batch(share), share, (), auth(share.me()))).collect();
    let made = outputs(play::<FrostPreprocess<C>>(r, parties, Twist::Honest, 42));
    let mut parties = Vec::new();
    for (me, mut items) in made {
        let item = items.pop().expect("two items");
        r.entry("drop", || drop(items));
        let setup = FrostOnlineSetup::new(&shares[&me], &item, MESSAGE).expect("its item");
        parties.push((setup, &shares[&me], item, auth(me)));
    }
    play::<FrostOnline<C>>(r, parties, Twist::Honest, 43);

    // with a coordinator
    let mut nonces = BTreeMap::new();
    for (me, share) in &shares {
        let mut rng = Recording::new(44 + u64::from(me.get()));
        let made = r.entry("frost::Nonces::generate", || Nonces::generate(share, &mut rng));
        nonces.insert(*me, made.unwrap_or_else(|never| match never {}));
    }
    let of = Signers::of(&shares[&id(1)], &signers).expect("these signers");
    let list = CommitmentList::new(nonces.iter().map(|(me, own)| (*me, *own.commitments()))).expect("three");
    let package = SigningPackage::new(of, list, MESSAGE.to_vec()).expect("a package");
    for (me, own) in nonces {
        r.entry("frost::SigningPackage::sign", || package.sign(&shares[&me], own)).expect("it signs");
    }
    let mut fresh = [0; 32];
    Recording::new(48).fill_bytes(&mut fresh);
    let seed = SecretBytes::new(fresh);
    if r.pass == Pass::Learn {
        frost::scalar_from_seed(&seed).watch();
    }
    let scalar = r.entry("frost::scalar_from_seed", || frost::scalar_from_seed(&seed));
    sign_alone::<Ed25519>(r, &scalar);
    sign_alone::<C>(r, shares[&id(1)].secret());
    r.entry("drop", || drop((scalar, shares)));
}
