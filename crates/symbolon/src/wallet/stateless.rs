//! Signing without any stored correlation: a pair setup made inside the run and dropped with it, packed with a signature
//! from scratch into eight messages. The default for phones (safety.md S1).

use alloc::{vec, vec::Vec};
use symbolon_core::{
    PartyId, Role, Secp256k1, SeedRng,
    wire::{Reader, Writer},
};
use symbolon_ecdsa::{
    DerivationPath, Nonces, OwnHalf, Payload, PeerHalf, Request, SignError, Signed,
    online::{self, CLIENT_STEP_3_LEN, SERVER_STEP_3_LEN, STEP_4_LEN, Target},
    preprocess,
};
use symbolon_mta::{
    M1_LEN, M2_LEN, M3_LEN, M4_LEN, M5_LEN, M6_LEN, MulReceiver, Purpose, SetupClient1, SetupClient2, SetupClient3,
    SetupServer1, SetupServer2, Suite, extension_len,
};
use symbolon_session::{
    Agreed, Draft, Failed, Fault, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup, Terms, To,
};
use symbolon_sharing::KeyShare;

/// Message, key and path of one stateless signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatelessSetup {
    request: Request,
    suite: Suite,
}

impl StatelessSetup {
    /// One signature of `share` by these two of the key's members.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn new(
        share: &KeyShare<Secp256k1>,
        pair: &Pair,
        suite: Suite,
        payload: Payload,
        path: DerivationPath,
    ) -> Result<Self, SignError> {
        Ok(Self { request: Request::new(share, pair, payload, path)?, suite })
    }

    /// Message, key and path.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }
}

impl Setup for StatelessSetup {
    fn roster(&self) -> Roster {
        self.request.pair().roster()
    }

    fn terms(&self) -> Terms {
        Terms { parameters: self.suite.parameters(), ..self.request.terms().clone() }
    }
}

/// The composed run.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
#[allow(clippy::large_enum_variant, reason = "one value per session, moved a few times")]
pub enum SignStateless {
    /// Client after M1.
    Client1(Target, SetupClient1),
    /// Client after M3.
    Client2(Target, SetupClient2),
    /// Client after M5.
    Client3(Target, SetupClient3, MulReceiver),
    /// Client after M7.
    Client4(Target, OwnHalf, PeerHalf),
    /// Server before M1.
    Server0(Target),
    /// Server after M2.
    Server1(Target, SetupServer1),
    /// Server after M4.
    Server2(Target, SetupServer2),
    /// Server after M6.
    Server3(Target, OwnHalf, MulReceiver),
}

impl Protocol for SignStateless {
    const NAME: &'static str = "sign-stateless";
    const ID: u8 = 10;
    const ROUNDS: u8 = 8;
    type Setup = StatelessSetup;
    type LongTerm = KeyShare<Secp256k1>;
    type Input = ();
    type Held = ();
    type Output = Signed;

    fn sends(setup: &StatelessSetup, round: u8, from: PartyId) -> Sends {
        setup.request.pair().turns(Role::Client, round, from)
    }

    fn max_body(_: &StatelessSetup, round: u8) -> usize {
        match round {
            1 => M1_LEN,
            2 => M2_LEN,
            3 => M3_LEN,
            4 => M4_LEN,
            5 => M5_LEN + extension_len(1),
            6 => M6_LEN + preprocess::commit_len(1) + preprocess::multiply_len(1),
            7 => preprocess::multiply_len(1) + CLIENT_STEP_3_LEN,
            8 => SERVER_STEP_3_LEN + STEP_4_LEN,
            _ => 0,
        }
    }

    fn fits(setup: &StatelessSetup, share: &KeyShare<Secp256k1>, _: &()) -> Result<(), Agreed> {
        setup.request.fits(share)
    }

    fn start(
        setup: &StatelessSetup,
        share: &KeyShare<Secp256k1>,
        _: (),
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let (pair, target) = (setup.request.pair(), setup.request.target(share));
        match pair.role() {
            Role::Client => {
                let mut w = Writer::new();
                let state = SetupClient1::start(run.sid0(), *pair, setup.suite, 0, rng, &mut w);
                (Self::Client1(target, state), vec![(To::One(pair.peer()), w.finish())])
            }
            Role::Server => (Self::Server0(target), vec![]),
        }
    }

    fn advance(
        self,
        setup: &StatelessSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        let peer = setup.request.pair().peer();
        inbox.private(peer).whole(|r| self.step(setup, run, r, rng)).map_err(|fault| Failed::new(peer, fault))
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

impl SignStateless {
    fn step(
        self,
        setup: &StatelessSetup,
        run: &Run,
        r: &mut Reader<'_>,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Fault> {
        let (sid, pair) = (run.sid(), setup.request.pair());
        let to = To::One(pair.peer());
        let mut w = Writer::new();
        let state = match self {
            // M1 -> M2
            Self::Server0(target) => {
                let client = run.sid0_of(pair.id(Role::Client));
                let ots = SetupServer1::choose(sid, client, *pair, setup.suite, 0, r, &mut w, rng)?;
                Self::Server1(target, ots)
            }
            // M2 -> M3
            Self::Client1(target, ots) => Self::Client2(target, ots.challenge(sid, r, &mut w)?),
            // M3 -> M4
            Self::Server1(target, ots) => Self::Server2(target, ots.respond(r, &mut w)?),
            // M4 -> M5
            Self::Client2(target, ots) => {
                let ots = ots.open(r, &mut w, rng)?;
                let receiver = MulReceiver::extend(ots.receiver(), sid, Purpose::Preprocess, 1, &mut w, rng);
                Self::Client3(target, ots, receiver)
            }
            // M5 -> M6
            Self::Server2(target, ots) => {
                let ots = ots.finish(r, &mut w)?;
                let (nonces, receiver) = preprocess::server_commits(&ots, &sid, 1, &mut w, rng);
                let sender = preprocess::multiply(&ots, &sid, 1, r, &mut w, rng)?;
                let (own, _) =
                    OwnHalf::batch(&ots, &sid, nonces, vec![], sender)?.pop().ok_or(Fault::Multiplication)?;
                Self::Server3(target, own, receiver)
            }
            // M6 -> M7
            Self::Client3(target, ots, receiver) => {
                let ots = ots.finish(r)?;
                let commitments = preprocess::read_commitments(1, r)?;
                let nonces = Nonces::open(1, rng);
                let sender = preprocess::multiply(&ots, &sid, 1, r, &mut w, rng)?;
                let (own, _) =
                    OwnHalf::batch(&ots, &sid, nonces, commitments, sender)?.pop().ok_or(Fault::Multiplication)?;
                let receiver = receiver.multiply::<2>(r)?.pop().ok_or(Fault::Multiplication)?;
                online::open(&own, &target, &mut w);
                Self::Client4(target, own, receiver.into())
            }
            // M7 -> M8
            Self::Server3(target, own, receiver) => {
                let receiver = receiver.multiply::<2>(r)?.pop().ok_or(Fault::Multiplication)?;
                let big_r = online::server_signs(&sid, own, receiver.into(), &target, r, &mut w)?;
                return Ok(Next::Done(setup.request.released(big_r), vec![(to, w.finish())], ()));
            }
            // M8
            Self::Client4(target, own, peer) => {
                let signature = online::client_finishes(&sid, own, peer, &target, r)?;
                return Ok(Next::Done(Signed::Signature(signature), vec![], ()));
            }
        };
        Ok(Next::Round(state, vec![(to, w.finish())]))
    }
}
