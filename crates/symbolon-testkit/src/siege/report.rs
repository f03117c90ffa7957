//! What is left of a run.

use super::field::Move;
use std::collections::BTreeMap;

/// What the adversary does besides lying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Action {
    Deliver,
    /// Another frame than the oldest was delivered.
    Reorder,
    Drop,
    Duplicate,
    Delay,
    Flip,
    Truncate,
    Extend,
    Garbage,
    /// A frame that this run had already delivered.
    Replay,
    /// A frame of an older or parallel run, of another key or another protocol.
    Foreign,
    /// A frame while another run of the same parties is under way, which may get it too.
    Beside,
    Reflect,
    /// A true frame, said to come from somebody else.
    Misattribute,
    /// Nothing moved: all sent again what the others may have missed.
    Resend,
    /// The store took its time.
    StoreLate,
    /// A party was suspended, dropped, and brought back.
    Suspend,
    /// The copy that had come back was brought back once more.
    Rollback,
    /// A party in doubt was brought back from its stored pending value.
    InDoubt,
    /// A party was lost with its run.
    Lose,
    /// A liar waited until it had heard the others.
    Rush,
    /// A liar said nothing more.
    Silence,
    /// A liar had two faces.
    Split,
    /// A liar gave the same party both its faces.
    Double,
}

/// Every action.
pub const ACTIONS: [Action; 24] = [
    Action::Deliver,
    Action::Reorder,
    Action::Drop,
    Action::Duplicate,
    Action::Delay,
    Action::Flip,
    Action::Truncate,
    Action::Extend,
    Action::Garbage,
    Action::Replay,
    Action::Foreign,
    Action::Beside,
    Action::Reflect,
    Action::Misattribute,
    Action::Resend,
    Action::StoreLate,
    Action::Suspend,
    Action::Rollback,
    Action::InDoubt,
    Action::Lose,
    Action::Rush,
    Action::Silence,
    Action::Split,
    Action::Double,
];

/// Names a field of a message: the round, whether it is the broadcast of it, and the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Of the message.
    pub round: u8,
    /// The broadcast of the round, or a private message.
    pub broadcast: bool,
    /// Its name in the table; [`BODY`] for the whole body, [`STORED`] for the confirmation.
    pub field: &'static str,
}

/// The whole body in [`Place::field`].
pub const BODY: &str = "body";
/// The confirmation of a key-making run in [`Place::field`].
pub const STORED: &str = "stored";

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let slot = if self.broadcast { "to all" } else { "to one" };
        write!(f, "{} {slot}: {}", self.round, self.field)
    }
}

/// How a run ended in which exactly one thing was altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The altered frame was refused, and nobody was deceived.
    Refused,
    /// An honest party ended it and named the liar.
    Named,
    /// An honest party ended it and named nobody.
    Unnamed,
    /// Some honest party has nothing and waits.
    Silence,
    /// All honest parties have a result, and it is right.
    Free,
    /// The altered frame reached nobody.
    Unseen,
}

/// Every verdict.
pub const VERDICTS: [Verdict; 6] =
    [Verdict::Refused, Verdict::Named, Verdict::Unnamed, Verdict::Silence, Verdict::Free, Verdict::Unseen];

/// One altered field or body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// What.
    pub place: Place,
    /// How.
    pub how: Move,
    /// Whether its bytes are others than they were.
    pub altered: bool,
}

/// What is left of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// A hash of everything that was delivered and answered, in order.
    pub trace: u64,
    /// How often each action happened.
    pub actions: BTreeMap<Action, usize>,
    /// What was lied.
    pub told: Vec<Told>,
    /// If exactly one thing was altered, what came of it.
    pub verdict: Option<(Place, Verdict)>,
    /// Honest parties with a result, failed, and waiting.
    pub ends: [usize; 3],
    /// Aborts at honest parties that named a liar.
    pub right: usize,
    /// Aborts at honest parties that named somebody honest.
    pub wrong: usize,
    /// Aborts at honest parties whose class names a culprit, and did not.
    pub unnamed: usize,
    /// Whether a first frame of another run came before the true one: then the run may end as a mismatch.
    pub poisoned: bool,
    /// What must not be.
    pub violations: Vec<String>,
    /// What happened, if it was asked for.
    pub log: Vec<String>,
}

impl Report {
    pub(super) fn count(&mut self, action: Action) {
        *self.actions.entry(action).or_default() += 1;
    }

    pub(super) fn violated(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.log.push(format!("VIOLATION: {what}"));
        self.violations.push(what);
    }
}
