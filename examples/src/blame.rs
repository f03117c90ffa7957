//! Who is to blame, and what to do: every way in which a run does not end well, in sentences for a user.

use crate::wallet::Failure;
use std::{collections::VecDeque, io::Write};
use symbolon::{
    Agreed, Auth, Bank, DerivationPath, Error, Fault, Identity, IdentityKey, Label, MemoryLedger, Outgoing, Pair,
    PairSetupRun, PairSetupTerms, PartyId, Payload, Preprocessed, Protocol, Rejected, Response, Role, SecretBytes,
    Session, Step, StorageKey, Suite, SysRng, store,
    wallet::{self, Create, CreateSetup, Made, Wallet},
};

/// Who, why, and the next step.
#[must_use]
pub fn explain<H>(error: &Error<H>) -> String {
    match error {
        Error::Rejected(why) => format!("Nobody is to blame yet: {}. Keep waiting for the right frame.", refused(*why)),
        Error::Aborted(end) => {
            format!("{} {}. {}", who(end.culprit), what(end.fault), next(end.response()))
        }
        Error::Burned(end) => format!(
            "{} {}. {} pair setup(s) destroyed. {}",
            who(end.culprit),
            what(end.fault),
            end.setups.len(),
            next(end.response())
        ),
    }
}

fn who(culprit: Option<PartyId>) -> &'static str {
    match culprit {
        Some(PartyId::SERVER) => "The server is to blame:",
        Some(PartyId::CLIENT) => "The client is to blame:",
        Some(_) => "A member is to blame:",
        None => "Nobody can be blamed:",
    }
}

/// A later version may have more reasons, so each match ends with a sentence that is true of all.
fn refused(why: Rejected) -> &'static str {
    match why {
        Rejected::Signature => "a frame came without a valid signature, so it is not known who sent it",
        // the label of a signing run names key and message
        Rejected::Label => "a frame belongs to another run, or the other side was asked to sign something else",
        Rejected::Run | Rejected::Protocol(_) => "a frame belongs to another run",
        Rejected::Sender | Rejected::Recipient => "a frame is from or for somebody else",
        Rejected::Length | Rejected::Size | Rejected::Version(_) => "something came that is no frame of this version",
        Rejected::Slot | Rejected::Past | Rejected::Early => "a frame came at the wrong time",
        Rejected::Confirmation => "a confirmation is of another result",
        Rejected::Finished => "a frame came after the end",
        _ => "a frame was not used",
    }
}

fn what(fault: Fault) -> &'static str {
    match fault {
        Fault::Mismatch(Agreed::Sid) => "the two sides did not ask for the same (message, key, path or options)",
        Fault::Mismatch(Agreed::Outcome) => "the two sides made different keys",
        Fault::Mismatch(_) => "the two sides use shares, setups or items that do not belong together",
        Fault::Equivocation | Fault::View => "different things were said to different members, or at different times",
        Fault::Closed => "the other side had closed this run before",
        Fault::Encoding(_) => "a message is not well-formed",
        Fault::Opening | Fault::Proof | Fault::Forbidden | Fault::Inconsistent | Fault::Conversion => {
            "a proof that belongs to a message is wrong"
        }
        Fault::BaseOt | Fault::Pprf => "the making of a pair setup was tampered with",
        Fault::Extension | Fault::Multiplication => "a check on secret products failed",
        Fault::Exponent => "what it used in the signature is not what it had committed to",
        Fault::Signature | Fault::DegenerateNonce | Fault::ZeroDenominator | Fault::PublicKeySum => {
            "the parts do not make a signature"
        }
        _ => "a check failed",
    }
}

fn next(response: Response) -> &'static str {
    match response {
        Response::Retry => "Compare what both sides were asked to do, then start again.",
        Response::Exclude => "Do not go on with this party before somebody has looked into it.",
        Response::NewSetup => {
            "Burn the listed pair setups in the ledger, make a new one with the same party, try again."
        }
        Response::SlowDown => {
            "Count it against the key and wait before the next run; ask the owner if it happens again."
        }
        _ => "Stop, and ask the operator.",
    }
}

type Output<P> = (<P as Protocol>::Output, Option<<P as Protocol>::Held>);
type End<P> = Result<Output<P>, Error<<P as Protocol>::Held>>;
type Started<P> = (Session<P>, Vec<Outgoing>);

/// How a run ended for the client and for the server (`None`: that side still waits), and a sentence for every frame that
/// was not used.
struct Played<P: Protocol> {
    ends: [Option<End<P>>; 2],
    refused: Vec<String>,
}

/// Both sides of a run and the wire between them. `wire` gets the number of each frame (from 1) and says what arrives.
fn play<P: Protocol>(
    client: Started<P>,
    server: Started<P>,
    mut wire: impl FnMut(usize, Vec<u8>) -> Vec<Vec<u8>>,
) -> Result<Played<P>, Failure> {
    let key = StorageKey::generate(&mut SysRng)?;
    let (mut sessions, mut ends, mut held) = ([client.0, server.0], [None, None], [None, None]);
    let mut refused = Vec::new();
    let mut sent: VecDeque<_> =
        client.1.into_iter().map(|f| (1, f)).chain(server.1.into_iter().map(|f| (0, f))).collect();
    let mut number = 0;
    while let Some((to, frame)) = sent.pop_front() {
        number += 1;
        let from = [PartyId::SERVER, PartyId::CLIENT][to];
        for bytes in wire(number, frame.bytes) {
            let mut step = match sessions[to].handle(from, &bytes) {
                Ok(step) => step,
                Err(Error::Rejected(why)) => {
                    refused.push(explain::<()>(&Error::Rejected(why)));
                    continue;
                }
                Err(error) => {
                    ends[to] = Some(Err(error));
                    continue;
                }
            };
            let frames = loop {
                step = match step {
                    Step::Continue(frames) => break frames,
                    Step::Prepared(pending, made) => {
                        held[to] = Some(made);
                        sessions[to].stored(pending.seal(&key, &mut SysRng)?.stored())
                    }
                    Step::Done(output, made, frames) => {
                        ends[to] = Some(Ok((output, made.or(held[to].take()))));
                        break frames;
                    }
                };
            };
            sent.extend(frames.into_iter().map(|f| (1 - to, f)));
        }
    }
    Ok(Played { ends, refused })
}

fn honest(_: usize, frame: Vec<u8>) -> Vec<Vec<u8>> {
    vec![frame]
}

impl<P: Protocol> Played<P> {
    /// Both results of a run that ended well.
    fn both(self) -> Result<[Output<P>; 2], Failure> {
        let [client, server] = self.ends.map(|end| end.ok_or("the run waits")?.map_err(|e| Failure::from(explain(&e))));
        Ok([client?, server?])
    }

    fn report(&self, out: &mut dyn Write) -> Result<(), Failure> {
        self.refused.iter().try_for_each(|line| writeln!(out, "   {line}"))?;
        for (side, end) in ["client", "server"].iter().zip(&self.ends) {
            match end {
                Some(Ok(_)) => writeln!(out, "   The {side} finished.")?,
                Some(Err(error)) => writeln!(out, "   The {side} reads: {}", explain(error))?,
                None => writeln!(out, "   The {side} still waits; its own deadline ends that, and blames nobody.")?,
            }
        }
        Ok(())
    }
}

/// Plays the misbehaviours, and prints what a user would read.
///
/// # Errors
/// Something did not end as it should.
pub fn run(out: &mut dyn Write) -> Result<(), Failure> {
    // identities outlive the process: their seeds are stored, and each run makes the key anew
    let seeds = [[1; 32], [2; 32]]; // of the client and the server; real ones are random
    let key = |role: Role| IdentityKey::from_seed(SecretBytes::new(seeds[usize::from(role == Role::Server)]));
    let signed = |role: Role| Auth::Signed(key(role));
    let [server_name, client_name]: [Identity; 2] = [Role::Server, Role::Client].map(|role| key(role).identity());
    let pair = |role| Pair::new(role, server_name, client_name);

    let create = |role| -> Result<Started<Create>, Failure> {
        Ok(wallet::create(CreateSetup::new(pair(role)?), Label::new("blame example")?, signed(role), &mut SysRng)?)
    };
    let [(client, client_made), (server, server_made)] =
        play(create(Role::Client)?, create(Role::Server)?, honest)?.both()?;
    let (Some(Made { setup: client_setup, .. }), Some(Made { setup: server_setup, .. })) = (client_made, server_made)
    else {
        return Err("a creation makes a pair setup".into());
    };
    let text = Payload::personal_message;
    let root = DerivationPath::root;

    writeln!(out, "1. Somebody on the wire alters a frame of a signed run, and the right one comes after it.")?;
    let played = play(
        client.sign(text("pay 1"), root(), signed(Role::Client), &mut SysRng)?,
        server.sign(text("pay 1"), root(), signed(Role::Server), &mut SysRng)?,
        |number, frame| if number == 4 { vec![flipped(&frame, frame.len() / 2), frame] } else { vec![frame] },
    )?;
    played.report(out)?;

    writeln!(out, "2. The server's policy approved another message.")?;
    let played = play(
        client.sign(text("pay 1 to Alice"), root(), Auth::Channel, &mut SysRng)?,
        server.sign(text("pay 1 to Bob"), root(), Auth::Channel, &mut SysRng)?,
        honest,
    )?;
    played.report(out)?;

    writeln!(out, "3. The server uses another key of the wallet.")?;
    let played = play(
        client.sign(text("pay 1"), DerivationPath::new(&[0, 5])?, Auth::Channel, &mut SysRng)?,
        server.sign(text("pay 1"), DerivationPath::new(&[0, 6])?, Auth::Channel, &mut SysRng)?,
        honest,
    )?;
    played.report(out)?;

    writeln!(out, "4. The client cheats in the products of a signature.")?;
    let played = play(
        client.sign_with(client_setup, text("pay 2"), root(), Auth::Channel, &mut SysRng)?,
        server.sign_with(server_setup, text("pay 2"), root(), Auth::Channel, &mut SysRng)?,
        // the client's third step ends its frame: R, gamma_k, gamma_x, Gamma_k, Gamma_x
        |number, frame| if number == 3 { vec![flipped(&frame, frame.len() - 2 * 33 - 33)] } else { vec![frame] },
    )?;
    played.report(out)?;
    cure(&client, &server, pair, &played)?;
    writeln!(out, "   With a new pair setup the same two parties have signed.")?;

    writeln!(out, "5. The server sends garbage: noise, then a frame with the right header and a random body.")?;
    let played = play(
        client.sign(text("pay 3"), root(), Auth::Channel, &mut SysRng)?,
        server.sign(text("pay 3"), root(), Auth::Channel, &mut SysRng)?,
        |number, frame| if number == 2 { vec![vec![0xaa; 90], scrambled(&frame)] } else { vec![frame] },
    )?;
    played.report(out)
}

/// What an application does after a burn: the ledger first, then a new setup with the same peer, then again.
fn cure<P: Protocol>(
    client: &Wallet,
    server: &Wallet,
    pair: impl Fn(Role) -> Result<Pair, symbolon::RosterError>,
    played: &Played<P>,
) -> Result<(), Failure> {
    let [_, Some(Err(error @ Error::Burned(_)))] = &played.ends else {
        return Err("the server should have seen the lie".into());
    };
    let mut ledger = MemoryLedger::default();
    store::burn(&mut ledger, &mut Bank::<Preprocessed>::new(), error)?; // and the bank of this machine, which is empty here
    let mut terms = |role| -> Result<Started<PairSetupRun>, Failure> {
        let pair = pair(role)?;
        let serial = store::serial(&mut ledger, &pair)?;
        let terms = PairSetupTerms { pair, suite: Suite::Blake3, serial };
        Ok(Session::start(terms, &(), (), Label::new("new pair setup")?, Auth::Channel, &mut SysRng)?)
    };
    let [(client_setup, _), (server_setup, _)] = play(terms(Role::Client)?, terms(Role::Server)?, honest)?.both()?;
    let text = Payload::personal_message("pay 2");
    play(
        client.sign_with(client_setup, text, DerivationPath::root(), Auth::Channel, &mut SysRng)?,
        server.sign_with(server_setup, text, DerivationPath::root(), Auth::Channel, &mut SysRng)?,
        honest,
    )?
    .both()
    .map(drop)
}

/// A frame with one bit changed.
fn flipped(frame: &[u8], at: usize) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[at] ^= 1;
    frame
}

/// A frame with its header, nonce and session id, and nothing that makes sense after them.
fn scrambled(frame: &[u8]) -> Vec<u8> {
    let kept = symbolon::Header::LEN + 64;
    frame.iter().enumerate().map(|(i, byte)| if i < kept { *byte } else { 0xff }).collect()
}
