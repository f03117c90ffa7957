//! The envelope side of a session: what comes in is checked, what goes out is framed, kept and repeated.

use crate::auth::{self, Verified};
use crate::{Auth, AuthError, Header, Outgoing, Rejected, Roster, To, frame};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use ed25519_dalek::VerifyingKey;
use symbolon_core::{LabelTag, PartyId, RunTag, SecretVec, wire::Writer};

/// Round, sender, and whether it is the broadcast of the round.
pub(crate) type Slot = (u8, PartyId, bool);

pub(crate) const fn slot_of(header: &Header) -> Slot {
    (header.round, header.sender, matches!(header.to, To::All))
}

/// A frame of our own.
pub(crate) struct Sent {
    pub(crate) round: u8,
    pub(crate) to: To,
    pub(crate) bytes: SecretVec<u8>,
}

impl Sent {
    pub(crate) fn outgoing(&self) -> Outgoing {
        Outgoing { to: self.to, bytes: self.bytes.to_vec() }
    }
}

pub(crate) struct Line {
    pub(crate) protocol: u8,
    pub(crate) roster: Roster,
    pub(crate) label: LabelTag,
    pub(crate) auth: Auth,
    /// Of the peers, decompressed once.
    keys: BTreeMap<PartyId, VerifyingKey>,
    /// The last signature of each peer that was verified.
    verified: BTreeMap<PartyId, Verified>,
    /// The run tags that are known. The own one is known before the first own frame leaves.
    pub(crate) tags: BTreeMap<PartyId, RunTag>,
    /// Digests of all accepted frames.
    pub(crate) accepted: BTreeMap<Slot, [u8; 32]>,
    /// The length of the longest of them.
    pub(crate) longest: usize,
    /// Signed broadcast confirmations of peers, which everybody can check.
    pub(crate) shown: Vec<Vec<u8>>,
    /// Who answered `closed`.
    pub(crate) closed: BTreeSet<PartyId>,
    /// What a peer may have missed.
    pub(crate) sent: Vec<Sent>,
}

impl Line {
    pub(crate) fn new(protocol: u8, roster: Roster, label: LabelTag, auth: Auth) -> Result<Self, AuthError> {
        let keys = auth.keys(&roster)?;
        Ok(Self {
            protocol,
            roster,
            label,
            auth,
            keys,
            verified: BTreeMap::new(),
            tags: BTreeMap::new(),
            accepted: BTreeMap::new(),
            longest: 0,
            shown: Vec::new(),
            closed: BTreeSet::new(),
            sent: Vec::new(),
        })
    }

    pub(crate) const fn me(&self) -> PartyId {
        self.roster.me()
    }

    /// The header faults that need no round.
    pub(crate) fn check(&self, from: PartyId, frame: &[u8]) -> Result<Header, Rejected> {
        let header = Header::parse(frame)?;
        if header.protocol != self.protocol {
            return Err(Rejected::Protocol(header.protocol));
        }
        if header.label != self.label {
            return Err(Rejected::Label);
        }
        if header.sender != from || from == self.me() || self.roster.identity(from).is_none() {
            return Err(Rejected::Sender);
        }
        if !matches!(header.to, To::All) && header.to != To::One(self.me()) {
            return Err(Rejected::Recipient);
        }
        // a `closed` names the run of its receiver
        if self.tags.get(&from).is_some_and(|tag| *tag != header.run) && header.round != Header::CLOSED {
            return Err(Rejected::Run);
        }
        Ok(header)
    }

    /// Body and digest of an authenticated frame.
    pub(crate) fn open<'f>(&mut self, from: PartyId, frame: &'f [u8]) -> Result<(&'f [u8], [u8; 32]), Rejected> {
        let (content, digest) = match &self.auth {
            Auth::Channel | Auth::Unauthenticated(_) => (frame, frame::digest(frame)),
            Auth::Signed(_) => {
                let key = self.keys.get(&from).ok_or(Rejected::Sender)?;
                let (content, digest, verified) = auth::verified(frame, key, self.verified.get(&from))?;
                self.verified.insert(from, verified);
                (content, digest)
            }
        };
        let body = content.get(Header::LEN..).ok_or(Rejected::Length)?;
        Ok((body, digest))
    }

    pub(crate) fn accept(&mut self, slot: Slot, digest: [u8; 32], len: usize) {
        self.accepted.insert(slot, digest);
        self.longest = self.longest.max(len);
    }

    /// Whether a frame of this slot proves to anybody what its sender said to all.
    pub(crate) const fn proves(&self, slot: Slot) -> bool {
        slot.2 && matches!(self.auth, Auth::Signed(_))
    }

    /// Keeps an accepted confirmation that a member in doubt can check.
    pub(crate) fn show(&mut self, slot: Slot, frame: &[u8]) {
        if self.proves(slot) {
            self.shown.push(frame.to_vec());
        }
    }

    /// Frames a body made of parts, without the trailer.
    pub(crate) fn unsigned(&self, round: u8, to: To, run: RunTag, parts: &[&[u8]]) -> Sent {
        let len = Header::LEN + parts.iter().map(|part| part.len()).sum::<usize>() + self.auth.max_trailer();
        let mut w = Writer::with_capacity(len);
        Header { protocol: self.protocol, round, sender: self.me(), to, label: self.label, run }.encode(&mut w);
        parts.iter().for_each(|part| {
            w.bytes(part);
        });
        Sent { round, to, bytes: SecretVec::new(w.finish()) }
    }

    /// Signs the frames that leave together.
    pub(crate) fn sign(&self, frames: &mut [Sent]) {
        let mut all: Vec<_> = frames.iter_mut().map(|sent| &mut sent.bytes).collect();
        self.auth.sign(&mut all);
    }

    /// Forgets the own frames that every receiver proved to have: a frame of a peer for round `r` was made from all
    /// frames of the rounds before `r`.
    pub(crate) fn prune(&mut self) {
        let mut latest: BTreeMap<PartyId, u8> = self.roster.peers().map(|peer| (peer, 0)).collect();
        for (round, from, _) in self.accepted.keys() {
            latest.entry(*from).and_modify(|latest| *latest = (*latest).max(*round));
        }
        let slowest = latest.values().copied().min().unwrap_or(0);
        self.sent.retain(|sent| match sent.to {
            To::All => sent.round >= slowest,
            To::One(peer) => latest.get(&peer).is_some_and(|latest| sent.round >= *latest),
        });
    }

    /// The last own frames, as they leave.
    pub(crate) fn last(&self, count: usize) -> Vec<Outgoing> {
        self.sent.iter().skip(self.sent.len().saturating_sub(count)).map(Sent::outgoing).collect()
    }

    pub(crate) fn resend(&self) -> Vec<Outgoing> {
        self.sent.iter().map(Sent::outgoing).collect()
    }
}
