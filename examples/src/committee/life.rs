//! The story, and what it cost.

use super::{
    net::{self, Cost, Outputs, Run},
    party::Party,
};
use crate::wallet::Failure;
use alloy_primitives::{Address, Signature as AlloySignature};
use std::{collections::BTreeMap, io::Write, time::Duration};
use symbolon::{
    DerivationPath, EthereumAddress, Group, KeyShare, Label, Outgoing, PartyId, Payload, Scheme, Secp256k1, Signature,
    Signed, SysRng, Threshold,
    committee::{
        self, CommitteeSetup, Consent, Factors, FromScratch, HandOver, Joint, KeyHealth, NotStarted, Plan, PlanError,
        Refreshes, Reshare, Reshared,
    },
    store::{self, TakeError},
};

/// What everybody agrees to sign, in this example.
const MESSAGE: &str = "order 42: pay 0.1 ETH to the bookshop";

/// What differs between the curves.
pub(super) trait Curve: Group {
    const SCHEME: Scheme;
    /// The public key, as its users know it.
    fn shown(public_key: &Self::Point) -> String;
    /// Makes what signing takes.
    fn setups<W: Write>(life: &mut Life<'_, Self, W>) -> Result<(), Failure>;
    /// Signs.
    fn sign<W: Write>(life: &mut Life<'_, Self, W>, signers: &[PartyId]) -> Result<(), Failure>;
    /// Tries to sign with the lost share, and with a share of its epoch.
    fn old_shares_sign_nothing<W: Write>(
        life: &mut Life<'_, Self, W>,
        lost: PartyId,
        signers: &[PartyId],
    ) -> Result<(), Failure>;
}

/// What runs without a result held.
type Left<R> = Vec<(PartyId, Option<<R as Run>::Held>)>;

/// Everybody, and what was seen so far.
pub(super) struct Life<'w, G: Curve, W> {
    parties: BTreeMap<PartyId, Party>,
    pub(super) public_key: G::Point,
    costs: Vec<Cost>,
    out: &'w mut W,
}

fn id(number: u16) -> Result<PartyId, Failure> {
    Ok(PartyId::new(number)?)
}

/// The whole story.
pub(super) fn live<G: Curve>(threshold: Threshold, n: u16, out: &mut impl Write) -> Result<(), Failure> {
    let t = threshold.get();
    writeln!(out, "A key on {} among {n} parties, any {t} of whom are enough.\n", G::NAME)?;
    let mut life = Life::<G, _>::create(threshold, n, out)?;
    let (phone, nodes) = (id(1)?, (2..=n).map(id).collect::<Result<Vec<_>, _>>()?);
    let helpers = nodes.get(..usize::from(t)).ok_or("too few nodes")?;
    let signers = |first: PartyId, more: u16| -> Vec<PartyId> {
        [first].into_iter().chain(nodes.iter().copied().take(usize::from(more) - 1)).collect()
    };
    G::setups(&mut life)?;
    G::sign(&mut life, &signers(phone, t))?;

    life.say("the phone is lost")?;
    let lost = life.parties.remove(&phone).ok_or("there was no phone")?;
    let new_phone = life.join(n + 1, "new phone")?;
    let plan = life.plan(helpers)?.recover(phone, new_phone)?;
    let health = life.reshare("recover", &plan)?;
    life.lost_share_is_refused(&lost, helpers)?;
    G::setups(&mut life)?;
    G::old_shares_sign_nothing(&mut life, phone, helpers)?;
    life.what_is_left(&plan, health, phone)?;
    G::sign(&mut life, &signers(new_phone.0, t))?;

    let tablet = life.join(n + 2, "tablet")?;
    let plan = life.plan(helpers)?.add_device(tablet)?;
    let health = life.reshare("add a device", &plan)?;
    life.retire_all(&plan, health)?;

    let revoked = *nodes.last().ok_or("no nodes")?;
    let plan = life.plan(&signers(new_phone.0, t))?.revoke(revoked)?;
    let health = life.reshare("revoke a device", &plan)?;
    life.what_is_left(&plan, health, revoked)?;
    life.parties.remove(&revoked);

    let plan = life.plan(&signers(tablet.0, t))?.change_threshold(Threshold::new(t + 1, n.into())?)?;
    let health = life.reshare("raise the threshold", &plan)?;
    life.retire_all(&plan, health)?;
    life.say(&format!("from here on {} are needed", t + 1))?;

    let mut signers: Vec<_> = life.parties.keys().rev().copied().take(usize::from(t) + 1).collect();
    signers.sort_unstable();
    let plan = life.plan(&signers)?;
    let health = life.refresh(&plan)?;
    life.retire_all(&plan, health)?;
    G::setups(&mut life)?;
    G::sign(&mut life, &signers)?;
    life.close()
}

impl<'w, G: Curve, W: Write> Life<'w, G, W> {
    fn create(threshold: Threshold, n: u16, out: &'w mut W) -> Result<Self, Failure> {
        let mut parties = BTreeMap::new();
        for i in 1..=n {
            let name = if i == 1 { "phone".into() } else { format!("node {i}") };
            parties.insert(id(i)?, Party::new(id(i)?, name)?);
        }
        let members: Vec<_> = parties.values().map(Party::holder).collect();
        let mut life = Self { parties, public_key: G::generator(), costs: Vec::new(), out };
        let label = Label::new("the example's key")?;
        let everybody: Vec<_> = life.parties.keys().copied().collect();
        let shares = life.run("key generation", &everybody, |party| {
            let (members, what) = (members.iter().copied(), (threshold, G::SCHEME));
            Ok(committee::create::<G>(party.id, members, what, label.clone(), party.auth(), &mut SysRng)?)
        })?;
        life.public_key = *shares.values().next().ok_or("no shares")?.0.public_key();
        for (me, (share, _)) in &shares {
            if share.public_key() != &life.public_key {
                return Err("the parties made different keys".into());
            }
            life.party(*me)?.keep(Some(share))?;
        }
        life.same_key()?;
        Ok(life)
    }

    pub(super) fn party(&mut self, id: PartyId) -> Result<&mut Party, Failure> {
        self.parties.get_mut(&id).ok_or_else(|| format!("{id} is gone").into())
    }

    /// Somebody new, without a share.
    fn join(&mut self, number: u16, name: &str) -> Result<committee::Holder, Failure> {
        let party = Party::new(id(number)?, name)?;
        let holder = party.holder();
        self.parties.insert(holder.0, party);
        Ok(holder)
    }

    pub(super) fn say(&mut self, what: &str) -> Result<(), Failure> {
        writeln!(self.out, "   {what}")?;
        Ok(self.out.flush()?)
    }

    /// A run of these parties, to its results, with a line before and after.
    pub(super) fn run<R: Run>(
        &mut self,
        what: &str,
        who: &[PartyId],
        start: impl FnMut(&mut Party) -> Result<(R, Vec<Outgoing>), Failure>,
    ) -> Result<Outputs<R>, Failure> {
        let number = self.costs.len() + 1;
        write!(self.out, "{number:2} {what}: {} parties ... ", who.len())?;
        self.out.flush()?;
        let (ends, cost) = net::carry(what, &mut self.parties, who, start)?;
        let results = net::results::<R>(ends, what)?;
        writeln!(self.out, "done, {}", seconds(cost.time))?;
        self.costs.push(cost);
        Ok(results)
    }

    /// The plan that everybody starts from: these deal, and nothing changes yet.
    fn plan(&mut self, dealers: &[PartyId]) -> Result<Plan<G>, Failure> {
        let share = self.party(*dealers.first().ok_or("no dealers")?)?.share::<G>()?;
        Ok(Plan::of(&share, dealers, share.epoch() + 1, Factors::Gone))
    }

    fn reshare(&mut self, what: &str, plan: &Plan<G>) -> Result<KeyHealth, Failure> {
        // each user is shown this, and agrees
        let consent = Consent::new(plan.changes());
        let outputs = self.run(what, &plan.participants(), |party| {
            let share = if party.has_share() { Some(party.share::<G>()?) } else { None };
            let (me, auth) = (party.id, party.auth());
            Ok(committee::reshare(me, share.as_ref(), plan, &consent, &[], auth, &mut SysRng)?)
        })?;
        self.enter::<symbolon::Session<Reshare<G, HandOver>>>(plan, outputs)
    }

    fn refresh(&mut self, plan: &Plan<G>) -> Result<KeyHealth, Failure> {
        let outputs = self.run("refresh", &plan.participants(), |party| {
            Ok(committee::refresh(&party.share::<G>()?, plan, &[], party.auth(), &mut SysRng)?)
        })?;
        self.enter::<symbolon::Session<Reshare<G, Refreshes>>>(plan, outputs)
    }

    /// Everybody keeps its new share and enters the new epoch.
    fn enter<R: Run<Output = Reshared<G>>>(
        &mut self,
        plan: &Plan<G>,
        outputs: Outputs<R>,
    ) -> Result<KeyHealth, Failure> {
        let mut health = None;
        for (me, (reshared, _)) in outputs {
            let party = self.party(me)?;
            party.keep(reshared.share.as_ref())?;
            party.advance(plan, &reshared.health)?;
            if *health.get_or_insert_with(|| reshared.health.clone()) != reshared.health {
                return Err("the parties have different outcomes".into());
            }
        }
        self.same_key()?;
        health.ok_or_else(|| "nobody took part".into())
    }

    fn same_key(&mut self) -> Result<(), Failure> {
        let key = self.public_key;
        let mut epoch = 0;
        for party in self.parties.values_mut().filter(|party| party.has_share()) {
            // a party that was just revoked has the share of the epoch before, of the same key
            let share = party.open::<G>("share")?;
            epoch = epoch.max(share.epoch());
            if share.public_key() != &key {
                return Err(format!("{} has a share of another key", party.name).into());
            }
        }
        let shown = G::shown(&key);
        self.say(&format!("epoch {epoch}, {shown}"))
    }

    /// All holders tell each other, signed, that they are done; then everybody with an old share who took part erases it, and
    /// tells the others (here they have one copy of the state).
    fn retire_all(&mut self, plan: &Plan<G>, mut health: KeyHealth) -> Result<KeyHealth, Failure> {
        for (me, _) in &plan.new {
            let word = self.party(*me)?.word::<G>(&health)?;
            health.note_confirmed(*me, &word)?;
        }
        for me in plan.participants().into_iter().filter(|me| plan.old.iter().any(|old| old.0 == *me)) {
            self.party(me)?.retire::<G>(&mut health)?;
        }
        Ok(health)
    }

    /// Says honestly what the old epoch is still good for, before and after the others have erased their old shares.
    fn what_is_left(&mut self, plan: &Plan<G>, health: KeyHealth, gone: PartyId) -> Result<(), Failure> {
        let t = health.old_threshold;
        let (old, dead) = (health.old_shares.len(), health.old_sharing_is_dead());
        self.say(&format!(
            "revocation is erasure: {old} shares of the epoch before still exist, any {t} of them make the key (dead: {dead})"
        ))?;
        let health = self.retire_all(plan, health)?;
        let (old, dead) = (health.old_shares.len(), health.old_sharing_is_dead());
        let which = if health.old_shares.contains(&gone) { ", that of the one who is gone among them" } else { "" };
        self.say(&format!("the others erase theirs: {old} left{which}, {t} needed (dead: {dead})"))?;
        if dead { Ok(()) } else { Err("the old sharing should be dead".into()) }
    }

    /// The lost share can't take part in anything of the new epoch.
    fn lost_share_is_refused(&mut self, lost: &Party, helpers: &[PartyId]) -> Result<(), Failure> {
        let old = lost.open::<G>("share")?;
        let plan = self.plan(helpers)?.add_device(lost.holder())?;
        let consent = Consent::new(plan.changes());
        let refused = committee::reshare(lost.id, Some(&old), &plan, &consent, &[], lost.auth(), &mut SysRng);
        match refused {
            Err(NotStarted::Plan(PlanError::OtherEpoch)) => {
                self.say(&format!("the lost share in a resharing: refused, {}", PlanError::OtherEpoch))
            }
            Err(other) => Err(other.into()),
            Ok(_) => Err("the lost share was taken".into()),
        }
    }

    /// One signer has not heard of the new epoch, or comes from a restored backup. Its own ledger refuses the old share; and if
    /// that is missing too, the others hear of it before anything secret is used. What the runs held comes back.
    pub(super) fn two_epochs<R: Run>(
        &mut self,
        signers: &[PartyId],
        start: impl Fn(&mut Party, Option<KeyShare<G>>) -> Result<(R, Vec<Outgoing>), Failure>,
    ) -> Result<Left<R>, Failure> {
        let behind = *signers.first().ok_or("no signers")?;
        let party = self.party(behind)?;
        let (name, old) = (party.name.clone(), party.open::<G>("old share")?);
        match store::current(&mut party.ledger, &old) {
            Err(why) => self.say(&format!("{name} takes its own old share: refused, {why}"))?,
            Ok(_) => return Err("an old share is taken for the current one".into()),
        }
        let (mut old, what) = (Some(old), "signature of two epochs");
        let (ends, _) = net::carry(what, &mut self.parties, signers, |party| {
            let share = old.take_if(|_| party.id == behind);
            start(party, share)
        })?;
        let (mut why, mut held) = (None, Vec::new());
        for (me, (end, waiting)) in ends {
            let left = match end {
                Some(Ok(_)) => return Err("shares of two epochs made a signature".into()),
                Some(Err(error)) if error.burned().is_empty() && error.culprit().is_none() => {
                    why = Some(error.to_string());
                    error.into_held()
                }
                Some(Err(error)) => return Err(error.to_string().into()),
                None => waiting,
            };
            held.push((me, left));
        }
        let why = why.ok_or("nobody noticed the two epochs")?;
        self.say(&format!("its old share with new ones of the others: {why}; nobody blamed, nothing burned"))?;
        Ok(held)
    }

    /// The table.
    fn close(self) -> Result<(), Failure> {
        let key = G::shown(&self.public_key);
        writeln!(self.out, "\nThe same key from the first to the last epoch: {key}\n")?;
        let head = ["operation", "parties", "messages", "bytes max", "bytes total", "CPU max", "CPU total", "wall"];
        let rows = self.costs.iter().map(|cost| {
            let sum = |all: &BTreeMap<PartyId, Duration>| seconds(all.values().sum());
            [
                cost.what.clone(),
                cost.parties.to_string(),
                cost.messages.to_string(),
                cost.bytes.values().max().unwrap_or(&0).to_string(),
                cost.bytes.values().sum::<usize>().to_string(),
                seconds(cost.cpu.values().max().copied().unwrap_or_default()),
                sum(&cost.cpu),
                seconds(cost.time),
            ]
        });
        for [what, rest @ ..] in [head.map(str::to_owned)].into_iter().chain(rows) {
            let rest: String = rest.iter().map(|cell| format!("{cell:>13}")).collect();
            writeln!(self.out, "{what:<22}{rest}")?;
        }
        writeln!(self.out, "\nBytes are what a party sends; a broadcast counts once. All parties share one thread.")?;
        Ok(())
    }
}

impl Curve for Secp256k1 {
    const SCHEME: Scheme = Scheme::Ecdsa;

    fn shown(public_key: &Self::Point) -> String {
        format!("address {}", EthereumAddress::from_public_key(public_key))
    }

    fn setups<W: Write>(life: &mut Life<'_, Self, W>) -> Result<(), Failure> {
        life.pair_setups()
    }

    fn sign<W: Write>(life: &mut Life<'_, Self, W>, signers: &[PartyId]) -> Result<(), Failure> {
        life.signature(signers)
    }

    fn old_shares_sign_nothing<W: Write>(
        life: &mut Life<'_, Self, W>,
        lost: PartyId,
        signers: &[PartyId],
    ) -> Result<(), Failure> {
        life.lost_phone_is_no_signer(lost, signers)?;
        life.mixed_epochs(signers)
    }
}

impl<W: Write> Life<'_, Secp256k1, W> {
    /// Among all holders of the newest epoch: those of before are stale.
    fn pair_setups(&mut self) -> Result<(), Failure> {
        let holders: Vec<_> = self.parties.values().filter(|party| party.has_share()).map(Party::holder).collect();
        let everybody: Vec<_> = holders.iter().map(|holder| holder.0).collect();
        // each tells the others what its ledger needs, and all use the highest
        let serial =
            |party: &mut Party, claims: &[u32]| store::committee_serial(&mut party.ledger, party.id, &holders, claims);
        let claims =
            everybody.iter().map(|me| Ok(serial(self.party(*me)?, &[])?)).collect::<Result<Vec<_>, Failure>>()?;
        let made = self.run::<symbolon::Session<CommitteeSetup>>("pair setups", &everybody, |party| {
            let serial = serial(party, &claims)?;
            Ok(committee::pair_setups(party.id, &holders, serial, party.auth(), &mut SysRng)?)
        })?;
        made.into_iter().try_for_each(|(me, (setups, _))| self.party(me)?.put_setups(setups))
    }

    fn signature(&mut self, signers: &[PartyId]) -> Result<(), Failure> {
        let what = if signers.len() == 2 { "sign, two-party path" } else { "sign, quorum" };
        let names: Vec<_> =
            signers.iter().map(|me| Ok(self.party(*me)?.name.clone())).collect::<Result<_, Failure>>()?;
        let ends = self.run(what, signers, |party| start_sign(party, None, signers))?;
        let (mut signature, mut released) = (None, Vec::new());
        for (me, (signed, setups)) in ends {
            self.party(me)?.put_setups(setups.unwrap_or_default())?;
            match signed {
                Signed::Signature(one) if *signature.get_or_insert(one) != one => return Err("two signatures".into()),
                Signed::Signature(_) => (),
                Signed::Released(record) => released.push(record),
            }
        }
        let signature = signature.ok_or("nobody has the signature")?;
        if !released.iter().all(|record| record.is_completed_by(&signature)) {
            return Err("the signature is not the one that was helped with".into());
        }
        verify(&signature, &self.public_key)?;
        self.say(&format!("{} signed; alloy finds the same address in the signature", names.join(" + ")))
    }

    /// Whoever found the lost phone asks a party to sign with it.
    fn lost_phone_is_no_signer(&mut self, lost: PartyId, helpers: &[PartyId]) -> Result<(), Failure> {
        let (helper, others) = helpers.split_first().ok_or("no helpers")?;
        let party = self.party(*helper)?;
        let name = party.name.clone();
        let stale = party.take_setups(&[lost]);
        let signers: Vec<_> = [lost, *helper].into_iter().chain(others.iter().skip(1).copied()).collect();
        let started = start_sign(party, None, &signers);
        match stale {
            Err(why @ TakeError::Stale) => {
                self.say(&format!("{name}'s pair setup with the lost phone: refused, {why}"))?
            }
            Err(why) => return Err(why.into()),
            Ok(_) => return Err("a setup of the epoch before was given out".into()),
        }
        match started {
            Err(why) => self.say(&format!("{name} asked to sign with the lost phone: refused, {why}")),
            Ok(_) => Err("a party signs with somebody who holds no share".into()),
        }
    }

    fn mixed_epochs(&mut self, signers: &[PartyId]) -> Result<(), Failure> {
        let held = self.two_epochs(signers, |party, share| start_sign(party, share, signers))?;
        held.into_iter().try_for_each(|(me, setups)| self.party(me)?.put_setups(setups.unwrap_or_default()))
    }
}

/// A signer, with its current share unless another one is given.
fn start_sign(
    party: &mut Party,
    share: Option<KeyShare<Secp256k1>>,
    signers: &[PartyId],
) -> Result<(Joint<FromScratch>, Vec<Outgoing>), Failure> {
    let share = share.map_or_else(|| party.share::<Secp256k1>(), Ok)?;
    let peers: Vec<_> = signers.iter().copied().filter(|id| *id != party.id).collect();
    let mut setups = party.take_setups(&peers)?;
    let (auth, path) = (party.auth(), DerivationPath::root());
    let started = committee::sign(&share, signers, &mut setups, payload(), path, auth, &mut SysRng);
    // what no session took
    party.put_setups(setups)?;
    Ok(started?)
}

fn seconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 1e3 { format!("{ms:.1} ms") } else { format!("{:.2} s", ms / 1e3) }
}

fn payload() -> Payload {
    Payload::personal_message(MESSAGE)
}

fn verify(signature: &Signature, public_key: &<Secp256k1 as Group>::Point) -> Result<(), Failure> {
    let ours = Address::from(*EthereumAddress::from_public_key(public_key).as_bytes());
    let theirs = AlloySignature::from_raw(&signature.to_rsv())?.recover_address_from_msg(MESSAGE)?;
    if ours == theirs { Ok(()) } else { Err("the signature is of another address".into()) }
}
