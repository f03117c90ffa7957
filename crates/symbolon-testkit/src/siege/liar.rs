//! Corrupt parties: real sessions whose messages pass through a plan of lies, so that the driver frames and signs them.

use super::{
    Case, Choices,
    field::{Field, Kind, Move, OF_BODIES, Sources, alter, moves_of},
    report::{BODY, Place, STORED, Told},
    seat::Shape,
};
use crate::{Lie, lying::Telling, seeded};
use rand_core::Rng;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use symbolon_core::PartyId;
use symbolon_session::{Protocol, Sends, Setup, To};

/// Bodies by round, sender and receiver.
pub(super) type Bodies = BTreeMap<(u8, PartyId, bool, PartyId), Vec<u8>>;

/// The key of a message in [`Bodies`]; a broadcast stands under its sender.
pub(super) const fn key(round: u8, from: PartyId, to: To) -> (u8, PartyId, bool, PartyId) {
    match to {
        To::All => (round, from, true, from),
        To::One(to) => (round, from, false, to),
    }
}

/// What of a message is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Field(usize),
    Body,
    Stored,
}

/// One lie that is going to be told.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    round: u8,
    /// Of a private message, to whom; `None` is everybody, and the broadcast.
    only: Option<PartyId>,
    broadcast: bool,
    what: What,
    fields: Vec<Field>,
    how: Move,
    salt: u64,
}

impl Plan {
    /// Whether it alters this message.
    pub(super) fn meets(&self, round: u8, to: To) -> bool {
        let here = match to {
            To::All => self.broadcast,
            To::One(peer) => !self.broadcast && self.only.is_none_or(|only| only == peer),
        };
        here && round == self.round
    }

    fn place(&self) -> Place {
        let field = match self.what {
            What::Field(i) => self.fields[i].name,
            What::Body => BODY,
            What::Stored => STORED,
        };
        Place { round: self.round, broadcast: self.broadcast, field }
    }
}

/// Everything of one party that can be altered.
#[derive(Clone)]
pub(super) struct Targets(Vec<Plan>);

impl Targets {
    /// Every field, body and confirmation of what `me` sends.
    pub(super) fn of<C: Case>(case: &C, setup: &<C::P as Protocol>::Setup, shape: &Shape, me: PartyId) -> Self {
        let mut all: Vec<Plan> = Vec::new();
        let rounds = &shape.messages;
        let roster = setup.roster();
        for (round, _) in rounds {
            let sends = <C::P as Protocol>::sends(setup, *round, me);
            let mut to = Vec::new();
            if matches!(sends, Sends::Broadcast | Sends::Both) {
                to.push(To::All);
            }
            if matches!(sends, Sends::Private | Sends::Both) {
                to.extend(roster.peers().map(To::One));
            }
            for to in to {
                let fields = case.layout(*round, me, to);
                let only = if let To::One(peer) = to { Some(peer) } else { None };
                let plan = |what| Plan {
                    round: *round,
                    only,
                    broadcast: only.is_none(),
                    what,
                    fields: fields.clone(),
                    how: Move::Flip,
                    salt: 0,
                };
                let mut named: Vec<&str> = Vec::new();
                for (i, field) in fields.iter().enumerate() {
                    // a name that comes again is one place; which of them is altered is drawn later
                    if !field.is_empty() && !named.contains(&field.name) {
                        named.push(field.name);
                        all.push(plan(What::Field(i)));
                    }
                }
                all.push(plan(What::Body));
            }
        }
        if shape.confirms
            && let Some(last) = rounds.last().and_then(|(round, _)| all.iter().find(|plan| plan.round == *round))
        {
            let stored = Plan { what: What::Stored, only: None, ..last.clone() };
            all.push(stored);
        }
        Self(all)
    }

    /// The places, each once.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places: Vec<_> = self.0.iter().map(Plan::place).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// One lie: every place is as likely as every other one.
    pub(super) fn draw(&self, choices: &mut dyn Choices) -> Plan {
        let places = self.places();
        let place = places[choices.below(places.len())];
        self.draw_at(place, choices)
    }

    /// A lie about one of its places.
    pub(super) fn draw_at(&self, place: Place, choices: &mut dyn Choices) -> Plan {
        let same: Vec<_> = self.0.iter().filter(|plan| plan.place() == place).collect();
        let mut plan = same[choices.below(same.len())].clone();
        let moves = match plan.what {
            What::Field(i) => {
                let named = plan.fields[i].name;
                let all: Vec<_> = (0..plan.fields.len()).filter(|at| plan.fields[*at].name == named).collect();
                plan.what = What::Field(all[choices.below(all.len())]);
                moves_of(plan.fields[i].kind)
            }
            // of nothing, nothing can be taken
            What::Body if plan.fields.is_empty() => &[Move::Extend],
            What::Body => OF_BODIES,
            What::Stored => &[Move::Outcome],
        };
        plan.how = moves[choices.below(moves.len())];
        if !plan.broadcast && choices.one_in(3) {
            plan.only = None;
        }
        plan.salt = choices.bits();
        plan
    }
}

/// What the lies of a run share.
#[derive(Clone, Default)]
pub(super) struct Shared {
    /// What the adversary has heard in this run.
    pub(super) heard: Rc<RefCell<Bodies>>,
    /// Bodies of an older run.
    pub(super) older: Rc<Bodies>,
    /// What was told, and to whom.
    pub(super) told: Rc<RefCell<Vec<(Told, PartyId, To)>>>,
}

/// Tells the planned lies.
pub(super) fn lie(me: PartyId, rounds: Vec<(u8, usize)>, plans: Vec<Plan>, shared: Shared) -> Lie {
    Box::new(move |telling| {
        let mut left = telling.message;
        let at = rounds.iter().find(|(_, count)| {
            let here = left <= *count;
            left = left.saturating_sub(*count);
            here
        });
        let Some((round, _)) = at else { return };
        let (to, was) = (telling.to, telling.body.clone());
        let first = shared.told.borrow().len();
        for plan in plans.iter().filter(|plan| plan.meets(*round, to)) {
            let altered = tell(plan, me, *round, telling, &shared);
            shared.told.borrow_mut().push((Told { place: plan.place(), how: plan.how, altered }, me, to));
        }
        // two lies may undo each other
        if *telling.body == was {
            let mut told = shared.told.borrow_mut();
            told[first..].iter_mut().for_each(|(told, ..)| told.altered &= told.place.field == STORED);
        }
    })
}

fn tell(plan: &Plan, me: PartyId, round: u8, telling: &mut Telling<'_>, shared: &Shared) -> bool {
    let mut rng = seeded(plan.salt);
    let heard = shared.heard.borrow();
    let broadcast = telling.to == To::All;
    let another = heard
        .iter()
        .find(|((r, from, all, _), _)| *r == round && *from != me && *all == broadcast)
        .map(|(_, body)| body);
    let older = shared.older.get(&key(round, me, telling.to));
    let was = telling.body.clone();
    match plan.what {
        What::Stored => {
            if let Some(outcome) = telling.outcome.as_deref_mut() {
                alter(Kind::Bytes(32), Move::Random, outcome, &Sources::default(), plan.salt);
                return true;
            }
            return false;
        }
        What::Field(i) => {
            let start: usize = plan.fields[..i].iter().map(Field::len).sum();
            let field = plan.fields[i];
            let (len, count) = (field.kind.len(), field.count);
            let n = usize::try_from(rng.next_u64() % u64::try_from(count).unwrap()).unwrap();
            let element = |n: usize| start + n * len..start + (n + 1) * len;
            if telling.body.len() < element(n).end {
                return false;
            }
            let sources = Sources {
                others: another.and_then(|body| body.get(element(n))),
                older: older.and_then(|body| body.get(element(n))),
                sibling: was.get(element((n + 1) % count)).filter(|_| count > 1),
            };
            alter(field.kind, plan.how, &mut telling.body[element(n)], &sources, rng.next_u64());
        }
        What::Body => {
            let room = u64::try_from(telling.body.len().max(1)).unwrap();
            match (plan.how, another, older) {
                (Move::Truncate, ..) => telling.body.truncate(usize::try_from(rng.next_u64() % room).unwrap()),
                (Move::Extend, ..) => {
                    let more = 1 + usize::try_from(rng.next_u64() % 64).unwrap();
                    telling.body.resize(was.len() + more, 0x5a);
                }
                (Move::Empty, ..) => telling.body.clear(),
                (Move::Others, Some(body), _) | (Move::Older, _, Some(body)) => telling.body.clone_from(body),
                _ => rng.fill_bytes(telling.body),
            }
        }
    }
    *telling.body != was
}
