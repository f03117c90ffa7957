//! A protocol whose randomness is known, behind the real driver.

use crate::Needles;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use rand_core::Rng;
use std::sync::Mutex;
use symbolon::frost::Ciphersuite;
use symbolon_core::{PartyId, SecretBytes, SecretScalar, SeedRng};
use symbolon_session::{Agreed, Draft, Failed, Inbox, Next, Protocol, Run, Sends, Suspend, To};
use zeroize::Zeroizing;

/// Whether secrets are registered now.
pub static LEARNING: AtomicBool = AtomicBool::new(false);
/// Bytes of each round's generator that are looked for. A round that draws more fails.
const STREAM: usize = 2 * 1024;

type Made = Box<dyn Fn(&[u8; 32]) + Send>;
/// What is made of each draw of 32 bytes.
static MADE: Mutex<Vec<Made>> = Mutex::new(Vec::new());
/// The name of the nonces that [`hedged`] finds.
pub const FROST_NONCE: &str = "a FROST nonce";

/// From now on a draw of 32 bytes may be the randomness of a nonce of this share: `H3(random || share)`, which is in no stream.
pub fn hedged<C: Ciphersuite>(share: &SecretScalar<C>) {
    let share = share.to_bytes();
    let made = move |draw: &[u8; 32]| Needles::watch_scalar::<C>(FROST_NONCE, &C::h3(&[draw, share.expose()]));
    MADE.lock().expect("nobody panics with it").push(Box::new(made));
}

/// Registers what is made of a draw.
pub fn drawn(bytes: &[u8]) {
    let Ok(draw) = bytes.try_into() else { return };
    MADE.lock().expect("nobody panics with it").iter().for_each(|made| made(draw));
}

/// Nothing more is made of draws.
pub fn forget() {
    MADE.lock().expect("nobody panics with it").clear();
}

/// A party of `P` whose rounds draw from a generator with a key that this type knows: all that they draw is looked for. Private bodies
/// are too, where they carry shares; all others are public.
pub struct Watched<P>(P);

/// Runs a round with a generator of its own.
fn with_stream<T>(rng: &mut SeedRng, round: impl FnOnce(&mut SeedRng) -> T) -> T {
    let key = SecretBytes::<32>::random(rng);
    let learning = LEARNING.load(Relaxed);
    if learning {
        Needles::watch_stream("what a round drew", key.expose(), STREAM);
    }
    let mut own = SeedRng::new(key.expose());
    let result = round(&mut own);
    if learning {
        let mut next = [0; 32];
        own.fill_bytes(&mut next);
        let mut stream = Zeroizing::new(vec![0; STREAM]);
        SeedRng::new(key.expose()).fill_bytes(&mut stream);
        let used = stream.windows(32).position(|window| window == next);
        stream[..used.expect("a round draws more than is looked for")].chunks_exact(32).for_each(drawn);
    }
    result
}

/// Bodies that leave. Those of a dealing to one member carry its share.
fn sent<P: Protocol>(drafts: Vec<Draft>) -> Vec<Draft> {
    if LEARNING.load(Relaxed) {
        for (to, body) in &drafts {
            if matches!(to, To::One(_)) && deals::<P>() {
                Needles::watch("a dealt share", body.get(..32).unwrap_or_default())
            } else {
                Needles::publish(body)
            }
        }
    }
    drafts
}

/// Whether the private frames of a protocol carry secrets.
pub fn deals<P: Protocol>() -> bool {
    ["dkg", "hand-over", "refresh", "import"].iter().any(|name| P::NAME.contains(name)) && P::NAME != "pair-refresh"
}

impl<P: Protocol> Protocol for Watched<P> {
    const NAME: &'static str = P::NAME;
    const ID: u8 = P::ID;
    const ROUNDS: u8 = P::ROUNDS;
    const KEY_MAKING: bool = P::KEY_MAKING;
    const NONCES: bool = P::NONCES;
    const LOG_FRAMES: bool = P::LOG_FRAMES;
    type Setup = P::Setup;
    type LongTerm = P::LongTerm;
    type Input = P::Input;
    type Held = P::Held;
    type Output = P::Output;

    fn sends(setup: &P::Setup, round: u8, from: PartyId) -> Sends {
        P::sends(setup, round, from)
    }

    fn confirms(setup: &P::Setup, party: PartyId) -> bool {
        P::confirms(setup, party)
    }

    fn needs_signatures(setup: &P::Setup) -> bool {
        P::needs_signatures(setup)
    }

    fn max_body(setup: &P::Setup, round: u8) -> usize {
        P::max_body(setup, round)
    }

    fn fits(setup: &P::Setup, secrets: &P::LongTerm, input: &P::Input) -> Result<(), Agreed> {
        P::fits(setup, secrets, input)
    }

    fn start(
        setup: &P::Setup,
        secrets: &P::LongTerm,
        input: P::Input,
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let (state, drafts) = with_stream(rng, |rng| P::start(setup, secrets, input, run, rng));
        (Self(state), sent::<P>(drafts))
    }

    fn advance(
        self,
        setup: &P::Setup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<P::Held>> {
        Ok(match with_stream(rng, |rng| self.0.advance(setup, run, inbox, rng))? {
            Next::Round(state, drafts) => Next::Round(Self(state), sent::<P>(drafts)),
            Next::Prepared { output, encoded, outcome, drafts, held } => {
                Next::Prepared { output, encoded, outcome, drafts: sent::<P>(drafts), held }
            }
            Next::Done(output, drafts, held) => Next::Done(output, sent::<P>(drafts), held),
        })
    }

    fn cancel(self) -> Option<P::Held> {
        self.0.cancel()
    }
}

impl<P: Suspend> Suspend for Watched<P> {}
