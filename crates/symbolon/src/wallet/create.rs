//! *Create a wallet ready to sign*: keygen, pair setup in both directions and conversion packed into nine messages
//! (docs/spec/keygen.md, packing). Pre-processing for a bank may ride along.

use super::Wallet;
use alloc::{vec, vec::Vec};
use symbolon_core::{
    Group, PartyId, Role, Secp256k1, SeedRng, Sid, Threshold,
    wire::{Reader, Writer},
};
use symbolon_ecdsa::{Halves, Nonces, OwnHalf, Preprocessed, preprocess};
use symbolon_keygen::{convert, keygen};
use symbolon_mta::{
    M1_LEN, M2_LEN, M3_LEN, M4_LEN, M5_LEN, M6_LEN, MulReceiver, PairSetup, Purpose, SetupClient1, SetupClient2,
    SetupClient3, SetupServer1, SetupServer2, Suite, extension_len,
};
use symbolon_session::{
    Agreed, Draft, Failed, Fault, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup, Storable, Terms, To,
};
use symbolon_sharing::PairFactor;

/// Who makes a wallet, and what is made with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateSetup {
    pair: Pair,
    suite: Suite,
    serial: u32,
    bank: u16,
}

impl CreateSetup {
    /// A wallet of the two sides of `pair`, with the `blake3` suite and nothing banked.
    #[must_use]
    pub fn new(pair: impl Into<Pair>) -> Self {
        Self { pair: pair.into(), suite: Suite::Blake3, serial: 0, bank: 0 }
    }

    /// The pad suite of the pair setup. Both sides name the same one.
    #[must_use]
    pub const fn suite(self, suite: Suite) -> Self {
        Self { suite, ..self }
    }

    /// The pair's serial in the ledger: what is made below it later is stale (safety.md S6).
    #[must_use]
    pub const fn serial(self, serial: u32) -> Self {
        Self { serial, ..self }
    }

    /// Items of pre-processing that ride along.
    #[must_use]
    pub fn bank(self, items: u8) -> Self {
        Self { bank: items.into(), ..self }
    }
}

impl From<Role> for CreateSetup {
    fn from(role: Role) -> Self {
        Self::new(role)
    }
}

impl From<Pair> for CreateSetup {
    fn from(pair: Pair) -> Self {
        Self::new(pair)
    }
}

impl Setup for CreateSetup {
    fn roster(&self) -> Roster {
        self.pair.roster()
    }

    fn terms(&self) -> Terms {
        let mut extra = Writer::new();
        extra.u32(self.serial).u16(self.bank);
        Terms {
            curve: Secp256k1::ID,
            scheme: "ecdsa",
            parameters: self.suite.parameters(),
            threshold: Some(Threshold::TWO),
            epoch: Some(0),
            generation: Some(0),
            extra: extra.finish(),
            ..Terms::default()
        }
    }
}

/// What a creation makes beside the wallet: the pair setup and the bank items. Put the setup into the ledger and the
/// items into the bank, or drop both and sign statelessly.
#[allow(clippy::exhaustive_structs, reason = "the two things that are made")]
pub struct Made {
    /// Both directions, key-independent.
    pub setup: PairSetup,
    /// As many as [`CreateSetup::bank`] asked for.
    pub items: Vec<Preprocessed>,
}

/// The composed run.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
#[allow(clippy::large_enum_variant, reason = "one value per session, moved a few times")]
pub enum Create {
    /// Client after M1.
    Client1(SetupClient1),
    /// Client after M3.
    Client2(SetupClient2, keygen::Responder),
    /// Client after M5.
    Client3(SetupClient3, PairFactor, convert::Responder, Option<MulReceiver>),
    /// Client after M7.
    Client4(Made, PairFactor, convert::Proved),
    /// Server before M1.
    Server0,
    /// Server after M2.
    Server1(SetupServer1, keygen::Initiator),
    /// Server after M4.
    Server2(SetupServer2, PairFactor),
    /// Server after M6.
    Server3(PairSetup, PairFactor, convert::Initiator, Option<(Halves, MulReceiver)>),
}

impl Protocol for Create {
    const NAME: &'static str = "create";
    const ID: u8 = 9;
    const ROUNDS: u8 = 9;
    const KEY_MAKING: bool = true;
    type Setup = CreateSetup;
    type LongTerm = ();
    type Input = ();
    type Held = Made;
    type Output = Wallet;

    fn sends(setup: &CreateSetup, round: u8, from: PartyId) -> Sends {
        setup.pair.turns(Role::Client, round, from)
    }

    fn max_body(setup: &CreateSetup, round: u8) -> usize {
        let (some, n) = (usize::from(setup.bank > 0), setup.bank);
        match round {
            1 => M1_LEN,
            2 => keygen::COMMITMENT_LEN + M2_LEN,
            3 => keygen::RESPONSE_LEN + M3_LEN,
            4 => keygen::OPENING_LEN + M4_LEN,
            5 => 32 + M5_LEN + convert::EXTENSION_LEN + some * extension_len(n),
            6 => {
                let banked = some * (preprocess::commit_len(n) + preprocess::multiply_len(n));
                32 + M6_LEN + convert::MULTIPLICATION_LEN + banked
            }
            7 => convert::RESPONSE_LEN + some * preprocess::multiply_len(n),
            8 => convert::PROOF_LEN,
            _ => 0,
        }
    }

    fn start(setup: &CreateSetup, _: &(), _: (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        match setup.pair.role() {
            Role::Client => {
                let mut w = Writer::new();
                let state = SetupClient1::start(run.sid0(), setup.pair, setup.suite, setup.serial, rng, &mut w);
                (Self::Client1(state), vec![(To::One(setup.pair.peer()), w.finish())])
            }
            Role::Server => (Self::Server0, vec![]),
        }
    }

    fn advance(
        self,
        setup: &CreateSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<Made>> {
        let peer = setup.pair.peer();
        // nothing that was moved in can be lost: what this run made is discarded with it
        inbox.private(peer).whole(|r| self.step(setup, run, r, rng)).map_err(|fault| Failed::new(peer, fault))
    }

    fn cancel(self) -> Option<Made> {
        None
    }
}

impl Create {
    fn step(self, setup: &CreateSetup, run: &Run, r: &mut Reader<'_>, rng: &mut SeedRng) -> Result<Next<Self>, Fault> {
        let (sid, to, pair) = (run.sid(), To::One(setup.pair.peer()), &setup.pair);
        let mut w = Writer::new();
        let state = match self {
            // M1 -> M2
            Self::Server0 => {
                let keys = keygen::Initiator::commit(pair, &run.sid0(), &mut w, rng);
                let client = run.sid0_of(pair.id(Role::Client));
                let ots = SetupServer1::choose(sid, client, *pair, setup.suite, setup.serial, r, &mut w, rng)?;
                Self::Server1(ots, keys)
            }
            // M2 -> M3
            Self::Client1(ots) => {
                let keys = keygen::Responder::respond(pair, &sid, r, &mut w, rng)?;
                Self::Client2(ots.challenge(sid, r, &mut w)?, keys)
            }
            // M3 -> M4
            Self::Server1(ots, keys) => {
                let factor = keys.open(&sid, r, &mut w, rng)?;
                Self::Server2(ots.respond(r, &mut w)?, factor)
            }
            // M4 -> M5
            Self::Client2(ots, keys) => {
                let factor = keys.finish(&sid, &run.sid0_of(pair.id(Role::Server)), r)?;
                w.bytes(&keygen::confirmation(&sid, &factor, Role::Client));
                let ots = ots.open(r, &mut w, rng)?;
                let conversion = convert::Responder::extend(ots.receiver(), &sid, &mut w, rng);
                let banking = (setup.bank > 0)
                    .then(|| MulReceiver::extend(ots.receiver(), sid, Purpose::Preprocess, setup.bank, &mut w, rng));
                Self::Client3(ots, factor, conversion, banking)
            }
            // M5 -> M6
            Self::Server2(ots, factor) => {
                confirm(&sid, &factor, Role::Client, r)?;
                w.bytes(&keygen::confirmation(&sid, &factor, Role::Server));
                let mut ots = ots.finish(r, &mut w)?;
                begin_runs(&mut ots, setup)?;
                let inputs = convert::Inputs::new(&factor, 0);
                let conversion = convert::Initiator::multiply(ots.sender(), inputs, &sid, r, &mut w, rng)?;
                let banking = if setup.bank > 0 {
                    let (nonces, receiver) = preprocess::server_commits(&ots, &sid, setup.bank, &mut w, rng);
                    let sender = preprocess::multiply(&ots, &sid, setup.bank, r, &mut w, rng)?;
                    Some((OwnHalf::batch(&ots, &sid, nonces, vec![], sender)?, receiver))
                } else {
                    None
                };
                Self::Server3(ots, factor, conversion, banking)
            }
            // M6 -> M7
            Self::Client3(ots, factor, conversion, banking) => {
                confirm(&sid, &factor, Role::Server, r)?;
                let mut ots = ots.finish(r)?;
                begin_runs(&mut ots, setup)?;
                let conversion = conversion.prove(convert::Inputs::new(&factor, 0), &sid, r, &mut w, rng)?;
                let items = match banking {
                    Some(receiver) => client_banks(&ots, &sid, setup.bank, receiver, r, &mut w, rng)?,
                    None => vec![],
                };
                Self::Client4(Made { setup: ots, items }, factor, conversion)
            }
            // M7 -> M8, after its store
            Self::Server3(ots, factor, conversion, banking) => {
                let converted = conversion.finish(&sid, r, &mut w, rng)?;
                let items = match banking {
                    Some((halves, receiver)) => Preprocessed::batch(halves, receiver.multiply::<2>(r)?)?,
                    None => vec![],
                };
                return Ok(prepared(converted, factor, Made { setup: ots, items }, vec![(to, w.finish())]));
            }
            // M8 -> M9, after its store
            Self::Client4(made, factor, conversion) => {
                let converted = conversion.finish(&sid, r)?;
                return Ok(prepared(converted, factor, made, vec![(to, vec![])]));
            }
        };
        Ok(Next::Round(state, vec![(to, w.finish())]))
    }
}

/// The peer's early key confirmation.
fn confirm(sid: &Sid, factor: &PairFactor, sender: Role, r: &mut Reader<'_>) -> Result<(), Fault> {
    if r.array::<32>()? == keygen::confirmation(sid, factor, sender) {
        Ok(())
    } else {
        Err(Fault::Mismatch(Agreed::Outcome))
    }
}

/// One run of the fresh setup for the conversion, one for the bank.
fn begin_runs(ots: &mut PairSetup, setup: &CreateSetup) -> Result<(), Fault> {
    ots.begin_run().map_err(|_| Fault::Extension)?;
    if setup.bank > 0 {
        ots.begin_run().map_err(|_| Fault::Extension)?;
    }
    Ok(())
}

/// M6 as the client reads it, and M7: the server's commitments, extension and multiplication; the own multiplication.
fn client_banks(
    ots: &PairSetup,
    sid: &Sid,
    count: u16,
    receiver: MulReceiver,
    r: &mut Reader<'_>,
    w: &mut Writer,
    rng: &mut SeedRng,
) -> Result<Vec<Preprocessed>, Fault> {
    let commitments = preprocess::read_commitments(count, r)?;
    let nonces = Nonces::open(count, rng);
    let sender = preprocess::multiply(ots, sid, count, r, w, rng)?;
    let halves = OwnHalf::batch(ots, sid, nonces, commitments, sender)?;
    Preprocessed::batch(halves, receiver.multiply::<2>(r)?)
}

fn prepared(converted: convert::Converted, factor: PairFactor, held: Made, drafts: Vec<Draft>) -> Next<Create> {
    let output = Wallet::new(converted.share, Some(factor));
    Next::Prepared { encoded: output.encoded(), output, outcome: converted.outcome, drafts, held }
}
