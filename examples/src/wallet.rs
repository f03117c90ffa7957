//! The two parties: here in one process, but nothing passes between them except frames, as bytes.

use cpu_time::ThreadTime;
use rand_core::TryRng;
use std::{collections::VecDeque, error::Error, fmt::Display, time::Duration};
use symbolon::{
    Auth, DerivationPath, Ed25519, EthereumAddress, Label, Outgoing, PartyId, Payload, Protocol, Role, SecretBytes,
    Session, Signature, Signed, Step, StorageKey, SysRng, committee::Dkg, frost, wallet,
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

/// Makes a wallet between a client and a server, and signs `payload` with its key at `path`.
///
/// # Errors
/// [`Failure`]: a run ended, the generator failed, or the parties disagree.
pub fn create_and_sign(payload: Payload, path: &DerivationPath) -> Result<Outcome, Failure> {
    let mut rng = SysRng;
    let label = Label::new("wallet example")?;
    let (client, server, create) = play::<wallet::Create, _>("create wallet", |role| {
        wallet::create(role, label.clone(), Auth::Channel, &mut SysRng)
    })?;

    // each side keeps its share, and what lets it sign with fewer messages: the pair setup
    let ((client, client_made), (server, server_made)) = (client, server);
    let (client_made, server_made) = client_made.zip(server_made).ok_or("a creation makes a pair setup")?;
    let address = client.address_at(path)?;
    if server.address_at(path)? != address {
        return Err("the parties made different wallets".into());
    }

    // what is signed, and with which key, each side decides on its own
    let mut setups = [Some(client_made.setup), Some(server_made.setup)];
    let (client, server, sign) = play("sign", |role| {
        let (wallet, setup) = match role {
            Role::Client => (&client, setups[0].take()),
            Role::Server => (&server, setups[1].take()),
        };
        let setup = setup.ok_or("a pair setup is used once at a time")?;
        Ok::<_, Failure>(wallet.sign_with(setup, payload, path.clone(), Auth::Channel, &mut rng)?)
    })?;
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
) -> Result<Ed25519Outcome, Failure> {
    let label = Label::new("wallet example")?;
    let ((client, _), (server, _), create) = play::<Dkg<Ed25519>, _>("create wallet", |role| {
        frost::create_wallet(role, label.clone(), Auth::Channel, &mut SysRng)
    })?;
    if client.public_key() != server.public_key() {
        return Err("the parties made different wallets".into());
    }
    let ((signature, _), (other, _), sign) = play("sign", |role| {
        let share = if role == Role::Client { &client } else { &server };
        let key = frost::PublicKey::of(share).to_bytes();
        let (message, both) = (message(&key).map_err(Into::into)?, [PartyId::SERVER, PartyId::CLIENT]);
        Ok::<_, Failure>(frost::sign(share, &both, message, Auth::Channel, &mut SysRng)?)
    })?;
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

type End<P> = (<P as Protocol>::Output, Option<<P as Protocol>::Held>);
type Queue = VecDeque<(Role, Vec<u8>)>;

impl<P: Protocol> Party<P> {
    /// Does what the step asks for, and gives its frames to the channel.
    fn go_on(&mut self, role: Role, mut step: Step<P>, queue: &mut Queue) -> Result<(), Failure> {
        let frames = loop {
            step = match step {
                Step::Continue(frames) => break frames,
                Step::Prepared(pending, held) => {
                    self.held = Some(held);
                    let mut key = [0; 32];
                    SysRng.try_fill_bytes(&mut key)?;
                    let sealed = pending.seal(&StorageKey::new(SecretBytes::new(key)), &mut SysRng)?;
                    // here an application writes `sealed.as_bytes()` beside the old value, durably
                    self.session.stored(sealed.stored())
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

/// Runs a protocol between both sides until the channel is empty, which is when both are done.
fn play<P: Protocol, E: Into<Failure>>(
    name: &'static str,
    mut start: impl FnMut(Role) -> Result<(Session<P>, Vec<Outgoing>), E>,
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
        party.go_on(from.peer(), step, &mut queue)?;
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
