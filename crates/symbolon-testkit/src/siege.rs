//! The adversary: seeds, schedules, lies about every field of every message, replays, split views, crashes and rollbacks,
//! against any protocol with any number of parties, of which some are corrupt.
//!
//! One property for all of it: all honest parties that finish agree, and are right; or somebody aborts; nobody honest is
//! named, and where evidence names somebody it is a corrupt party; nothing panics; memory stays under the protocol's
//! bound. A [`Case`] says what there is to know about a protocol; [`Siege`] runs it.

mod choices;
mod field;
mod liar;
mod report;
mod run;
mod seat;

pub use choices::{Bytes, Choices, Seed};
pub use field::{Curve, Field, Kind, Move, Sources, alter, moves_of};
pub use report::{ACTIONS, Action, BODY, Place, Report, STORED, Told, VERDICTS, Verdict};
pub use seat::Powers;

use crate::Lie;
use liar::{Bodies, Targets};
use run::{Run, Stage};
use seat::Shape;
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};
use symbolon_core::PartyId;
use symbolon_session::{Auth, Fault, IdentityKey, Label, Outgoing, Protocol, Session, To};

/// What a party starts a run with.
pub struct Prepared<P: Protocol> {
    /// What was agreed on beforehand.
    pub setup: P::Setup,
    /// Kept by the party; given again when it resumes.
    pub secrets: P::LongTerm,
    /// What moves in.
    pub input: P::Input,
}

/// The results of a run.
pub struct Ends<O> {
    /// Of the honest parties that have one; if nobody lied, of the corrupt ones too.
    pub outputs: BTreeMap<PartyId, O>,
    /// Whether anything was altered.
    pub lied: bool,
    /// Who may be named.
    pub corrupt: BTreeSet<PartyId>,
}

/// A place that a party may choose as it likes when it sends it, so that a change is simply another choice, and why.
pub type Free = (u8, bool, &'static str, &'static str);

/// A protocol under siege.
pub trait Case {
    /// Of which protocol.
    type P: Protocol + 'static;

    /// What reports call it.
    fn name(&self) -> &'static str;

    /// Who takes part.
    fn members(&self) -> Vec<PartyId>;

    /// How many of them may be corrupt.
    fn most_corrupt(&self) -> usize {
        self.members().len() - 1
    }

    /// The key of a member.
    fn identity(&self, member: PartyId) -> IdentityKey;

    /// How its sessions survive a crash.
    fn powers(&self) -> Powers<Self::P> {
        Powers::none()
    }

    /// What a member starts run `number` with. Everything that is used once is made for this number, also if it is asked
    /// for again.
    fn prepare(&self, member: PartyId, number: u64) -> Prepared<Self::P>;

    /// The fields of a body, as they stand in it; none for an empty one.
    fn layout(&self, round: u8, from: PartyId, to: To) -> Vec<Field>;

    /// Reviewed places whose change may go unnoticed with a right result.
    fn free(&self) -> &'static [Free] {
        &[]
    }

    /// Faults of a class that names a culprit, which this protocol reports without one, and why.
    fn anonymous(&self) -> &'static [(Fault, &'static str)] {
        &[]
    }

    /// Whether the results agree and are right.
    ///
    /// # Errors
    /// What is wrong.
    fn check(&self, number: u64, ends: Ends<<Self::P as Protocol>::Output>) -> Result<(), String>;
}

/// Every run has this label, so that only its run tag tells it from others.
fn label() -> Label {
    Label::new("siege").expect("a short label")
}

/// A frame of another run, by whom it was sent and to whom, and whether it was signed.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a frame and its address")]
pub struct Stray {
    /// Its sender.
    pub from: PartyId,
    /// Its receivers.
    pub to: To,
    /// The frame.
    pub bytes: Vec<u8>,
    /// With [`Auth::Signed`].
    pub signed: bool,
}

/// Numbers of runs that only feed the adversary.
const OLDER: [u64; 3] = [u64::MAX, u64::MAX - 1, u64::MAX - 2];

/// A [`Case`] with what the adversary has recorded before.
pub struct Siege<C: Case> {
    case: C,
    /// What each member may lie about, and what the protocol says about it.
    plans: BTreeMap<PartyId, (Targets, Shape)>,
    strays: Vec<Stray>,
    older: Rc<Bodies>,
}

/// A [`Siege`] of any protocol.
pub trait Besieged {
    /// What reports call it.
    fn name(&self) -> &'static str;
    /// One run. The same choices and number give the same run again.
    fn run(&self, choices: &mut dyn Choices, number: u64, log: bool) -> Report;
    /// One run on a calm network in which one party lies about this place, and nothing else happens.
    fn aim(&self, at: Place, number: u64) -> Report;
    /// Everything that a liar can alter.
    fn places(&self) -> Vec<Place>;
    /// Reviewed places whose change may go unnoticed with a right result.
    fn free(&self) -> &'static [Free];
    /// Frames of this protocol, for the adversaries of others.
    fn strays(&self) -> &[Stray];
    /// Frames of other protocols.
    fn hears(&mut self, strays: &[Stray]);
    /// Whether the tables of fields cover every body of an honest run exactly.
    ///
    /// # Errors
    /// The message that they do not cover.
    fn covers(&self) -> Result<usize, String>;
}

impl<C: Case> Siege<C> {
    /// Records the older runs.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn new(case: C) -> Self {
        let of = |member: &PartyId| {
            let setup = case.prepare(*member, OLDER[0]).setup;
            let shape = Shape::of::<C::P>(&setup, *member);
            (*member, (Targets::of(&case, &setup, &shape, *member), shape))
        };
        let plans = case.members().iter().map(of).collect();
        let mut siege = Self { case, plans, strays: Vec::new(), older: Rc::default() };
        let two = siege.case.members().len() == 2;
        for (i, number) in OLDER.into_iter().enumerate() {
            // the last one over a channel, if there may be one
            let signed = i < 2 || !two;
            let (sent, bodies) = Run::record(&siege, number, signed);
            if i == 0 {
                siege.older = Rc::new(bodies);
            }
            let stray = |(from, Outgoing { to, bytes })| Stray { from, to, bytes, signed };
            siege.strays.extend(sent.into_iter().map(stray));
        }
        siege
    }
}

impl<C: Case> Stage for Siege<C> {
    fn protocol(&self) -> u8 {
        C::P::ID
    }

    fn members(&self) -> Vec<PartyId> {
        self.plans.keys().copied().collect()
    }

    fn most_corrupt(&self) -> usize {
        self.case.most_corrupt()
    }

    fn identity(&self, member: PartyId) -> IdentityKey {
        self.case.identity(member)
    }

    fn rounds(&self) -> u8 {
        C::P::ROUNDS
    }

    fn shape(&self, member: PartyId) -> &Shape {
        &self.plans[&member].1
    }

    fn targets(&self, member: PartyId) -> &Targets {
        &self.plans[&member].0
    }

    fn honest(&self, member: PartyId, number: u64, auth: Auth) -> seat::Started {
        seat::honest(&self.case, member, number, auth)
    }

    fn liar(&self, member: PartyId, number: u64, auth: Auth, lie: Lie) -> seat::Started {
        seat::liar(&self.case, member, number, auth, lie)
    }

    fn is_anonymous(&self, fault: Fault) -> bool {
        self.case.anonymous().iter().any(|(known, _)| *known == fault)
    }

    fn is_free(&self, place: &Place) -> bool {
        let known = |free: &Free| (free.0, free.1, free.2) == (place.round, place.broadcast, place.field);
        self.case.free().iter().any(known)
    }

    fn check(&self, number: u64, ends: Ends<Box<dyn Any>>) -> Result<(), String> {
        let Ends { outputs, lied, corrupt } = ends;
        let output =
            |(member, output): (_, Box<dyn Any>)| (member, *output.downcast().expect("an output of this protocol"));
        self.case.check(number, Ends { outputs: outputs.into_iter().map(output).collect(), lied, corrupt })
    }
}

impl<C: Case> Besieged for Siege<C> {
    fn name(&self) -> &'static str {
        self.case.name()
    }

    fn run(&self, choices: &mut dyn Choices, number: u64, log: bool) -> Report {
        Run::new(self, &self.strays, &self.older, choices, number, log).play()
    }

    fn aim(&self, at: Place, number: u64) -> Report {
        Run::aimed(self, &self.older, &mut Seed::new(number), number, at).play()
    }

    fn places(&self) -> Vec<Place> {
        let all: BTreeSet<Place> = self.plans.values().flat_map(|(targets, _)| targets.places()).collect();
        all.into_iter().collect()
    }

    fn free(&self) -> &'static [Free] {
        self.case.free()
    }

    fn strays(&self) -> &[Stray] {
        &self.strays
    }

    fn hears(&mut self, strays: &[Stray]) {
        let members = self.case.members();
        self.strays.extend(strays.iter().filter(|stray| members.contains(&stray.from)).cloned());
    }

    fn covers(&self) -> Result<usize, String> {
        for ((round, from, broadcast, to), body) in self.older.iter() {
            let to = if *broadcast { To::All } else { To::One(*to) };
            let fields = self.case.layout(*round, *from, to);
            let len: usize = fields.iter().map(Field::len).sum();
            if len != body.len() {
                return Err(format!("{} {round} {from} {to:?}: {} bytes, table {len}", self.case.name(), body.len()));
            }
        }
        Ok(self.older.len())
    }
}

/// Starts a session of `P`.
fn start<P: Protocol>(
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    auth: Auth,
    seed: u64,
) -> (Session<P>, Vec<Outgoing>) {
    Session::start(setup, secrets, input, label(), auth, &mut crate::seeded(seed)).expect("a run starts")
}
