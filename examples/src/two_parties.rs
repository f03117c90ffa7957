//! Two parties over TCP: they make a wallet and sign one message with it.
//!
//! A transport needs three things: it keeps the borders of frames, it limits their size, and it gives up after a while.

use crate::wallet::Failure;
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};
use symbolon::{
    Channel, DerivationPath, EthereumAddress, Label, Payload, Pending, Role, SealError, Signature, Signed, StorageKey,
    Stored, SysRng, wallet,
};

/// No frame of creating or signing is as large; whoever announces more is not a peer of ours.
const MAX_FRAME: usize = 1 << 20;

/// Frames over TCP: four bytes of length, big-endian, then the frame.
///
/// Plain TCP authenticates nobody and hides nothing. That is enough between two threads of one process; between machines
/// put TLS with certificates on both sides (or Noise) below it, because `Auth::Channel` relies on it.
pub struct TcpChannel(TcpStream);

impl TcpChannel {
    /// Waits at most `patience` for each frame.
    ///
    /// # Errors
    /// The socket's.
    pub fn new(stream: TcpStream, patience: Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.set_nodelay(true)?; // frames are small and each waits for the one before
        Ok(Self(stream))
    }
}

impl Channel for TcpChannel {
    type Error = io::Error;

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        self.0.write_all(&length.to_be_bytes())?;
        self.0.write_all(frame)
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
        if length > MAX_FRAME {
            // checked before anything is allocated
            let why = format!("the peer announces a frame of {length} bytes, more than {MAX_FRAME}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let mut frame = vec![0; length];
        self.0.read_exact(&mut frame)?;
        Ok(frame)
    }
}

/// One party from its first frame to its result. Both run the same code, each with its own role, keys and approval.
fn party(role: Role, stream: TcpStream, message: &str) -> Result<(EthereumAddress, Signed), Failure> {
    let mut channel = TcpChannel::new(stream, Duration::from_secs(10))?;
    let key = StorageKey::generate(&mut SysRng)?; // an application gets it from the platform's key store
    let mut disk = Vec::new(); // stands for a file that is synced before `save` returns
    let save = |pending: &Pending<_>| -> Result<Stored, SealError> {
        let sealed = pending.seal(&key, &mut SysRng)?;
        disk.extend_from_slice(sealed.as_bytes());
        Ok(sealed.stored()) // only now may the peer finish
    };

    let label = Label::new("two_parties example")?;
    let wallet = wallet::create_over(&mut channel, role, label, &mut SysRng, save).map_err(|e| failed(role, e))?;
    // what this party's own user or policy approved, never something that the peer sent
    let payload = Payload::personal_message(message);
    let signed =
        wallet.sign_over(&mut channel, payload, DerivationPath::root(), &mut SysRng).map_err(|e| failed(role, e))?;
    Ok((wallet.address(), signed))
}

/// Lets a client and a server, a thread each, make a wallet over a loopback connection and sign `message`.
///
/// # Errors
/// What stopped the client, else what stopped the server.
pub fn run(message: &str) -> Result<(EthereumAddress, Signature), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;

    let (client, server) = thread::scope(|s| {
        let server = s.spawn(|| party(Role::Server, server, message));
        (party(Role::Client, client, message), server.join())
    });
    let (address, signed) = client?;
    let (server_address, released) = server.map_err(|_| "the server panicked")??;
    match (signed, released) {
        // the client holds the signature; the server's record can tell that it is the one that the server helped with
        (Signed::Signature(signature), Signed::Released(released))
            if server_address == address && released.is_completed_by(&signature) =>
        {
            Ok((address, signature))
        }
        _ => Err("the parties ended with different wallets or signatures".into()),
    }
}

fn failed(role: Role, why: impl std::fmt::Display) -> Failure {
    format!("{role:?}: {why}").into()
}
