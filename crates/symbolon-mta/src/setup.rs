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
use symbolon_core::{
    PartyId, SetupId, Sid,
    wire::{Reader, Writer},
};
use symbolon_session::{Fault, Pair};

/// Bytes of M1: `B` and its proof.
pub const M1_LEN: usize = base_ot::POINT_LEN;
/// Bytes of M2: all `A_j`.
pub const M2_LEN: usize = base_ot::CHOICE_LEN;
/// Bytes of M3: all `e_j`.
pub const M3_LEN: usize = base_ot::CHALLENGE_LEN;
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

    fn id(&self) -> SetupId {
        setup_id(self.sid, PartyId::SERVER, PartyId::CLIENT)
    }

    fn receiver(&self, direction: Direction, leaves: pprf::Leaves) -> ExtReceiver {
        ExtReceiver::new(direction, self.id(), self.agreed.suite, leaves)
    }

    /// mta 2: the extension sender's half from its choice bits and the PPRF message.
    fn sender(&self, direction: Direction, chosen: &Chosen, r: &mut Reader<'_>) -> Result<ExtSender, Fault> {
        let (leaves, delta) = pprf::puncture(self.psid(Purpose::Setup, direction), chosen, r)?;
        Ok(ExtSender::new(direction, self.id(), self.agreed.suite, leaves, delta))
    }

    fn done(&self, receiver: ExtReceiver, sender: ExtSender) -> PairSetup {
        PairSetup::new(self.agreed.pair, self.agreed.serial, receiver, sender)
    }
}

/// The client after M1.
pub struct SetupClient1 {
    agreed: Agreement,
    base: base_ot::Sender1,
}

/// The client after M3.
pub struct SetupClient2 {
    session: Session,
    base: base_ot::Sender2,
}

/// The client after M5: its receiving half is done, so that other extensions can ride in M5.
pub struct SetupClient3 {
    session: Session,
    receiver: ExtReceiver,
    chosen: Chosen,
}

impl SetupClient1 {
    /// M1. `sid0` is the own first-frame session id.
    pub fn start(sid0: Sid, pair: Pair, suite: Suite, serial: u32, rng: &mut impl CryptoRng, w: &mut Writer) -> Self {
        let base = base_ot::Sender1::start(sid0, Direction::FIRST, rng, w);
        Self { agreed: Agreement { pair, suite, serial }, base }
    }

    /// Reads M2, writes M3. `sid` is the full one.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Forbidden`].
    pub fn challenge(self, sid: Sid, r: &mut Reader<'_>, w: &mut Writer) -> Result<SetupClient2, Fault> {
        let session = Session { agreed: self.agreed, sid };
        let base = self.base.challenge(session.psid(Purpose::Setup, Direction::FIRST), r, w)?;
        Ok(SetupClient2 { session, base })
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
        let leaves = pprf::grow(session.psid(Purpose::Setup, Direction::FIRST), &pairs, w);
        let receiver = session.receiver(Direction::FIRST, leaves);
        // mta 3.1
        let psid = session.psid(Purpose::Boot, Direction::FIRST);
        let received = receive(&receiver, psid, 1, w, rng);
        Ok(SetupClient3 { session, receiver, chosen: boot_chosen(psid, &received) })
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
        let sender = self.session.sender(Direction::SECOND, &self.chosen, r)?;
        Ok(self.session.done(self.receiver, sender))
    }
}

/// The server after M2.
pub struct SetupServer1 {
    session: Session,
    base: base_ot::Receiver1,
}

/// The server after M4.
pub struct SetupServer2 {
    session: Session,
    base: base_ot::Receiver2,
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
        let psid = session.psid(Purpose::Setup, Direction::FIRST);
        let base = base_ot::Receiver1::choose(sid0_client, psid, Direction::FIRST, r, w, rng)?;
        Ok(Self { session, base })
    }

    /// Reads M3, writes M4.
    ///
    /// # Errors
    /// [`Fault::Encoding`].
    pub fn respond(self, r: &mut Reader<'_>, w: &mut Writer) -> Result<SetupServer2, Fault> {
        Ok(SetupServer2 { session: self.session, base: self.base.respond(r, w)? })
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
        let sender = session.sender(Direction::FIRST, &chosen, r)?;
        // mta 3.1
        let psid = session.psid(Purpose::Boot, Direction::FIRST);
        let sent = send(&sender, psid, 1, r)?;
        let pairs = boot_pairs(psid, &sent, sender.delta_block());
        let leaves = pprf::grow(session.psid(Purpose::Setup, Direction::SECOND), &pairs, w);
        Ok(session.done(session.receiver(Direction::SECOND, leaves), sender))
    }
}
