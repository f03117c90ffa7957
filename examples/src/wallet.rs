//! The two parties: here in one process, but nothing passes between them except frames, as bytes.

use crate::backup::store::Pair;
use cpu_time::ThreadTime;
use std::{collections::VecDeque, error::Error, fmt::Display, path::Path, time::Duration};
use symbolon::{
    Auth, DerivationPath, Ed25519, EthereumAddress, Label, Outgoing, PartyId, Payload, Pending, Protocol, Role,
    Session, Signature, Signed, Step, StorageKey, Stored, SysRng, committee::Dkg, frost, wallet,
};

/// Something failed that is not the user's input.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What a phase cost. Pairs are (client, server).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// Messages in both directions.
    pub messages: usize,
    /// Bytes that each sent.
    pub bytes: (usize, usize),
    /// Processor time that each used.
    pub cpu: (Duration, Duration),
}

/// A wallet was made and has signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The address of the key that signed.
    pub address: EthereumAddress,
    /// The signature.
    pub signature: Signature,
    /// What it cost.
    pub phases: Vec<Phase>,
}

/// Makes a wallet between a client and a server, and signs `payload` with its key at `path`. With `keep`, what each side has is
/// then in a store below that directory.
///
/// # Errors
/// [`Failure`]: a run ended, the generator failed, the parties disagree, or the directory exists.
pub fn create_and_sign(payload: Payload, path: &DerivationPath, keep: Option<&Path>) -> Result<Outcome, Failure> {
    let mut rng = SysRng;
    let label = Label::new("wallet example")?;
    let stores = keep.map(Pair::create).transpose()?;
    let start = |role| wallet::create(role, label.clone(), Auth::Channel, &mut SysRng);
    let (client, server, create) =
        play::<wallet::Create, _>("create wallet", start, |role, pending| prepare(stores.as_ref(), role, pending))?;

    // each side keeps its share, and what lets it sign with fewer messages: the pair setup
    let ((client, client_made), (server, server_made)) = (client, server);
    let (client_made, server_made) = client_made.zip(server_made).ok_or("a creation makes a pair setup")?;
    let address = client.address_at(path)?;
    if server.address_at(path)? != address {
        return Err("the parties made different wallets".into());
    }
    if let Some(stores) = &stores {
        stores.of(Role::Client).put_wallet(&client)?;
        stores.of(Role::Server).put_wallet(&server)?;
    }

    // what is signed, and with which key, each side decides on its own
    let mut setups = [Some(client_made.setup), Some(server_made.setup)];
    let start = |role| {
        let (wallet, setup) = match role {
            Role::Client => (&client, setups[0].take()),
            Role::Server => (&server, setups[1].take()),
        };
        let setup = setup.ok_or("a pair setup is used once at a time")?;
        Ok::<_, Failure>(wallet.sign_with(setup, payload, path.clone(), Auth::Channel, &mut rng)?)
    };
    let (client, server, sign) = play("sign", start, |_, _| Err("a signature is no key material".into()))?;
    match (client.0, server.0) {
        (Signed::Signature(signature), Signed::Released(released)) if released.is_completed_by(&signature) => {
            Ok(Outcome { address, signature, phases: vec![create, sign] })
        }
        _ => Err("the server did not sign what the client has".into()),
    }
}

/// An Ed25519 wallet was made and has signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ed25519Outcome {
    /// The public key.
    pub key: [u8; 32],
    /// The signature.
    pub signature: [u8; 64],
    /// What it cost.
    pub phases: Vec<Phase>,
}

/// The same on Ed25519, with FROST. `message` makes what is signed of the public key, on each side on its own.
///
/// # Errors
/// [`Failure`], also that of `message`.
pub fn create_and_sign_ed25519<E: Into<Failure>>(
    message: impl Fn(&[u8; 32]) -> Result<Vec<u8>, E>,
    keep: Option<&Path>,
) -> Result<Ed25519Outcome, Failure> {
    let label = Label::new("wallet example")?;
    let stores = keep.map(Pair::create).transpose()?;
    let start = |role| frost::create_wallet(role, label.clone(), Auth::Channel, &mut SysRng);
    let ((client, _), (server, _), create) =
        play::<Dkg<Ed25519>, _>("create wallet", start, |role, pending| prepare(stores.as_ref(), role, pending))?;
    if client.public_key() != server.public_key() {
        return Err("the parties made different wallets".into());
    }
    if let Some(stores) = &stores {
        stores.of(Role::Client).put_ed25519(&client)?;
        stores.of(Role::Server).put_ed25519(&server)?;
    }
    let start = |role| {
        let share = if role == Role::Client { &client } else { &server };
        let key = frost::PublicKey::of(share).to_bytes();
        let (message, both) = (message(&key).map_err(Into::into)?, [PartyId::SERVER, PartyId::CLIENT]);
        Ok::<_, Failure>(frost::sign(share, &both, message, Auth::Channel, &mut SysRng)?)
    };
    let ((signature, _), (other, _), sign) = play("sign", start, |_, _| Err("a signature is no key material".into()))?;
    if signature != other {
        return Err("the parties have different signatures".into());
    }
    let key = frost::PublicKey::of(&client).to_bytes();
    let signature = signature.to_bytes().try_into().map_err(|_| "a signature has 64 bytes")?;
    Ok(Ed25519Outcome { key, signature, phases: vec![create, sign] })
}

/// One side of a run.
struct Party<P: Protocol> {
    session: Session<P>,
    /// What left with `Prepared`.
    held: Option<P::Held>,
    end: Option<End<P>>,
    cpu: Duration,
    sent: (usize, usize),
}

/// What a side has in the end, and what it held.
pub type End<P> = (<P as Protocol>::Output, Option<<P as Protocol>::Held>);
type Queue = VecDeque<(Role, Vec<u8>)>;

impl<P: Protocol> Party<P> {
    /// Does what the step asks for, and gives its frames to the channel.
    fn go_on(
        &mut self,
        role: Role,
        mut step: Step<P>,
        queue: &mut Queue,
        save: &mut impl FnMut(Role, &Pending<P::Output>) -> Result<Stored, Failure>,
    ) -> Result<(), Failure> {
        let frames = loop {
            step = match step {
                Step::Continue(frames) => break frames,
                Step::Prepared(pending, held) => {
                    self.held = Some(held);
                    let stored = save(role, &pending)?;
                    self.session.stored(stored)
                }
                Step::Done(output, held, frames) => {
                    self.end = Some((output, held.or_else(|| self.held.take())));
                    break frames;
                }
            };
        };
        self.send(role, frames, queue);
        Ok(())
    }

    fn send(&mut self, role: Role, frames: Vec<Outgoing>, queue: &mut Queue) {
        for frame in frames {
            self.sent = (self.sent.0 + 1, self.sent.1 + frame.bytes.len());
            queue.push_back((role, frame.bytes));
        }
    }
}

/// Stores what a side has so far, before the other side may finish.
fn prepare<T>(stores: Option<&Pair>, role: Role, pending: &Pending<T>) -> Result<Stored, Failure> {
    match stores {
        Some(stores) => stores.of(role).prepare(pending),
        None => {
            let sealed = pending.seal(&StorageKey::generate(&mut SysRng)?, &mut SysRng)?;
            // here an application writes `sealed.as_bytes()` beside the old value, durably
            Ok(sealed.stored())
        }
    }
}

/// Runs a protocol between both sides until the channel is empty, which is when both are done. `save` stores what a side has to
/// store before it says so.
///
/// # Errors
/// [`Failure`]: the run ended without a result.
pub fn play<P: Protocol, E: Into<Failure>>(
    name: &'static str,
    mut start: impl FnMut(Role) -> Result<(Session<P>, Vec<Outgoing>), E>,
    mut save: impl FnMut(Role, &Pending<P::Output>) -> Result<Stored, Failure>,
) -> Result<(End<P>, End<P>, Phase), Failure> {
    let mut queue = Queue::new();
    let mut begin = |role: Role| -> Result<Party<P>, Failure> {
        let clock = ThreadTime::now();
        let (session, frames) = start(role).map_err(Into::into)?;
        let cpu = clock.elapsed();
        let mut party = Party { session, held: None, end: None, cpu, sent: (0, 0) };
        party.send(role, frames, &mut queue);
        Ok(party)
    };
    let (mut client, mut server) = (begin(Role::Client)?, begin(Role::Server)?);

    while let Some((from, frame)) = queue.pop_front() {
        let party = if from == Role::Client { &mut server } else { &mut client };
        let clock = ThreadTime::now();
        let step = party.session.handle(from.id(), &frame).map_err(|e| failed(name, e))?;
        party.go_on(from.peer(), step, &mut queue, &mut save)?;
        party.cpu += clock.elapsed();
    }

    let phase = Phase {
        name,
        messages: client.sent.0 + server.sent.0,
        bytes: (client.sent.1, server.sent.1),
        cpu: (client.cpu, server.cpu),
    };
    let ended = |end: Option<End<P>>| end.ok_or_else(|| failed(name, "the other side has no more to say"));
    Ok((ended(client.end)?, ended(server.end)?, phase))
}

fn failed(name: &str, why: impl Display) -> Failure {
    format!("{name}: {why}").into()
}
