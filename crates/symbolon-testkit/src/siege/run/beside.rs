//! An honest run of the same parties at the same time, with the same keys: its frames reach the run under siege, and those of the
//! run under siege reach it.

use super::{Mail, Run, Stage};
use crate::siege::{
    Action, Ends,
    seat::{Mind, Refusal, Taken},
};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet, VecDeque},
};
use symbolon_core::PartyId;
use symbolon_session::{Auth, Outgoing, To};

/// What tells its number from that of the run under siege, and so its randomness.
const LATER: u64 = 1 << 40;

pub(super) struct Beside {
    minds: BTreeMap<PartyId, Box<dyn Mind>>,
    flight: VecDeque<Mail>,
    /// Who has heard whom.
    heard: BTreeSet<(PartyId, PartyId)>,
    outputs: BTreeMap<PartyId, Box<dyn Any>>,
}

impl Beside {
    pub(super) fn new(stage: &dyn Stage, number: u64, auth: impl Fn(PartyId) -> Auth) -> Self {
        let (minds, flight) = (BTreeMap::new(), VecDeque::new());
        let mut beside = Self { minds, flight, heard: BTreeSet::new(), outputs: BTreeMap::new() };
        let started: Vec<_> = stage
            .members()
            .into_iter()
            .map(|me| (me, stage.honest(me, number.wrapping_add(LATER), auth(me))))
            .collect();
        let mut firsts = Vec::new();
        for (me, (mind, frames)) in started {
            beside.minds.insert(me, mind);
            firsts.push((me, frames));
        }
        firsts.into_iter().for_each(|(me, frames)| beside.post(me, frames));
        beside
    }

    fn post(&mut self, from: PartyId, frames: Vec<Outgoing>) {
        for Outgoing { to, bytes } in frames {
            for receiver in self.minds.keys().filter(|me| **me != from && (to == To::All || to == To::One(**me))) {
                self.flight.push_back(Mail { from, to: *receiver, frame: bytes.clone(), altered: false });
            }
        }
    }

    fn deliver(&mut self) -> Result<Option<Mail>, String> {
        let Some(mail) = self.flight.pop_front() else { return Ok(None) };
        let (from, to) = (mail.from, mail.to);
        self.heard.insert((to, from));
        let mind = self.minds.get_mut(&to).expect("a member");
        let mut taken = mind.handle(from, &mail.frame).map_err(|refusal| match refusal {
            Refusal::Rejected(why) => format!("the run beside it: {to} refuses a frame of {from}: {why}"),
            Refusal::Over(fault, ..) => format!("the run beside it: {to} failed: {fault}"),
        })?;
        loop {
            taken = match taken {
                Taken::Prepared(pending) => mind.stored(&pending),
                Taken::More(frames) => break self.post(to, frames),
                Taken::Done(output, frames) => {
                    self.outputs.insert(to, output);
                    break self.post(to, frames);
                }
            };
        }
        Ok(Some(mail))
    }

    /// A frame of the run under siege, once its first frames can no longer be taken for those of this one.
    fn cross(&mut self, mail: &Mail) -> Result<(), String> {
        if !self.heard.contains(&(mail.to, mail.from)) {
            return Ok(());
        }
        let mind = self.minds.get_mut(&mail.to).expect("a member");
        let before = (mind.resend(), mind.waiting_for());
        match mind.handle(mail.from, &mail.frame) {
            Err(Refusal::Rejected(_)) if (mind.resend(), mind.waiting_for()) == before => Ok(()),
            Err(Refusal::Rejected(_)) => Err("the run beside it: a refused frame leaves a trace".into()),
            _ => Err("the run beside it takes a frame of another run".into()),
        }
    }
}

impl Run<'_> {
    /// The run beside this one goes on by a frame, which the adversary may deliver here too.
    pub(super) fn step_beside(&mut self) {
        let Some(beside) = &mut self.beside else { return };
        let mail = match beside.deliver() {
            Err(what) => return self.report.violated(what),
            Ok(None) => return,
            Ok(Some(mail)) => mail,
        };
        // a first frame of another run may end this one: then there is not much more to see
        if self.honest(mail.to) && self.choices.one_in(if self.is_fresh(&mail) { 16 } else { 2 }) {
            self.foreign(&mail);
        }
    }

    /// What is delivered here, the adversary may deliver there too.
    pub(super) fn cross(&mut self, mail: &Mail) {
        let Some(beside) = &mut self.beside else { return };
        if self.choices.one_in(2) {
            self.report.count(Action::Beside);
            if let Err(what) = beside.cross(mail) {
                self.report.violated(what);
            }
        }
    }

    /// It ends as if nothing had been near it.
    pub(super) fn judge_beside(&mut self) {
        let Some(mut beside) = self.beside.take() else { return };
        loop {
            match beside.deliver() {
                Err(what) => return self.report.violated(what),
                Ok(Some(_)) => (),
                Ok(None) => break,
            }
        }
        if beside.outputs.len() < beside.minds.len() {
            return self.report.violated("the run beside it did not end");
        }
        let ends = Ends { outputs: beside.outputs, lied: false, corrupt: BTreeSet::new() };
        if let Err(what) = self.stage.check(self.number.wrapping_add(LATER), ends) {
            self.report.violated(format!("a wrong output of the run beside it: {what}"));
        }
    }
}
