//! What is expected of every answer and of every end.

use super::{Answer, Mail, Run};
use crate::siege::{
    Action, Ends, Report, Stray, Verdict,
    seat::{End, Refusal, Taken, unsigned},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hasher,
};
use symbolon_core::PartyId;
use symbolon_session::{Agreed, Class, Fault, Header, Identity, Rejected, To, convict};

impl Run<'_> {
    /// What the adversary made up changes nothing.
    pub(super) fn must_refuse(&mut self, mail: &Mail, from: PartyId) {
        if !self.honest(mail.to) {
            return;
        }
        let Some(mind) = self.seats.get(&mail.to).and_then(|seat| seat.minds.first()) else { return };
        let before = (mind.resend(), mind.waiting_for());
        match self.give(mail, from) {
            Answer::Rejected(_) | Answer::Away => (),
            answer => self.report.violated(format!("a frame that the adversary made was {answer:?}")),
        }
        if let Some(mind) = self.seats.get(&mail.to).and_then(|seat| seat.minds.first())
            && (mind.resend(), mind.waiting_for()) != before
        {
            self.report.violated("a refused frame leaves a trace");
        }
    }

    /// A frame of another run: refused, unless it is the first that is heard of its sender, and of this protocol.
    pub(super) fn stray(&mut self) {
        let Stray { from, to, bytes, .. } = self.strays[self.choices.below(self.strays.len())];
        let receivers: Vec<_> = match to {
            To::One(to) => vec![*to],
            To::All => self.stage.members().into_iter().filter(|to| to != from).collect(),
        };
        let to = receivers[self.choices.below(receivers.len())];
        if !self.honest(to) {
            return;
        }
        self.foreign(&Mail { from: *from, to, frame: bytes.clone(), altered: false });
    }

    /// Whether a party has heard nothing of the sender of this frame, which may be of a run of the same protocol.
    pub(super) fn is_fresh(&self, mail: &Mail) -> bool {
        let knows = |frame: &Vec<u8>| Header::parse(frame).is_ok_and(|header| header.sender == mail.from);
        let ours = Header::parse(&mail.frame).is_ok_and(|header| header.protocol == self.stage.protocol());
        ours && self.seats.get(&mail.to).is_some_and(|seat| !seat.accepted.iter().any(knows))
    }

    pub(super) fn foreign(&mut self, mail: &Mail) {
        self.did(Action::Foreign, mail);
        let (to, fresh, pair) = (mail.to, self.is_fresh(mail), (mail.to, mail.from));
        let was = self.report.poisoned;
        self.report.poisoned |= fresh;
        match self.give(mail, mail.from) {
            Answer::Rejected(_) | Answer::Away => self.report.poisoned = was,
            // once misled, it waits for more of the same
            _ if fresh || self.misled.contains(&pair) => {
                self.misled.insert(pair);
                self.note(|| format!("{to} has heard another run first"));
            }
            answer => self.report.violated(format!("a frame of another run was {answer:?}")),
        }
    }

    /// A true frame, or what a liar signed.
    pub(super) fn judge_true(&mut self, mail: &Mail) -> bool {
        let answer = self.give(mail, mail.from);
        if mail.altered && self.honest(mail.to) {
            match answer {
                Answer::Used | Answer::Failed => self.seen[0] += 1,
                Answer::Rejected(Rejected::Finished) | Answer::Again | Answer::Away => (),
                Answer::Rejected(_) => self.seen[1] += 1,
            }
        }
        matches!(answer, Answer::Used | Answer::Failed)
    }

    fn give(&mut self, mail: &Mail, from: PartyId) -> Answer {
        let Mail { to, frame, .. } = mail;
        let honest = self.honest(*to);
        let Some(seat) = self.seats.get_mut(to) else { return Answer::Away };
        if !honest {
            let (fresh, mut used) = (seat.accepted.insert(frame.clone()), false);
            for face in 0..seat.minds.len() {
                let Some(mind) = self.seats.get_mut(to).and_then(|seat| seat.minds.get_mut(face)) else { break };
                if let Ok(taken) = mind.handle(from, frame) {
                    used = true;
                    self.take(*to, face, taken);
                }
            }
            return if used && fresh { Answer::Used } else { Answer::Again };
        }
        let (Some(mind), false) = (seat.minds.first_mut(), seat.asleep) else { return Answer::Away };
        let again = from == mail.from && seat.accepted.contains(frame);
        // two faces that say the same sign it apart
        let signed = self.signed;
        let same = again || seat.accepted.iter().any(|other| unsigned(other, signed) == unsigned(frame, signed));
        let answer = match mind.handle(from, frame) {
            Ok(taken) if same => {
                // who came back in doubt has forgotten the confirmations that it had
                if seat.recalled && !matches!(&taken, Taken::More(frames) if frames.is_empty()) {
                    self.take(*to, 0, taken);
                    return Answer::Used;
                }
                if !matches!(&taken, Taken::More(frames) if frames.is_empty()) {
                    self.report.violated("an identical frame is used twice");
                }
                Answer::Again
            }
            Ok(taken) => {
                seat.accepted_bytes += frame.len();
                let (have, bound) = (seat.accepted_bytes, seat.shape.bound[0]);
                if have > bound && !seat.recalled {
                    self.report.violated(format!("{to} takes {have} bytes, the run has {bound}"));
                }
                if let Some(seat) = self.seats.get_mut(to) {
                    seat.accepted.insert(frame.clone());
                }
                self.take(*to, 0, taken);
                Answer::Used
            }
            Err(Refusal::Rejected(why)) => {
                let over = seat.end.is_some() && why == Rejected::Finished;
                if again && !over && !seat.recalled {
                    self.report.violated(format!("an identical frame is not ignored: {why}"));
                }
                Answer::Rejected(why)
            }
            Err(Refusal::Over(fault, culprit, evidence)) => {
                let resends = !mind.resend().is_empty();
                seat.end = Some(End::Failed);
                if resends {
                    self.report.violated("a failed run repeats frames");
                }
                self.blamed(*to, fault, culprit);
                if let (Fault::Equivocation, Some(culprit), true) = (fault, culprit, self.signed) {
                    let Identity::Key(public) = self.stage.identity(culprit).identity() else {
                        return Answer::Failed;
                    };
                    if !evidence.is_some_and(|frames| convict(&frames[0], &frames[1], &public)) {
                        self.report.violated("the evidence of a double frame convicts nobody");
                    }
                }
                Answer::Failed
            }
        };
        self.trace.write_u8(match answer {
            Answer::Used => 1,
            Answer::Again => 2,
            Answer::Rejected(_) => 3,
            Answer::Failed => 4,
            Answer::Away => 5,
        });
        if !matches!(answer, Answer::Used) {
            self.note(|| format!("    {answer:?}"));
        }
        answer
    }

    /// Whether anything was said that an honest party would not say.
    fn has_lied(&mut self) -> bool {
        self.lied |= self.shared.told.borrow().iter().any(|(told, ..)| told.altered);
        self.lied
    }

    /// Nobody honest is named, and nothing fails without a reason.
    fn blamed(&mut self, at: PartyId, fault: Fault, culprit: Option<PartyId>) {
        self.note(|| format!("{at} failed: {fault}, {culprit:?}"));
        let evident = matches!(fault.class(), Class::Abort | Class::Burn) || fault == Fault::Equivocation;
        match culprit {
            Some(named) if self.honest(named) => {
                self.report.wrong += 1;
                self.report.violated(format!("{at} names {named}, which is honest, for {fault}"));
            }
            Some(_) if !self.has_lied() => {
                self.report.wrong += 1;
                self.report.violated(format!("{at} names {culprit:?} for {fault}, and nobody has lied"));
            }
            Some(_) => self.report.right += 1,
            None if evident => {
                if !self.stage.is_anonymous(fault) {
                    self.report.unnamed += 1;
                    self.report.violated(format!("{at} names nobody for {fault}"));
                }
            }
            None if self.has_lied() => (),
            None => {
                if !self.report.poisoned || fault != Fault::Mismatch(Agreed::Sid) {
                    self.report.violated(format!("{at} failed in an honest run: {fault}"));
                }
            }
        }
    }

    /// What is left of the run, judged.
    pub(super) fn judged(mut self) -> Report {
        self.wake_all();
        self.judge_beside();
        let lied = self.has_lied();
        let told: Vec<_> = self.shared.told.borrow().iter().map(|(told, ..)| *told).collect();
        let corrupt: BTreeSet<_> = self.corrupt.keys().copied().collect();
        let (mut done, mut failed, mut waiting, mut lost) = (0, 0, 0, false);
        let mut outputs = BTreeMap::new();
        let mut unstored = None;
        for (me, seat) in &mut self.seats {
            let honest = !corrupt.contains(me);
            match seat.end.take() {
                Some(End::Done(output)) => {
                    if honest || !lied {
                        outputs.insert(*me, output);
                    }
                    done += usize::from(honest);
                    continue;
                }
                Some(End::Failed) => failed += usize::from(honest),
                Some(End::Lost) => lost = true,
                None => waiting += usize::from(honest),
            }
            if honest && seat.shape.confirms && !seat.stored {
                unstored = Some(*me);
            }
        }
        let mut wrong = Vec::new();
        let ends = Ends { outputs, lied, corrupt: corrupt.clone() };
        if let Err(what) = self.stage.check(self.number, ends) {
            wrong.push(format!("a wrong output: {what}"));
        }
        if let Some(me) = unstored.filter(|_| done > 0) {
            wrong.push(format!("somebody is done, and {me} has nothing stored"));
        }
        let silent = self.report.actions.contains_key(&Action::Silence);
        if !(lied || lost || silent || self.report.poisoned || failed + waiting == 0) {
            wrong.push(format!("an honest run did not end: {failed} failed, {waiting} wait"));
        }
        wrong.into_iter().for_each(|what| self.report.violated(what));

        let altered: BTreeSet<_> = told.iter().filter(|told| told.altered).map(|told| told.place).collect();
        // with one liar and one place it is clear what came of it
        if let (1, 1, Some(place), false) =
            (corrupt.len(), altered.len(), altered.first(), self.report.poisoned || silent || lost)
        {
            let verdict = match (self.report.right, failed, self.seen) {
                (1.., ..) => Verdict::Named,
                (_, 1.., _) => Verdict::Unnamed,
                (_, _, [0, 0]) => Verdict::Unseen,
                (_, _, [0, _]) => Verdict::Refused,
                _ if waiting == 0 => Verdict::Free,
                _ => Verdict::Silence,
            };
            self.report.verdict = Some((*place, verdict));
            if verdict == Verdict::Free && !self.stage.is_free(place) {
                let how: Vec<_> = told.iter().filter(|told| told.altered).map(|told| told.how).collect();
                self.report.violated(format!("a changed {place} ({how:?}) has a result"));
            }
        }
        self.report.told = told;
        self.report.ends = [done, failed, waiting];
        self.report.trace = self.trace.finish();
        self.report
    }
}
