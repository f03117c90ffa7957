//! Parties that crash: suspended and back, in doubt and back, or lost.

use super::{MOST_CRASHES, Run};
use crate::siege::{
    Action,
    seat::{End, Seat},
};
use symbolon_core::PartyId;
use symbolon_session::Auth;

impl Run<'_> {
    /// Somebody honest crashes. `false`: nobody can.
    pub(super) fn crash(&mut self) -> bool {
        let alive = |(me, seat): (&PartyId, &Seat)| {
            (seat.end.is_none() && !seat.asleep && seat.minds.len() == 1 && self.honest(*me)).then_some(*me)
        };
        let alive: Vec<_> = self.seats.iter().filter_map(alive).collect();
        if alive.is_empty() || self.crashes >= MOST_CRASHES {
            return false;
        }
        self.crashes += 1;
        let me = alive[self.choices.below(alive.len())];
        let (lose, in_doubt, wake) = (self.choices.one_in(12), self.choices.one_in(2), self.choices.one_in(2));
        let auth = self.auth(me);
        let Some(seat) = self.seats.get_mut(&me) else { return false };
        if lose && !seat.stored {
            seat.minds.clear();
            seat.end = Some(End::Lost);
            self.report.count(Action::Lose);
            self.note(|| format!("{me} is lost"));
            return true;
        }
        let Some(mind) = seat.minds.first_mut() else { return false };
        if let (Some(pending), true) = (&seat.pending, seat.stored && (in_doubt || seat.recalled)) {
            match mind.recall(pending.as_bytes(), auth) {
                Ok(None) => return false,
                Ok(Some(taken)) => {
                    seat.recalled = true;
                    self.report.count(Action::InDoubt);
                    self.note(|| format!("{me} comes back in doubt"));
                    self.take(me, 0, taken);
                }
                Err(what) => self.report.violated(what),
            }
            return true;
        }
        if seat.recalled {
            return false;
        }
        match mind.sleep() {
            Err(what) => self.report.violated(what),
            Ok(false) => return false,
            Ok(true) => {
                seat.asleep = true;
                self.report.count(Action::Suspend);
                self.note(|| format!("{me} is suspended"));
                if wake {
                    self.wake(me);
                }
            }
        }
        true
    }

    fn wake(&mut self, me: PartyId) {
        let (signed, stage) = (self.signed, self.stage);
        let auth = || if signed { Auth::Signed(stage.identity(me)) } else { Auth::Channel };
        let Some(seat) = self.seats.get_mut(&me).filter(|seat| seat.asleep) else { return };
        seat.asleep = false;
        match seat.minds.first_mut().map_or(Ok(false), |mind| mind.wake(&auth)) {
            Err(what) => {
                seat.minds.clear();
                self.report.violated(what);
            }
            Ok(false) => (),
            Ok(true) => {
                self.report.count(Action::Rollback);
                self.note(|| format!("{me} is back"));
            }
        }
    }

    pub(super) fn wake_all(&mut self) {
        self.stage.members().into_iter().for_each(|me| self.wake(me));
    }
}
