//! Pair setups among all members of a committee in one run: every pair runs mta 1 to 3 side by side, in the same six
//! rounds. Independent of keys. The other way is one [`crate::PairSetupRun`] for each pair when it is first needed.

use crate::{
    M5_LEN, PairSetup, PairSetupTerms, Suite,
    protocol::{Making, setup_message_len},
};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{Group, PartyId, Role, Secp256k1, SeedRng, wire::Writer};
use symbolon_session::{
    Draft, Failed, Fault, Identity, Inbox, Next, Pair, Protocol, Roster, RosterError, Run, Sends, Setup, Terms, To,
};

/// What a committee agrees on before its pair setups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitteeTerms {
    roster: Roster,
    suite: Suite,
    serial: u32,
    /// One for each peer.
    pairs: BTreeMap<PartyId, PairSetupTerms>,
}

impl CommitteeTerms {
    /// Pair setups between `me` and every other member, among all of them. `serial` is the same for all pairs, and not
    /// below the floor of any of them (safety.md S6): the members agree on the highest floor that one of them has.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn new(
        me: PartyId,
        members: impl IntoIterator<Item = (PartyId, Identity)>,
        suite: Suite,
        serial: u32,
    ) -> Result<Self, RosterError> {
        let roster = Roster::new(me, members)?;
        let own = roster.identity(me).copied().ok_or(RosterError::NotAMember(me))?;
        let peers = roster.members().iter().filter(|member| member.0 != me);
        let terms = |peer: &(PartyId, Identity)| {
            let pair = Pair::between(me, (me, own), *peer)?;
            Ok((peer.0, PairSetupTerms { pair, suite, serial }))
        };
        let pairs = peers.map(terms).collect::<Result<_, RosterError>>()?;
        Ok(Self { roster, suite, serial, pairs })
    }
}

impl Setup for CommitteeTerms {
    fn roster(&self) -> Roster {
        self.roster.clone()
    }

    fn terms(&self) -> Terms {
        Terms {
            curve: Secp256k1::ID,
            scheme: "mta",
            parameters: self.suite.parameters(),
            extra: self.serial.to_be_bytes().to_vec(),
            ..Terms::default()
        }
    }
}

/// Makes a [`PairSetup`] with every other member: six rounds, each with the clients' or the servers' messages. Whoever has
/// nothing to say to a peer in a round in which it sends to others says it with an empty body. A failed run leaves nothing.
pub struct CommitteeSetup {
    pairs: BTreeMap<PartyId, Making>,
    /// The round that is waited for.
    round: u8,
}

/// Whether the party with this role in a pair speaks in `round`.
const fn speaks(role: Role, round: u8) -> bool {
    matches!((role, round % 2), (Role::Client, 1) | (Role::Server, 0))
}

impl Protocol for CommitteeSetup {
    const NAME: &'static str = "committee-setup";
    const ID: u8 = 11;
    const ROUNDS: u8 = 6;
    type Setup = CommitteeTerms;
    type LongTerm = ();
    type Input = ();
    type Held = ();
    /// One for each peer.
    type Output = BTreeMap<PartyId, PairSetup>;

    fn sends(setup: &CommitteeTerms, round: u8, from: PartyId) -> Sends {
        let members = setup.roster.members();
        // the first is the server of all its pairs, the last the client of all; everybody says its nonce in round 1
        let silent = if round % 2 == 1 { members.first() } else { members.last() };
        if round > 1 && silent.is_some_and(|member| member.0 == from) { Sends::Nothing } else { Sends::Private }
    }

    fn max_body(_: &CommitteeTerms, round: u8) -> usize {
        setup_message_len(round)
    }

    fn start(setup: &CommitteeTerms, (): &(), (): (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let (mut pairs, mut drafts) = (BTreeMap::new(), Vec::new());
        for (peer, terms) in &setup.pairs {
            let mut w = Writer::new();
            pairs.insert(*peer, Making::start(terms, run, &mut w, rng));
            drafts.push((To::One(*peer), w.finish()));
        }
        (Self { pairs, round: 1 }, drafts)
    }

    fn advance(
        self,
        setup: &CommitteeTerms,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        let round = self.round;
        let (mut pairs, mut drafts) = (BTreeMap::new(), Vec::new());
        for (peer, state) in self.pairs {
            let terms = setup.pairs.get(&peer).ok_or(Failed::new(peer, Fault::Inconsistent))?;
            let heard = speaks(terms.pair.role().peer(), round);
            let mut w = Writer::with_capacity(if heard { M5_LEN } else { 0 });
            let step = inbox
                .private(peer)
                .whole(|r| if heard { state.step(terms, run, r, &mut w, rng) } else { Ok(state) })
                .map_err(|fault| Failed::new(peer, fault))?;
            pairs.insert(peer, step);
            drafts.push((To::One(peer), w.finish()));
        }
        if round == Self::ROUNDS || Self::sends(setup, round + 1, setup.roster.me()) == Sends::Nothing {
            drafts.clear();
        }
        // of two members one is silent in every other round, which the driver then skips
        let speaks = |round: &u8| setup.roster.peers().any(|peer| Self::sends(setup, *round, peer) != Sends::Nothing);
        if let Some(round) = (round + 1..=Self::ROUNDS).find(speaks) {
            return Ok(Next::Round(Self { pairs, round }, drafts));
        }
        let finished = pairs.into_iter().map(|(peer, state)| match state {
            Making::Done(made) => Ok((peer, made)),
            _ => Err(Failed::new(peer, Fault::Inconsistent)),
        });
        Ok(Next::Done(finished.collect::<Result<_, _>>()?, drafts, ()))
    }

    fn cancel(self) -> Option<()> {
        None
    }
}
