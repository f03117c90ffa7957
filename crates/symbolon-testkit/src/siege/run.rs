//! One run: the network and the schedule.

mod beside;
mod crash;
mod judge;

use super::{
    Bytes, Choices, Ends, Place, Stray,
    liar::{Bodies, Plan, Shared, Targets, key, lie},
    report::{Action, Report},
    seat::{End, Seat, Shape, Started, Taken},
};
use crate::{Lie, seeded};
use beside::Beside;
use rand_core::Rng;
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hasher},
    rc::Rc,
};
use symbolon_core::PartyId;
use symbolon_session::{Auth, Fault, Header, IdentityKey, Outgoing, Rejected, To};

/// A frame on its way to one party.
#[derive(Clone)]
struct Mail {
    from: PartyId,
    to: PartyId,
    frame: Vec<u8>,
    /// Whether its body was altered by its sender.
    altered: bool,
}

/// What a party did with a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Used,
    Again,
    Rejected(Rejected),
    Failed,
    /// Nobody was there.
    Away,
}

/// What a corrupt party does besides lying.
#[derive(Default)]
struct Corrupt {
    /// The second face is shown to these.
    audience: BTreeSet<PartyId>,
    /// Both faces are shown to everybody.
    double: bool,
    /// Nothing leaves from this round on.
    silent: Option<u8>,
}

/// The first frames of a party, by face.
type Firsts = (PartyId, Vec<(usize, Vec<Outgoing>)>);

/// More than any run needs.
const MOST_STEPS: usize = 20_000;

/// Of honest parties in one run.
const MOST_CRASHES: usize = 4;

/// A protocol, its parties and its judge, whatever it is.
pub(super) trait Stage {
    fn protocol(&self) -> u8;
    fn members(&self) -> Vec<PartyId>;
    fn most_corrupt(&self) -> usize;
    fn identity(&self, member: PartyId) -> IdentityKey;
    fn rounds(&self) -> u8;
    fn shape(&self, member: PartyId) -> &Shape;
    fn targets(&self, member: PartyId) -> &Targets;
    fn honest(&self, member: PartyId, number: u64, auth: Auth) -> Started;
    fn liar(&self, member: PartyId, number: u64, auth: Auth, lie: Lie) -> Started;
    fn is_anonymous(&self, fault: Fault) -> bool;
    fn is_free(&self, place: &Place) -> bool;
    fn check(&self, number: u64, ends: Ends<Box<dyn Any>>) -> Result<(), String>;
}

pub(super) struct Run<'r> {
    stage: &'r dyn Stage,
    strays: Vec<&'r Stray>,
    choices: &'r mut dyn Choices,
    number: u64,
    signed: bool,
    /// Whether the network is more than slow.
    wild: bool,
    rush: bool,
    seats: BTreeMap<PartyId, Seat>,
    corrupt: BTreeMap<PartyId, Corrupt>,
    /// Corrupt parties that wait until they have heard the others.
    late: Vec<Firsts>,
    shared: Shared,
    flight: Vec<Mail>,
    delivered: Vec<Mail>,
    crashes: usize,
    beside: Option<Beside>,
    /// Who takes another run of whom for this one.
    misled: BTreeSet<(PartyId, PartyId)>,
    /// Altered frames that were used or refused by an honest party.
    seen: [usize; 2],
    lied: bool,
    log: bool,
    trace: DefaultHasher,
    report: Report,
}

impl<'r> Run<'r> {
    fn empty(stage: &'r dyn Stage, choices: &'r mut dyn Choices, number: u64, log: bool) -> Self {
        Self {
            stage,
            strays: Vec::new(),
            choices,
            number,
            signed: true,
            wild: false,
            rush: false,
            seats: BTreeMap::new(),
            corrupt: BTreeMap::new(),
            late: Vec::new(),
            shared: Shared::default(),
            flight: Vec::new(),
            delivered: Vec::new(),
            crashes: 0,
            beside: None,
            misled: BTreeSet::new(),
            seen: [0, 0],
            lied: false,
            log,
            trace: DefaultHasher::new(),
            report: Report::default(),
        }
    }

    /// An honest run on a calm network: its frames and bodies.
    pub(super) fn record(stage: &dyn Stage, number: u64, signed: bool) -> (Vec<(PartyId, Outgoing)>, Bodies) {
        let mut choices = Bytes::new(&[]);
        let mut run = Run::empty(stage, &mut choices, number, false);
        run.signed = signed;
        let firsts: Vec<_> = stage.members().into_iter().map(|member| run.seat(member, Vec::new(), false)).collect();
        let mut sent = Vec::new();
        let mut queue: Vec<(PartyId, Outgoing)> = Vec::new();
        for (from, faces) in firsts {
            queue.extend(faces.into_iter().flat_map(|face| face.1).map(|frame| (from, frame)));
        }
        while !queue.is_empty() {
            let (from, frame) = queue.remove(0);
            sent.push((from, frame.clone()));
            run.hear(from, &frame.bytes);
            let members: Vec<_> = stage.members().into_iter().filter(|to| *to != from).collect();
            for to in members.into_iter().filter(|to| frame.to == To::All || frame.to == To::One(*to)) {
                let mind = &mut run.seats.get_mut(&to).expect("a seat").minds[0];
                let mut taken = mind.handle(from, &frame.bytes).ok().expect("an honest run");
                loop {
                    match taken {
                        Taken::More(frames) | Taken::Done(_, frames) => {
                            break queue.extend(frames.into_iter().map(|frame| (to, frame)));
                        }
                        Taken::Prepared(pending) => taken = mind.stored(&pending),
                    }
                }
            }
        }
        (sent, run.shared.heard.take())
    }

    pub(super) fn new(
        stage: &'r dyn Stage,
        strays: &'r [Stray],
        older: &Rc<Bodies>,
        choices: &'r mut dyn Choices,
        number: u64,
        log: bool,
    ) -> Self {
        let mut run = Self::empty(stage, choices, number, log);
        run.shared.older = Rc::clone(older);
        let members = stage.members();
        run.signed = members.len() > 2 || run.choices.below(3) < 2;
        run.strays = strays.iter().filter(|stray| stray.signed == run.signed).collect();
        let mood = run.choices.below(8);
        run.wild = matches!(mood, 1..=2 | 7);
        let liars = if mood < 3 { 0 } else { 1 + run.choices.below(stage.most_corrupt()) };
        let mut honest = members.clone();
        for _ in 0..liars {
            let i = run.choices.below(honest.len());
            let liar = honest.remove(i);
            run.corrupt.insert(liar, Corrupt::default());
        }
        run.rush = liars > 0 && run.choices.one_in(2);
        if run.rush {
            run.report.count(Action::Rush);
        }
        let mut firsts = Vec::new();
        for member in members {
            let faces = if run.corrupt.contains_key(&member) {
                run.corrupted(member, &honest)
            } else {
                run.seat(member, Vec::new(), false)
            };
            firsts.push(faces);
        }
        for (member, faces) in firsts {
            if run.rush && run.corrupt.contains_key(&member) {
                run.late.push((member, faces));
            } else {
                faces.into_iter().for_each(|(face, frames)| run.post(member, face, frames));
            }
        }
        if run.choices.one_in(6) {
            run.beside = Some(Beside::new(stage, number, |me| run.auth(me)));
        }
        run
    }

    /// A run on a calm network with one liar, who lies about this place and does nothing else.
    pub(super) fn aimed(
        stage: &'r dyn Stage,
        older: &Rc<Bodies>,
        choices: &'r mut dyn Choices,
        number: u64,
        at: Place,
    ) -> Self {
        let mut run = Self::empty(stage, choices, number, false);
        run.shared.older = Rc::clone(older);
        run.crashes = MOST_CRASHES;
        let able: Vec<_> =
            stage.members().into_iter().filter(|member| stage.targets(*member).places().contains(&at)).collect();
        let liar = able[run.choices.below(able.len())];
        let plan = stage.targets(liar).draw_at(at, run.choices);
        run.corrupt.insert(liar, Corrupt::default());
        for member in stage.members() {
            let plans = if member == liar { vec![plan.clone()] } else { Vec::new() };
            for (face, frames) in run.seat(member, plans, false).1 {
                run.post(member, face, frames);
            }
        }
        run
    }

    /// Plans what a corrupt party does, and seats it.
    fn corrupted(&mut self, me: PartyId, honest: &[PartyId]) -> Firsts {
        let targets = self.stage.targets(me);
        let count = if self.choices.one_in(4) { 2 + self.choices.below(3) } else { 1 };
        let plans: Vec<_> = (0..count).map(|_| targets.draw(self.choices)).collect();
        let mut corrupt = Corrupt::default();
        // a session that has no nonce of its own has nothing to split
        let split = self.choices.one_in(4);
        if split {
            let nobody = honest.len() - 1;
            let most = 1 + self.choices.below(nobody.max(1));
            let from = self.choices.below(honest.len());
            corrupt.audience = honest.iter().cycle().skip(from).take(most).copied().collect();
            corrupt.double = self.choices.one_in(3);
            self.report.count(Action::Split);
            if corrupt.double {
                self.report.count(Action::Double);
            }
        }
        if self.choices.one_in(16) {
            corrupt.silent = Some(1 + u8::try_from(self.choices.below(self.stage.rounds().into())).unwrap_or(0));
        }
        self.note(|| format!("{me} is corrupt: {plans:?}"));
        self.corrupt.insert(me, corrupt);
        self.seat(me, plans, split)
    }

    fn auth(&self, me: PartyId) -> Auth {
        if self.signed { Auth::Signed(self.stage.identity(me)) } else { Auth::Channel }
    }

    /// Starts the sessions of a party.
    fn seat(&mut self, me: PartyId, plans: Vec<Plan>, split: bool) -> Firsts {
        let mut seat = Seat { shape: self.stage.shape(me).clone(), ..Seat::default() };
        let starts = if plans.is_empty() {
            vec![self.stage.honest(me, self.number, self.auth(me))]
        } else {
            // of two faces the second one lies
            let faces = if split { vec![Vec::new(), plans] } else { vec![plans] };
            let start = |plans| {
                let lie = lie(me, seat.shape.messages.clone(), plans, self.shared.clone());
                self.stage.liar(me, self.number, self.auth(me), lie)
            };
            faces.into_iter().map(start).collect()
        };
        let mut firsts = Vec::new();
        for (face, (mind, frames)) in starts.into_iter().enumerate() {
            seat.minds.push(mind);
            firsts.push((face, frames));
        }
        self.seats.insert(me, seat);
        (me, firsts)
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if self.log {
            self.report.log.push(what());
        }
    }

    fn honest(&self, party: PartyId) -> bool {
        !self.corrupt.contains_key(&party)
    }

    /// What everybody, or a corrupt party, hears is the adversary's.
    fn hear(&mut self, from: PartyId, frame: &[u8]) {
        let Ok(header) = Header::parse(frame) else { return };
        let Some(body) = self.stage.shape(from).body(&header, frame, self.signed) else { return };
        let to = header.to;
        let known = match to {
            To::All => true,
            To::One(to) => {
                self.corrupt.is_empty() || self.corrupt.contains_key(&from) || self.corrupt.contains_key(&to)
            }
        };
        if known {
            self.shared.heard.borrow_mut().insert(key(header.round, from, to), body.to_vec());
        }
    }

    /// Whether somebody altered this frame of its own.
    fn is_altered(&self, from: PartyId, frame: &[u8], face: usize) -> bool {
        let lies = self.corrupt.get(&from).is_some_and(|corrupt| corrupt.audience.is_empty() || face == 1);
        let Ok(header) = Header::parse(frame) else { return false };
        let told = self.shared.told.borrow();
        lies && told
            .iter()
            .any(|(told, by, to)| told.altered && *by == from && told.place.round == header.round && *to == header.to)
    }

    fn post(&mut self, from: PartyId, face: usize, frames: Vec<Outgoing>) {
        for Outgoing { to, bytes } in frames {
            let altered = self.is_altered(from, &bytes, face);
            if let Some(corrupt) = self.corrupt.get(&from)
                && let Some(silent) = corrupt.silent
                && Header::parse(&bytes).is_ok_and(|header| header.round >= silent)
            {
                self.report.count(Action::Silence);
                continue;
            }
            self.hear(from, &bytes);
            let everybody: Vec<_> = self.seats.keys().copied().chain(self.late.iter().map(|late| late.0)).collect();
            let everybody: BTreeSet<_> = everybody.into_iter().chain(self.stage.members()).collect();
            for receiver in everybody {
                if receiver == from || matches!(to, To::One(one) if one != receiver) {
                    continue;
                }
                let sees = self.corrupt.get(&from).is_none_or(|corrupt| {
                    corrupt.audience.is_empty() || corrupt.double || corrupt.audience.contains(&receiver) == (face == 1)
                });
                if sees {
                    self.flight.push(Mail { from, to: receiver, frame: bytes.clone(), altered });
                }
            }
        }
    }

    /// Runs until all have ended, or nothing that is sent again changes anything.
    pub(super) fn play(mut self) -> Report {
        let mut idle = 0;
        for _ in 0..MOST_STEPS {
            // whatever it has done before, in the end the network delivers
            self.wild &= idle < 4;
            self.crashes = if idle < 4 { self.crashes } else { MOST_CRASHES };
            if !self.report.violations.is_empty() || idle > 8 || self.over() {
                return self.judged();
            }
            if let Some(at) = self.next() {
                if self.step(at) {
                    idle = 0;
                }
            } else if !self.late.is_empty() {
                let (member, faces) = self.late.remove(0);
                faces.into_iter().for_each(|(face, frames)| self.post(member, face, frames));
            } else if !self.store_one() {
                idle += 1;
                self.wake_all();
                self.resend();
            }
        }
        self.report.violated("the run does not end");
        self.judged()
    }

    fn over(&self) -> bool {
        self.seats.iter().all(|(me, seat)| seat.end.is_some() || !self.honest(*me))
    }

    /// Which frame is the next one: who rushes hears everything before it is heard, and is heard before it hears more.
    fn next(&mut self) -> Option<usize> {
        if self.flight.is_empty() {
            return None;
        }
        if self.wild && self.choices.one_in(3) {
            self.report.count(Action::Reorder);
            return Some(self.choices.below(self.flight.len()));
        }
        let rank = |mail: &Mail| match (self.honest(mail.from), self.honest(mail.to)) {
            (true, true) => 0,
            (false, _) => 1,
            (true, false) => 2,
        };
        let first = (0..self.flight.len()).min_by_key(|at| if self.rush { rank(&self.flight[*at]) } else { 0 })?;
        // of liars that all wait for each other the others are heard first
        if self.rush && !self.late.is_empty() && rank(&self.flight[first]) > 0 {
            return None;
        }
        Some(first)
    }

    fn resend(&mut self) {
        self.report.count(Action::Resend);
        for member in self.stage.members() {
            let Some(seat) = self.seats.get(&member) else { continue };
            let again: Vec<_> = seat.minds.iter().map(|mind| mind.resend()).enumerate().collect();
            let bound = seat.shape.bound[1];
            for (face, frames) in again {
                let bytes: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
                if self.honest(member) && bytes > bound {
                    self.report.violated(format!("{member} keeps {bytes} bytes of its own frames, {bound} are all"));
                }
                self.post(member, face, frames);
            }
        }
    }

    /// A store that took its time is done.
    fn store_one(&mut self) -> bool {
        let waits = |(me, seat): (&PartyId, &Seat)| (seat.storing && !seat.asleep).then_some(*me);
        let Some(me) = self.seats.iter().find_map(waits) else { return false };
        self.report.count(Action::StoreLate);
        self.store(me, 0);
        true
    }

    fn store(&mut self, me: PartyId, face: usize) {
        let Some(seat) = self.seats.get_mut(&me) else { return };
        seat.storing = false;
        let (Some(pending), Some(mind)) = (&seat.pending, seat.minds.get_mut(face)) else { return };
        let taken = mind.stored(pending);
        seat.stored = true;
        self.take(me, face, taken);
    }

    fn take(&mut self, me: PartyId, face: usize, taken: Taken) {
        let honest = self.honest(me);
        let Some(seat) = self.seats.get_mut(&me) else { return };
        match taken {
            Taken::More(frames) => self.post(me, face, frames),
            Taken::Prepared(sealed) => {
                if honest {
                    seat.pending = Some(sealed);
                    seat.storing = true;
                    if !self.choices.one_in(4) {
                        self.store(me, face);
                    }
                } else if let Some(mind) = seat.minds.get_mut(face) {
                    let taken = mind.stored(&sealed);
                    self.take(me, face, taken);
                }
            }
            Taken::Done(output, frames) => {
                if face == 0 && seat.end.is_none() {
                    seat.end = Some(End::Done(output));
                    self.note(|| format!("{me} is done"));
                }
                self.post(me, face, frames);
            }
        }
    }

    /// One move of the adversary; `true` if a party took something.
    fn step(&mut self, at: usize) -> bool {
        let mail = self.flight[at].clone();
        let (from, to) = (mail.from, mail.to);
        self.step_beside();
        self.cross(&mail);
        let dice = self.choices.below(100);
        match dice {
            96 if self.crash() => false,
            56..=95 if !self.wild => self.deliver(at),
            56..=62 => {
                self.flight.remove(at);
                self.did(Action::Drop, &mail);
                false
            }
            63..=69 => {
                self.did(Action::Duplicate, &mail);
                self.judge_true(&mail)
            }
            70..=76 => {
                let late = self.flight.remove(at);
                self.flight.push(late);
                self.did(Action::Delay, &mail);
                false
            }
            77..=83 if self.signed => {
                let (action, frame) = self.touched(&mail.frame);
                let mail = Mail { frame, ..mail };
                self.did(action, &mail);
                self.must_refuse(&mail, mail.from);
                false
            }
            84..=87 if !self.delivered.is_empty() => {
                let old = self.delivered[self.choices.below(self.delivered.len())].clone();
                self.did(Action::Replay, &old);
                self.judge_true(&old);
                false
            }
            88..=91 if !self.strays.is_empty() => {
                self.stray();
                false
            }
            92..=93 if self.honest(from) => {
                let back = Mail { to: from, ..mail };
                self.did(Action::Reflect, &back);
                self.must_refuse(&back, from);
                self.must_refuse(&back, to);
                false
            }
            94..=95 => {
                self.did(Action::Misattribute, &mail);
                self.must_refuse(&mail, to);
                self.must_refuse(&mail, PartyId::new(999).expect("not zero"));
                if let Some(other) = self.stage.members().into_iter().find(|other| *other != from && *other != to) {
                    self.must_refuse(&mail, other);
                }
                false
            }
            _ => self.deliver(at),
        }
    }

    fn deliver(&mut self, at: usize) -> bool {
        let mail = self.flight.remove(at);
        self.did(Action::Deliver, &mail);
        let moved = self.judge_true(&mail);
        self.delivered.push(mail);
        moved
    }

    fn did(&mut self, action: Action, mail: &Mail) {
        self.report.count(action);
        self.trace.write_usize(action as usize);
        self.trace.write_u16(mail.to.get());
        self.trace.write(&mail.frame);
        let Mail { from, to, frame, altered } = mail;
        let (len, round) = (frame.len(), frame.get(2).copied().unwrap_or(0));
        let altered = if *altered { ", altered" } else { "" };
        self.note(|| format!("{action:?} round {round} from {from} to {to}, {len} bytes{altered}"));
    }

    /// A frame as the network leaves it to nobody.
    fn touched(&mut self, frame: &[u8]) -> (Action, Vec<u8>) {
        let mut touched = frame.to_vec();
        match self.choices.below(8) {
            0 => {
                touched.truncate(self.choices.below(frame.len()));
                (Action::Truncate, touched)
            }
            1 => {
                touched.resize(frame.len() + 1 + self.choices.below(64), 0x5a);
                (Action::Extend, touched)
            }
            2 => {
                touched.truncate(self.choices.below(400));
                seeded(self.choices.bits()).fill_bytes(&mut touched);
                (Action::Garbage, touched)
            }
            _ => {
                let (at, bit) = (self.choices.below(frame.len()), self.choices.below(8));
                touched[at] ^= 1 << bit;
                (Action::Flip, touched)
            }
        }
    }
}
