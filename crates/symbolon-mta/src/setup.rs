//! The six messages of a pair setup as steps over parts of a body, so that they can ride in the frames of a larger run
//! (mta 1 to 3). The client is base-OT sender.
//!
//! A step that fails drops the unfinished setup with all its seeds; nothing is ever resumed or tried again with them.
//!
//! ```compile_fail
//! fn twice<T: Clone>() {}
//! twice::<symbolon_mta::SetupServer2>();
//! ```
//! ```compile_fail
//! # use symbolon_core::wire::{Reader, Writer};
//! fn two_guesses(server: symbolon_mta::SetupServer2, a: &[u8], b: &[u8]) {
//!     let _ = server.finish(&mut Reader::new(a), &mut Writer::new());
//!     let _ = server.finish(&mut Reader::new(b), &mut Writer::new());
//! }
//! ```

use crate::{
    Direction, ExtReceiver, ExtSender, PairSetup, Purpose, Suite, base_ot,
    extension::{boot_chosen, boot_pairs, message_len, receive, send},
    params::{Psid, setup_id},
    pprf::{self, Chosen},
};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use symbolon_core::{
    Role, SecretBytes, SetupId, Sid, Transcript,
    wire::{Reader, Writer},
};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Fault, Pair};

/// Bytes of M1: `B` and its proof, the commitment to the client's half of the zero seed.
pub const M1_LEN: usize = base_ot::POINT_LEN + Commitment::LEN;
/// Bytes of M2: all `A_j`, the server's half of the zero seed.
pub const M2_LEN: usize = base_ot::CHOICE_LEN + 32;
/// Bytes of M3: all `e_j`, the client's half of the zero seed, its opening, the check.
pub const M3_LEN: usize = base_ot::CHALLENGE_LEN + 96;
/// Bytes of M4: all responses.
pub const M4_LEN: usize = base_ot::CHALLENGE_LEN;
/// Bytes of M5: openings, the first direction's PPRF, the extension that starts the second.
pub const M5_LEN: usize = base_ot::OPENING_LEN + pprf::LEN + message_len(1);
/// Bytes of M6: the second direction's PPRF.
pub const M6_LEN: usize = pprf::LEN;

/// What both sides agreed on.
#[derive(Clone, Copy)]
struct Agreement {
    pair: Pair,
    suite: Suite,
    serial: u32,
}

/// The same with the session id.
#[derive(Clone, Copy)]
struct Session {
    agreed: Agreement,
    sid: Sid,
}

impl Session {
    fn psid(&self, purpose: Purpose, direction: Direction) -> Psid {
        Psid::new(self.sid, purpose, 0, direction)
    }

    const fn first(&self) -> Direction {
        Direction::first(&self.agreed.pair)
    }

    const fn second(&self) -> Direction {
        Direction::second(&self.agreed.pair)
    }

    fn id(&self) -> SetupId {
        setup_id(self.sid, self.agreed.pair.id(Role::Server), self.agreed.pair.id(Role::Client))
    }

    fn receiver(&self, direction: Direction, leaves: pprf::Leaves) -> ExtReceiver {
        ExtReceiver::new(direction, self.id(), self.agreed.suite, leaves)
    }

    /// mta 2: the extension sender's half from its choice bits and the PPRF message.
    fn sender(&self, direction: Direction, chosen: &Chosen, r: &mut Reader<'_>) -> Result<ExtSender, Fault> {
        let (leaves, delta) = pprf::puncture(self.psid(Purpose::Setup, direction), chosen, r)?;
        Ok(ExtSender::new(direction, self.id(), self.agreed.suite, leaves, delta))
    }

    /// mta 3.2: `T("zero", setup id, server's half, client's half)`.
    fn zero_seed(&self, server: &SecretBytes<32>, client: &SecretBytes<32>) -> SecretBytes<32> {
        let t = Transcript::new("mta", "zero").part(self.id()).part(server.expose()).part(client.expose());
        SecretBytes::new(t.finish())
    }

    fn done(&self, receiver: ExtReceiver, sender: ExtSender, zero_seed: SecretBytes<32>) -> PairSetup {
        PairSetup::new(self.agreed.pair, self.agreed.serial, receiver, sender, zero_seed)
    }
}

const ZERO_HALF: &str = "zero seed half";

/// Tells the server that both have one seed.
fn zero_check(seed: &SecretBytes<32>) -> [u8; 32] {
    Transcript::new("mta", "zero check").part(seed.expose()).finish()
}

fn half(r: &mut Reader<'_>) -> Result<SecretBytes<32>, Fault> {
    Ok(SecretBytes::new(r.array()?))
}

/// The client after M1.
pub struct SetupClient1 {
    agreed: Agreement,
    base: base_ot::Sender1,
    zero_half: SecretBytes<32>,
    opening: Opening,
}

/// The client after M3.
pub struct SetupClient2 {
    session: Session,
    base: base_ot::Sender2,
    zero_seed: SecretBytes<32>,
}

/// The client after M5: its receiving half is done, so that other extensions can ride in M5.
pub struct SetupClient3 {
    session: Session,
    receiver: ExtReceiver,
    chosen: Chosen,
    zero_seed: SecretBytes<32>,
}

impl SetupClient1 {
    /// M1. `sid0` is the own first-frame session id.
    pub fn start(sid0: Sid, pair: Pair, suite: Suite, serial: u32, rng: &mut impl CryptoRng, w: &mut Writer) -> Self {
        let base = base_ot::Sender1::start(sid0, Direction::first(&pair), rng, w);
        let zero_half = SecretBytes::random(rng);
        let (com, opening) = Commitment::commit(ZERO_HALF, &sid0, pair.me(), zero_half.expose(), rng);
        com.encode(w);
        Self { agreed: Agreement { pair, suite, serial }, base, zero_half, opening }
    }

    /// Reads M2, writes M3. `sid` is the full one.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Forbidden`].
    pub fn challenge(self, sid: Sid, r: &mut Reader<'_>, w: &mut Writer) -> Result<SetupClient2, Fault> {
        let session = Session { agreed: self.agreed, sid };
        let base = self.base.challenge(session.psid(Purpose::Setup, session.first()), r, w)?;
        let zero_seed = session.zero_seed(&half(r)?, &self.zero_half);
        w.bytes(self.zero_half.expose());
        self.opening.encode(w);
        w.bytes(&zero_check(&zero_seed));
        Ok(SetupClient2 { session, base, zero_seed })
    }
}

impl SetupClient2 {
    /// Reads M4, writes M5.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::BaseOt`].
    pub fn open(self, r: &mut Reader<'_>, w: &mut Writer, rng: &mut impl CryptoRng) -> Result<SetupClient3, Fault> {
        let session = self.session;
        let pairs = self.base.open(r, w)?;
        let leaves = pprf::grow(session.psid(Purpose::Setup, session.first()), &pairs, w);
        let receiver = session.receiver(session.first(), leaves);
        // mta 3.1
        let psid = session.psid(Purpose::Boot, session.first());
        let received = receive(&receiver, psid, 1, w, rng);
        Ok(SetupClient3 { session, receiver, chosen: boot_chosen(psid, &received), zero_seed: self.zero_seed })
    }
}

impl SetupClient3 {
    /// The half that receives extensions.
    #[must_use]
    pub const fn receiver(&self) -> &ExtReceiver {
        &self.receiver
    }

    /// The id of the setup in the making.
    #[must_use]
    pub fn id(&self) -> SetupId {
        self.receiver.setup_id()
    }

    /// Reads M6.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Pprf`].
    pub fn finish(self, r: &mut Reader<'_>) -> Result<PairSetup, Fault> {
        let sender = self.session.sender(self.session.second(), &self.chosen, r)?;
        Ok(self.session.done(self.receiver, sender, self.zero_seed))
    }
}

/// The server after M2.
pub struct SetupServer1 {
    session: Session,
    sid0_client: Sid,
    base: base_ot::Receiver1,
    com: Commitment,
    zero_half: SecretBytes<32>,
}

/// The server after M4.
pub struct SetupServer2 {
    session: Session,
    base: base_ot::Receiver2,
    zero_seed: SecretBytes<32>,
}

impl SetupServer1 {
    /// Reads M1, writes M2. `sid0_client` is the client's first-frame session id.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Proof`].
    #[allow(
        clippy::too_many_arguments,
        reason = "two session ids, three agreed values, three streams: each is one thing"
    )]
    pub fn choose(
        sid: Sid,
        sid0_client: Sid,
        pair: Pair,
        suite: Suite,
        serial: u32,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let session = Session { agreed: Agreement { pair, suite, serial }, sid };
        let psid = session.psid(Purpose::Setup, session.first());
        let base = base_ot::Receiver1::choose(sid0_client, psid, session.first(), r, w, rng)?;
        let com = Commitment::decode(r)?;
        let zero_half = SecretBytes::random(rng);
        w.bytes(zero_half.expose());
        Ok(Self { session, sid0_client, base, com, zero_half })
    }

    /// Reads M3, writes M4.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Opening`], [`Fault::Inconsistent`].
    pub fn respond(self, r: &mut Reader<'_>, w: &mut Writer) -> Result<SetupServer2, Fault> {
        let session = self.session;
        let base = self.base.respond(r, w)?;
        let (client_half, opening) = (half(r)?, Opening::decode(r)?);
        let client = session.agreed.pair.id(Role::Client);
        self.com
            .verify(ZERO_HALF, &self.sid0_client, client, client_half.expose(), &opening)
            .map_err(|_| Fault::Opening)?;
        let zero_seed = session.zero_seed(&self.zero_half, &client_half);
        if !bool::from(zero_check(&zero_seed).ct_eq(&r.array::<32>()?)) {
            return Err(Fault::Inconsistent);
        }
        Ok(SetupServer2 { session, base, zero_seed })
    }
}

impl SetupServer2 {
    /// Reads M5, writes M6. Each part is checked before the next one is used.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::BaseOt`], [`Fault::Pprf`], [`Fault::Extension`].
    pub fn finish(self, r: &mut Reader<'_>, w: &mut Writer) -> Result<PairSetup, Fault> {
        let session = self.session;
        let chosen = self.base.check(r)?;
        let sender = session.sender(session.first(), &chosen, r)?;
        // mta 3.1
        let psid = session.psid(Purpose::Boot, session.first());
        let sent = send(&sender, psid, 1, r)?;
        let pairs = boot_pairs(psid, &sent, sender.delta_block());
        let leaves = pprf::grow(session.psid(Purpose::Setup, session.second()), &pairs, w);
        Ok(session.done(session.receiver(session.second(), leaves), sender, self.zero_seed))
    }
}
