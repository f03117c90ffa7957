//! Frames to running sessions: what is refused leaves no trace, what was not signed is never used, and whoever is named is whoever
//! sent it.

use crate::{
    bytes::Bytes,
    memory::peak,
    world::{self, dealt, id, identity_key, label, members, pair, signed},
};
use ed25519_dalek::Signer;
use std::{cell::RefCell, collections::BTreeMap, sync::LazyLock};
use symbolon_core::{Ed25519, LabelTag, PartyId, Role, RunTag, Secp256k1, Threshold, Transcript};
use symbolon_eddsa::{FrostRequest, FrostSign};
use symbolon_keygen::{Keygen, KeygenSetup, PairRefresh, RefreshSetup};
use symbolon_mta::{PairSetupRun, PairSetupTerms, Suite};
use symbolon_session::{Auth, Error, Header, Outgoing, Protocol, Rejected, Roster, Session, Step, To};
use symbolon_sharing::{Dkg, DkgSetup, Factors, Refreshes, Reshare, Scheme, refresh};
use symbolon_testkit::{Crowd, duo::stored, seeded};

/// What a session shows: the frames that it would send again, whom it waits for, what it is filed under.
type State = (Vec<Vec<u8>>, Vec<PartyId>, (LabelTag, Option<RunTag>));

/// How a frame was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Used,
    Rejected(Rejected),
    /// The run is over; whom that names.
    Over(Option<PartyId>),
}

trait Running {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Taken;
    fn state(&self) -> State;
}

impl<P: Protocol> Running for Session<P> {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Taken {
        match Self::handle(self, from, frame) {
            Ok(Step::Prepared(pending, _)) => {
                drop(self.stored(stored(&pending)));
                Taken::Used
            }
            Ok(_) => Taken::Used,
            Err(Error::Rejected(why)) => Taken::Rejected(why),
            Err(Error::Aborted(aborted)) => Taken::Over(aborted.culprit),
            Err(Error::Burned(burned)) => Taken::Over(burned.culprit),
        }
    }

    fn state(&self) -> State {
        let frames = self.resend().into_iter().map(|frame| frame.bytes).collect();
        (frames, self.waiting_for().into_iter().collect(), self.tags())
    }
}

/// A session that runs, and its first frames.
type Begun = (Box<dyn Running>, Vec<Outgoing>);

/// A run: how each member starts, and what they say if all are honest.
struct Case {
    start: fn(PartyId) -> Begun,
    members: Vec<PartyId>,
    /// How many of them are run here, and for how many frames.
    hearing: (usize, usize),
    is_signed: bool,
    sent: Vec<(PartyId, Outgoing)>,
}

fn boxed<P: Protocol + 'static>(started: (Session<P>, Vec<Outgoing>)) -> Begun {
    (Box::new(started.0), started.1)
}

fn case<P: Protocol + 'static>(
    of: u16,
    is_signed: bool,
    start: fn(PartyId) -> (Session<P>, Vec<Outgoing>),
    boxed: fn(PartyId) -> Begun,
) -> Case {
    let members: Vec<_> = (1..=of).map(id).collect();
    let crowd = Crowd::new(members.iter().map(|me| (*me, start(*me)))).run();
    assert!(crowd.rejected.is_empty() && crowd.ends.len() == members.len());
    Case { start: boxed, hearing: (members.len(), usize::MAX), members, is_signed, sent: crowd.sent }
}

fn role(me: PartyId) -> Role {
    if me == PartyId::SERVER { Role::Server } else { Role::Client }
}

fn begun<P: Protocol>(
    me: PartyId,
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    auth: Auth,
) -> (Session<P>, Vec<Outgoing>) {
    let mut rng = seeded(u64::from(me.get()));
    Session::start(setup, secrets, input, label(), auth, &mut rng).expect("the run starts")
}

fn keygen(me: PartyId) -> (Session<Keygen>, Vec<Outgoing>) {
    begun(me, KeygenSetup::new(pair(role(me))), &(), (), Auth::Channel)
}

fn signed_keygen(me: PartyId) -> (Session<Keygen>, Vec<Outgoing>) {
    begun(me, KeygenSetup::new(pair(role(me))), &(), (), signed(me.get()))
}

fn pair_refresh(me: PartyId) -> (Session<PairRefresh>, Vec<Outgoing>) {
    let factor = world::factor(role(me), true);
    begun(me, RefreshSetup::new(&factor, 2).expect("it rises"), &factor, (), Auth::Channel)
}

fn pair_setup(me: PartyId) -> (Session<PairSetupRun>, Vec<Outgoing>) {
    let terms = PairSetupTerms { pair: pair(role(me)), suite: Suite::Blake3, serial: 0 };
    begun(me, terms, &(), (), Auth::Channel)
}

fn dkg(me: PartyId) -> (Session<Dkg<Secp256k1>>, Vec<Outgoing>) {
    let roster = Roster::new(me, members([1, 2, 3])).expect("three");
    let setup = DkgSetup::new(roster, Threshold::TWO, Scheme::Ecdsa).expect("2 of 3");
    begun(me, setup, &(), (), signed(me.get()))
}

fn reshare(me: PartyId) -> (Session<Reshare<Ed25519, Refreshes>>, Vec<Outgoing>) {
    let share = dealt::<Ed25519>(2, 3, Scheme::Frost, 2).swap_remove(usize::from(me.get()) - 1);
    let (setup, source) = refresh(&share, &[id(1), id(3)], 1, Factors::Gone).expect("a plan");
    begun(me, setup, &source, (), signed(me.get()))
}

fn frost(me: PartyId) -> (Session<FrostSign<Ed25519>>, Vec<Outgoing>) {
    let share = dealt::<Ed25519>(2, 3, Scheme::Frost, 2).swap_remove(usize::from(me.get()) - 1);
    let request = FrostRequest::new(&share, &[1, 2, 3].map(id), "what is signed").expect("holders");
    begun(me, request, &share, (), signed(me.get()))
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    vec![
        case(2, false, keygen, |me| boxed(keygen(me))),
        case(2, true, signed_keygen, |me| boxed(signed_keygen(me))),
        case(2, false, pair_refresh, |me| boxed(pair_refresh(me))),
        case(3, true, dkg, |me| boxed(dkg(me))),
        case(3, true, reshare, |me| boxed(reshare(me))),
        case(3, true, frost, |me| boxed(frost(me))),
        first_frame(),
    ]
});

impl Case {
    /// What one member is sent in an honest run, in order.
    fn to(&self, me: PartyId) -> Vec<(PartyId, &[u8])> {
        let mine = |(from, frame): &&(PartyId, Outgoing)| match frame.to {
            To::All => *from != me,
            To::One(to) => to == me,
        };
        self.sent.iter().filter(mine).map(|(from, frame)| (*from, frame.bytes.as_slice())).collect()
    }
}

/// The server of a pair setup before the client's first frame: what comes after is too slow to be begun again and again.
fn first_frame() -> Case {
    let sent = pair_setup(PartyId::CLIENT).1.into_iter().map(|frame| (PartyId::CLIENT, frame)).collect();
    let members = vec![PartyId::SERVER, PartyId::CLIENT];
    Case { start: |me| boxed(pair_setup(me)), members, hearing: (1, 0), is_signed: false, sent }
}

/// Case, member, and how many honest frames it has taken.
type At = (usize, PartyId, usize);

thread_local! {
    /// A session of each case and member after some honest frames. What is refused changes nothing, so that it serves again.
    static SESSIONS: RefCell<BTreeMap<At, Box<dyn Running>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The target. Gives whether a frame was used that no honest member had sent, or a header was read.
pub fn run(data: &[u8]) -> bool {
    let read = header(data);
    let mut input = Bytes(data);
    let number = usize::from(input.byte()) % CASES.len();
    let case = &CASES[number];
    let me = case.members[usize::from(input.byte()) % case.hearing.0];
    let honest = case.to(me);
    let after = usize::from(input.byte()) % (honest.len() + 1).min(case.hearing.1.saturating_add(1));
    let key = (number, me, after);
    let mut session = SESSIONS.with_borrow_mut(|sessions| sessions.remove(&key)).unwrap_or_else(|| {
        let (mut session, _) = (case.start)(me);
        for (from, frame) in &honest[..after] {
            assert_eq!(session.handle(*from, frame), Taken::Used, "honest");
        }
        session
    });
    let (from, frame, is_signed) = frame(case, me, &honest, after, &mut input);
    header(&frame);
    let before = session.state();
    let genuine = honest.iter().any(|(_, honest)| *honest == frame);
    let (taken, held) = peak(|| session.handle(from, &frame));
    match taken {
        Taken::Rejected(why) => {
            assert!(session.state() == before, "{why} leaves no trace");
            assert!(held <= 2 * frame.len() + 4096, "{held} bytes of memory for a refused frame of {}", frame.len());
        }
        Taken::Used => assert!(genuine || !case.is_signed || is_signed, "nobody has signed it"),
        Taken::Over(culprit) => {
            assert!(!genuine, "an honest frame ends no run");
            assert!(!case.is_signed || is_signed, "nobody has signed it");
            assert!(culprit.is_none_or(|culprit| culprit == from), "{from} has sent it, {culprit:?} is named");
        }
    }
    // some longer than the whole run are held only for a moment; what stays is what a session may hold
    assert!(held < 4 << 20, "{held} bytes of memory");
    let refused = matches!(taken, Taken::Rejected(_));
    if refused && input.byte() % 4 == 1 && after < honest.len() {
        let (from, next) = honest[after];
        assert_eq!(session.handle(from, next), Taken::Used, "the run goes on as before");
    } else if refused {
        SESSIONS.with_borrow_mut(|sessions| sessions.insert(key, session));
    }
    read || (taken == Taken::Used && !genuine)
}

/// A frame of the input's choice, who is said to have sent it, and whether that one has signed it.
fn frame(
    case: &Case,
    me: PartyId,
    honest: &[(PartyId, &[u8])],
    after: usize,
    input: &mut Bytes<'_>,
) -> (PartyId, Vec<u8>, bool) {
    let way = input.byte();
    let others: Vec<_> = case.members.iter().filter(|id| **id != me).collect();
    let said = case.members.iter().copied().chain([id(9)]).nth(usize::from(input.byte()) % (case.members.len() + 1));
    let said = said.expect("a member, or nobody");
    // the frame that is due next, or any other of the run
    let which = if way & 8 == 0 { after } else { usize::from(input.byte()) };
    let (sender, genuine) = honest.get(which).copied().unwrap_or(honest[which % honest.len()]);
    let trailer = if case.is_signed { trailer(genuine) } else { 0 };
    match way % 8 {
        0 => (said, input.rest().to_vec(), false),
        // fields of the frame, or of the envelope alone
        1 | 2 => {
            let mut frame = genuine.to_vec();
            if way % 8 == 1 {
                input.overwrite(&mut frame);
            } else {
                let place = usize::from(input.byte()) % Header::LEN;
                frame[place] = input.byte();
            }
            (if way & 16 == 0 { sender } else { said }, frame, false)
        }
        // a member that lies in what it signs
        3 | 4 => {
            let mut content = genuine[..genuine.len() - trailer].to_vec();
            let mut body = content.split_off(Header::LEN);
            if way % 8 == 3 {
                input.overwrite(&mut body);
            } else {
                body = input.rest().to_vec();
            }
            content.extend(body);
            resigned(case, sender, content)
        }
        // any header over the genuine body, signed
        5 => {
            let liar = **others.get(usize::from(input.byte()) % others.len()).expect("a peer");
            let mut content = genuine[..genuine.len() - trailer].to_vec();
            for _ in 0..input.byte() % 4 {
                let place = usize::from(input.byte()) % 7;
                content[place] = input.byte();
            }
            resigned(case, liar, content)
        }
        // what somebody else was sent, or what this member has sent
        6 => {
            let (from, frame) = &case.sent[usize::from(input.byte()) % case.sent.len()];
            (if way & 16 == 0 { *from } else { said }, frame.bytes.clone(), false)
        }
        _ => (sender, genuine.to_vec(), false),
    }
}

/// Bytes of a signed frame behind header and body: the way up, the position, the signature.
fn trailer(frame: &[u8]) -> usize {
    let depth = frame[frame.len() - 65].ilog2() as usize;
    32 * depth + 65
}

/// Alone under a signature, if frames are signed.
fn resigned(case: &Case, by: PartyId, mut content: Vec<u8>) -> (PartyId, Vec<u8>, bool) {
    if !case.is_signed {
        return (by, content, false);
    }
    let digest = Transcript::new("session", "frame").bulk(&content).finish();
    let mut seed = [3; 32];
    seed[..2].copy_from_slice(&by.get().to_be_bytes());
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    assert!(identity_key(by.get()).identity() == symbolon_session::Identity::Key(key.verifying_key().to_bytes()));
    content.push(1);
    content.extend(key.sign(&digest).to_bytes());
    (by, content, true)
}

/// Each field of a header is where the layout says.
fn header(frame: &[u8]) -> bool {
    let number = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    match Header::parse(frame) {
        Ok(header) => {
            assert!(frame.len() >= Header::LEN && frame[0] == Header::VERSION);
            let to = if number(5) == 0 { To::All } else { To::One(id(number(5))) };
            assert_eq!((header.protocol, header.round, header.sender.get()), (frame[1], frame[2], number(3)));
            assert_eq!((header.to, header.label.as_ref(), header.run.as_ref()), (to, &frame[7..23], &frame[23..39]));
            true
        }
        Err(Rejected::Length) => {
            assert!(frame.len() < Header::LEN && frame.first().is_none_or(|version| *version == 1));
            false
        }
        Err(Rejected::Version(version)) => {
            assert!(version == frame[0] && version != 1);
            false
        }
        Err(why) => {
            assert!(why == Rejected::Sender && number(3) == 0);
            false
        }
    }
}
