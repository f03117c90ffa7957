//! Every protocol, and what there is to know about it.

mod committee;
mod frost;
mod pair;
mod quorum;
mod wallet;

use symbolon_core::{Ed25519, PartyId, Secp256k1};
use symbolon_session::{Fault, IdentityKey, Protocol, To};
use symbolon_testkit::siege::{Besieged, Case, Ends, Field, Free, Powers, Prepared, Siege};

type Check<P> = Box<dyn Fn(u64, Ends<<P as Protocol>::Output>) -> Result<(), String>>;

/// A [`Case`] made of parts.
struct Of<P: Protocol> {
    name: &'static str,
    members: Vec<PartyId>,
    most_corrupt: usize,
    powers: fn() -> Powers<P>,
    prepare: Box<dyn Fn(PartyId, u64) -> Prepared<P>>,
    layout: Box<dyn Fn(u8, PartyId, To) -> Vec<Field>>,
    free: &'static [Free],
    anonymous: &'static [(Fault, &'static str)],
    check: Check<P>,
}

impl<P: Protocol + 'static> Case for Of<P> {
    type P = P;

    fn name(&self) -> &'static str {
        self.name
    }

    fn members(&self) -> Vec<PartyId> {
        self.members.clone()
    }

    fn most_corrupt(&self) -> usize {
        self.most_corrupt
    }

    fn identity(&self, member: PartyId) -> IdentityKey {
        pair::identity_key(member)
    }

    fn powers(&self) -> Powers<P> {
        (self.powers)()
    }

    fn prepare(&self, member: PartyId, number: u64) -> Prepared<P> {
        (self.prepare)(member, number)
    }

    fn layout(&self, round: u8, from: PartyId, to: To) -> Vec<Field> {
        (self.layout)(round, from, to)
    }

    fn free(&self) -> &'static [Free] {
        self.free
    }

    fn anonymous(&self) -> &'static [(Fault, &'static str)] {
        self.anonymous
    }

    fn check(&self, number: u64, ends: Ends<P::Output>) -> Result<(), String> {
        (self.check)(number, ends)
    }
}

fn besieged<P: Protocol + 'static>(case: Of<P>) -> Box<dyn Besieged> {
    Box::new(Siege::new(case))
}

/// Makes one protocol's siege.
pub type Make = Box<dyn Fn() -> Box<dyn Besieged>>;

/// Every protocol by name, made when it is asked for: most of them begin with a wallet or a committee.
pub fn all() -> Vec<(&'static str, Make)> {
    let mut all = wallet::all();
    all.extend(committee::all());
    all.extend(quorum::all());
    all.extend(frost::all::<Ed25519>());
    all.extend(frost::all::<Secp256k1>());
    all
}
