//! Devices that hold shares of one key, each with its own ledger, bank and setups.

#![allow(dead_code, unreachable_pub, reason = "every test uses its own part of it")]

use std::collections::{BTreeMap, VecDeque};
use symbolon::committee::{
    self, Change, Consent, Dkg, Factors, HandOver, Holder, Item, Joint, JointStep, KeyHealth, Paths, Plan, Refreshes,
    Reshare, Reshared, Setups,
};
use symbolon::{
    Auth, Bank, DerivationPath, Error, Group, IdentityKey, KeyShare, Label, MemoryLedger, Outgoing, PartyId, Payload,
    Protocol, Scheme, Secp256k1, SecretBytes, SeedRng, Signature, Signed, Storable, StorageKey, Threshold, store,
    wire::Reader,
};
use symbolon_testkit::Crowd;

pub fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

pub fn ids(of: &[u16]) -> Vec<PartyId> {
    of.iter().copied().map(id).collect()
}

pub fn th(t: u16) -> Threshold {
    Threshold::new(t, 255).unwrap()
}

/// Identity keys are numbered apart from ids: an id may come back with another key.
pub fn key(number: u16) -> IdentityKey {
    let mut seed = [5; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    IdentityKey::from_seed(SecretBytes::new(seed))
}

pub fn holder(me: u16, number: u16) -> Holder {
    (id(me), key(number).identity())
}

pub fn rng(seed: u64) -> SeedRng {
    let mut start = [8; 32];
    start[..8].copy_from_slice(&seed.to_be_bytes());
    SeedRng::new(&start)
}

pub fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([6; 32]))
}

pub fn payload() -> Payload {
    Payload::personal_message("pay 1")
}

pub fn path() -> DerivationPath {
    "m/0/5".parse().unwrap()
}

/// A share is not copied; tests may open it twice.
pub fn again<G: Group>(share: &KeyShare<G>) -> KeyShare<G> {
    KeyShare::decode(&mut Reader::new(&share.to_secret_bytes())).unwrap()
}

pub struct Device<G: Group> {
    pub key: u16,
    pub share: Option<KeyShare<G>>,
    pub ledger: MemoryLedger,
    pub bank: Bank<Item>,
    pub setups: Setups,
}

impl<G: Group> Device<G> {
    pub fn new(key: u16) -> Self {
        let (ledger, bank) = (MemoryLedger::default(), Bank::default());
        Self { key, share: None, ledger, bank, setups: Setups::new() }
    }

    pub fn auth(&self) -> Auth {
        Auth::Signed(key(self.key))
    }

    pub fn share(&self) -> &KeyShare<G> {
        self.share.as_ref().unwrap()
    }
}

pub struct Devices<G: Group> {
    pub devices: BTreeMap<PartyId, Device<G>>,
    pub seed: u64,
}

pub fn scheme<G: Group>() -> Scheme {
    if G::ID == Secp256k1::ID { Scheme::Ecdsa } else { Scheme::Frost }
}

impl<G: Group> Devices<G> {
    /// A new t-of-n key.
    pub fn create(t: u16, n: u16, seed: u64) -> Self {
        let mut all = Self { devices: (1..=n).map(|i| (id(i), Device::new(i))).collect(), seed };
        let members: Vec<_> = (1..=n).map(|i| holder(i, i)).collect();
        let starts: Vec<_> = all.devices.keys().copied().collect();
        let starts = starts.into_iter().map(|me| {
            let (auth, rng) = (all.devices[&me].auth(), &mut all.rng(me));
            let label = Label::new("a key").unwrap();
            (me, committee::create::<G>(me, members.clone(), (th(t), scheme::<G>()), label, auth, rng).unwrap())
        });
        let starts: Vec<_> = starts.collect();
        for (me, (share, _)) in Crowd::<Dkg<G>>::new(starts).outputs() {
            all.devices.get_mut(&me).unwrap().share = Some(share);
        }
        all
    }

    pub fn rng(&mut self, me: PartyId) -> SeedRng {
        self.seed += 1;
        rng(self.seed * 1000 + u64::from(me.get()))
    }

    pub fn at(&mut self, me: PartyId) -> &mut Device<G> {
        self.devices.get_mut(&me).unwrap()
    }

    pub fn share(&self, me: u16) -> &KeyShare<G> {
        self.devices[&id(me)].share()
    }

    /// The holders of the newest epoch; a lost device keeps its share, and is none.
    pub fn members(&self) -> Vec<PartyId> {
        let shares = self.devices.values().filter_map(|device| device.share.as_ref());
        let newest = shares.max_by_key(|share| share.epoch()).unwrap();
        newest.members().iter().map(|member| member.id).collect()
    }

    pub fn holders(&self) -> Vec<Holder> {
        self.members().into_iter().map(|id| (id, key(self.devices[&id].key).identity())).collect()
    }

    /// The plan of a refresh.
    pub fn plan(&self, dealers: &[u16]) -> Plan<G> {
        let share = self.share(dealers[0]);
        Plan::of(share, &ids(dealers), share.epoch() + 1, Factors::Gone)
    }

    /// Runs a plan; a newcomer gets it encoded. Every one enters the new epoch, and the old shares are given back.
    pub fn run(&mut self, plan: &Plan<G>, newcomers: &[(u16, u16)]) -> (BTreeMap<PartyId, KeyShare<G>>, KeyHealth) {
        for (me, number) in newcomers {
            self.devices.insert(id(*me), Device::new(*number));
        }
        let outputs = if plan.changes().is_empty() { self.refreshed(plan) } else { self.handed_over(plan) };
        let health = outputs.values().next().unwrap().health.clone();
        assert!(outputs.values().all(|out| out.health == health), "all see the same outcome");
        let mut old = BTreeMap::new();
        for device in &mut self.devices {
            // who has no part in the run keeps its share and hears nothing
            let Some(reshared) = outputs.get(device.0) else { continue };
            let new = reshared.share.as_ref().map(again);
            let share = std::mem::replace(&mut device.1.share, new);
            let Device { ledger, bank, .. } = device.1;
            store::advance(ledger, bank, *device.0, plan, &reshared.health).unwrap();
            old.extend(share.map(|share| (*device.0, share)));
        }
        (old, health)
    }

    fn refreshed(&mut self, plan: &Plan<G>) -> BTreeMap<PartyId, Reshared<G>> {
        let mut starts = Vec::new();
        for me in plan.participants() {
            let mut rng = self.rng(me);
            let device = &self.devices[&me];
            starts.push((me, committee::refresh(device.share(), plan, &[], device.auth(), &mut rng).unwrap()));
        }
        outputs::<Reshare<G, Refreshes>>(starts)
    }

    fn handed_over(&mut self, plan: &Plan<G>) -> BTreeMap<PartyId, Reshared<G>> {
        let invitation = plan.to_secret_bytes();
        let mut starts = Vec::new();
        for me in plan.participants() {
            let mut rng = self.rng(me);
            let device = &self.devices[&me];
            let plan = Plan::decode(&mut Reader::new(&invitation)).unwrap();
            let consent = Consent::new(plan.changes());
            let share = device.share.as_ref();
            starts.push((me, committee::reshare(me, share, &plan, &consent, &[], device.auth(), &mut rng).unwrap()));
        }
        outputs::<Reshare<G, HandOver>>(starts)
    }
}

fn outputs<P: Protocol + 'static>(starts: Vec<(PartyId, committee::Started<P>)>) -> BTreeMap<PartyId, P::Output> {
    Crowd::new(starts).outputs().into_iter().map(|(id, (output, _))| (id, output)).collect()
}

pub type Ended<V> = Result<(<V as Paths>::Output, Option<<V as Paths>::Held>), Error<<V as Paths>::Held>>;
pub type Started<V> = (PartyId, (Joint<V>, Vec<Outgoing>));

/// Runs joint sessions until nobody has anything to say.
pub fn joint<V: Paths>(starts: Vec<Started<V>>) -> BTreeMap<PartyId, Ended<V>> {
    let (ends, waiting) = joint_or_waiting(starts);
    assert!(waiting.is_empty());
    ends
}

/// The same, with sessions that wait for ever.
pub fn joint_or_waiting<V: Paths>(
    starts: Vec<Started<V>>,
) -> (BTreeMap<PartyId, Ended<V>>, BTreeMap<PartyId, Joint<V>>) {
    let (mut sessions, mut mail, mut ends) = (BTreeMap::new(), VecDeque::new(), BTreeMap::new());
    let all: Vec<_> = starts.iter().map(|(me, _)| *me).collect();
    let post = |mail: &mut VecDeque<_>, from: PartyId, frames: Vec<Outgoing>| {
        for frame in frames {
            let to = all.iter().filter(|to| match frame.to {
                symbolon::To::One(one) => one == **to,
                symbolon::To::All => from != **to,
            });
            mail.extend(to.map(|to| (from, *to, frame.bytes.clone())));
        }
    };
    for (me, (session, frames)) in starts {
        sessions.insert(me, session);
        post(&mut mail, me, frames);
    }
    while let Some((from, to, frame)) = mail.pop_front() {
        match sessions.get_mut(&to).unwrap().handle(from, &frame) {
            Ok(JointStep::Continue(frames)) => post(&mut mail, to, frames),
            Ok(JointStep::Done(output, held, frames)) => {
                ends.insert(to, Ok((output, held)));
                post(&mut mail, to, frames);
            }
            Err(Error::Rejected(_)) => (),
            Err(error) => drop(ends.insert(to, Err(error))),
        }
    }
    sessions.retain(|me, _| !ends.contains_key(me));
    (ends, sessions)
}

/// The one signature of an honest run; the setups come back.
pub fn signature<V: Paths<Output = Signed>>(
    ends: BTreeMap<PartyId, Ended<V>>,
) -> (Signature, BTreeMap<PartyId, V::Held>) {
    let (mut signatures, mut held, mut released) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (me, end) in ends {
        let (signed, kept) = end.unwrap_or_else(|error| panic!("{me}: {error}"));
        held.extend(kept.map(|kept| (me, kept)));
        match signed {
            Signed::Signature(signature) => signatures.push(signature),
            Signed::Released(record) => released.push(record),
        }
    }
    assert!(signatures.windows(2).all(|two| two[0] == two[1]), "all have the same signature");
    assert!(released.iter().all(|record| record.is_completed_by(&signatures[0])));
    (signatures.swap_remove(0), held)
}

impl Devices<Secp256k1> {
    /// Fresh setups among all holders, in memory, noted in the ledgers.
    pub fn pair_setups(&mut self) {
        let members = self.holders();
        let all = self.members();
        let serial = |device: &mut Device<_>, me, claims: &[u32]| {
            store::committee_serial(&mut device.ledger, me, &members, claims).unwrap()
        };
        let claims: Vec<_> = all.iter().map(|me| serial(self.at(*me), *me, &[])).collect();
        let mut starts = Vec::new();
        for me in &all {
            let mut rng = self.rng(*me);
            let agreed = serial(self.at(*me), *me, &claims);
            let auth = self.at(*me).auth();
            starts.push((*me, committee::pair_setups(*me, &members, agreed, auth, &mut rng).unwrap()));
        }
        for (me, made) in outputs::<committee::CommitteeSetup>(starts) {
            let device = self.at(me);
            made.values().for_each(|setup| store::note_setup(&mut device.ledger, setup).unwrap());
            device.setups = made;
        }
    }

    pub fn start_sign(&mut self, signers: &[PartyId]) -> Vec<Started<committee::FromScratch>> {
        let start = |me: &PartyId| {
            let mut rng = self.rng(*me);
            let Device { share, setups, key: number, .. } = self.at(*me);
            let (share, auth) = (share.as_ref().unwrap(), Auth::Signed(key(*number)));
            (*me, committee::sign(share, signers, setups, payload(), path(), auth, &mut rng).unwrap())
        };
        signers.iter().map(start).collect()
    }

    /// Signs, checks the signature under the derived key, and files the setups again.
    pub fn sign(&mut self, signers: &[u16]) -> Signature {
        let signers = ids(signers);
        let (signature, held) = signature::<committee::FromScratch>(joint(self.start_sign(&signers)));
        for (me, setups) in held {
            self.at(me).setups.extend(setups);
        }
        self.check(&signature);
        signature
    }

    pub fn check(&self, signature: &Signature) {
        let any = self.devices[&self.members()[0]].share();
        let child = symbolon_ecdsa::derive(any.public_key(), any.chain_code(), &path()).unwrap();
        signature.verify(&child.public_key, &payload().digest()).unwrap();
    }

    /// Fills the banks of these signers.
    pub fn refill(&mut self, signers: &[u16], count: u16) {
        let signers = ids(signers);
        let mut starts = Vec::new();
        for me in &signers {
            let mut rng = self.rng(*me);
            let Device { share, setups, key: number, .. } = self.at(*me);
            let (share, auth) = (share.as_ref().unwrap(), Auth::Signed(key(*number)));
            let started = committee::preprocess(share, &signers, setups, count, auth, &mut rng);
            starts.push((*me, started.unwrap()));
        }
        for (me, end) in joint::<committee::Refill>(starts) {
            let (items, setups) = end.unwrap();
            self.at(me).bank.put(items);
            self.at(me).setups.extend(setups.unwrap());
        }
    }
}

/// What a plan says it changes, as a set of its kinds.
pub fn kinds(changes: &[Change]) -> Vec<&'static str> {
    let kind = |change: &Change| match change {
        Change::Adds(..) => "adds",
        Change::Removes(_) => "removes",
        Change::Replaces(..) => "replaces",
        Change::Identifies(..) => "identifies",
        Change::Threshold { .. } => "threshold",
        _ => "other",
    };
    changes.iter().map(kind).collect()
}
