//! Pair setups of a committee in one run: what comes out, and a liar among the members.

use super::*;
use alloc::{boxed::Box, collections::BTreeMap, format, vec};
use symbolon_core::{PartyId, SecretBytes};
use symbolon_session::{
    Agreed, Auth, Class, Error, Identity, IdentityKey, Label, Outgoing, Protocol, RosterError, Session,
};
use symbolon_testkit::{
    Crowd, Lie, Lying, Telling,
    crowd::{Ended, Started},
    seeded,
};

fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

fn key(me: u16) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([u8::try_from(me).unwrap(); 32]))
}

fn holders(members: &[u16]) -> Vec<(PartyId, Identity)> {
    members.iter().map(|me| (id(*me), key(*me).identity())).collect()
}

fn terms(me: u16, members: &[u16], suite: Suite, serial: u32) -> CommitteeTerms {
    CommitteeTerms::new(id(me), holders(members), suite, serial).unwrap()
}

fn start<P: Protocol<LongTerm = ()>>(me: u16, setup: P::Setup, input: P::Input, seed: u64) -> (PartyId, Started<P>) {
    let (label, auth) = (Label::new("committee").unwrap(), Auth::Signed(key(me)));
    let started: (Session<P>, Vec<Outgoing>) =
        Session::start(setup, &(), input, label, auth, &mut seeded(100 * seed + u64::from(me))).unwrap();
    (id(me), started)
}

pub(crate) fn honest(me: u16, members: &[u16]) -> (PartyId, Started<CommitteeSetup>) {
    start(me, terms(me, members, Suite::Blake3, 3), (), 1)
}

#[test]
fn cancel_gives_nothing_back() {
    let (_, (session, _)) = honest(1, &[1, 2, 3]);
    assert!(session.cancel().is_none());
}

type Made = BTreeMap<u16, BTreeMap<PartyId, PairSetup>>;

fn made(members: &[u16], suite: Suite, seed: u64) -> Made {
    let one = |me: &u16| start(*me, terms(*me, members, suite, 3), (), seed);
    let made = Crowd::<CommitteeSetup>::new(members.iter().map(one)).outputs();
    made.into_iter().map(|(me, (setups, _))| (me.get(), setups)).collect()
}

/// Every pair's two setups fit, and nobody else's.
fn assert_fits(mut made: Made, members: &[u16], suite: Suite) {
    let (mut ids, mut seeds) = (Vec::new(), Vec::new());
    for i in members {
        for j in members.iter().filter(|j| *j > i) {
            let server = made.get_mut(i).unwrap().remove(&id(*j)).unwrap();
            let client = made.get_mut(j).unwrap().remove(&id(*i)).unwrap();
            let both = Both { client, server };
            assert_eq!(both.client.id(), both.server.id());
            for (setup, me, peer, role) in [(&both.server, i, j, Role::Server), (&both.client, j, i, Role::Client)] {
                assert_eq!((setup.pair().me(), setup.pair().peer(), setup.pair().role()), (id(*me), id(*peer), role));
                assert_eq!(*setup.pair().identity(role), key(*me).identity());
                assert_eq!(*setup.pair().identity(role.peer()), key(*peer).identity());
                assert_eq!((setup.serial(), setup.suite(), setup.runs_left()), (3, suite, PairSetup::MAX_RUNS));
            }
            assert_eq!(both.client.zero_seed().expose(), both.server.zero_seed().expose());
            for ext in [(both.server.sender(), both.client.receiver()), (both.client.sender(), both.server.receiver())]
            {
                assert_eq!(ext.0.direction(), ext.1.direction());
                assert_products(&multiply::<2>(ext, 2, 1), 2);
            }
            assert!(!ids.contains(&both.client.id()));
            assert!(!seeds.contains(both.client.zero_seed().expose()));
            ids.push(both.client.id());
            seeds.push(*both.client.zero_seed().expose());
        }
    }
    assert!(made.values().all(BTreeMap::is_empty), "one setup for each pair, and no more");
}

#[test]
fn every_pair_of_a_committee_has_its_setup() {
    for suite in SUITES {
        for members in [&[1, 2, 3, 4][..], &[2, 5, 9], &[1, 2], &[3, 7]] {
            assert_fits(made(members, suite, 1), members, suite);
        }
    }
}

// attacks.md row 11: made again, everything is another
#[test]
fn row_11_a_second_run_has_nothing_of_the_first() {
    let (first, second) = (made(&[1, 2, 3], Suite::Blake3, 1), made(&[1, 2, 3], Suite::Blake3, 2));
    for (me, setups) in &first {
        for (peer, setup) in setups {
            let other = &second[me][peer];
            assert_ne!(setup.id(), other.id());
            assert_ne!(setup.zero_seed().expose(), other.zero_seed().expose());
            assert_ne!(setup.sender().delta_block(), other.sender().delta_block());
        }
    }
}

const ALL: [u16; 4] = [1, 2, 3, 4];
const LIAR: u16 = 2;

/// How an honest member ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Made,
    Waiting,
    Failed(Fault, Option<u16>),
}

/// The ends of the honest members. Nobody names an honest one.
fn ends(crowd: Crowd<CommitteeSetup>, liar: Option<u16>) -> BTreeMap<u16, End> {
    let crowd = crowd.run();
    let mut ends = BTreeMap::new();
    for (me, end) in crowd.ends {
        let end = match end {
            Ended::Done(..) => End::Made,
            Ended::Waiting => End::Waiting,
            Ended::Failed(error) => {
                let (fault, culprit) = (error.fault().unwrap(), error.culprit().map(PartyId::get));
                assert_eq!(matches!(error, Error::Burned(_)), fault.class() == Class::Burn);
                assert!(error.burned().is_empty(), "there is none yet");
                End::Failed(fault, culprit)
            }
        };
        if Some(me.get()) != liar {
            if let End::Failed(_, culprit) = end {
                assert!(culprit.is_none() || culprit == liar, "{me}: {end:?}");
            }
            ends.insert(me.get(), end);
        }
    }
    ends
}

fn lying(me: u16, members: &[u16], seed: u64, lie: Lie) -> Started<Lying<CommitteeSetup>> {
    start::<Lying<CommitteeSetup>>(me, terms(me, members, Suite::Blake3, 3), ((), lie), seed).1
}

/// One change of what 2 says to `to` in `round`: to 1 it is client and speaks in odd rounds, to 3 and 4 it is server and
/// speaks in even ones.
fn told(to: u16, round: usize, change: impl Fn(&mut Vec<u8>) + 'static) -> End {
    let lie = move |telling: &mut Telling<'_>| {
        // it is neither first nor last: three messages in each round
        if telling.message.div_ceil(3) == round && telling.to == symbolon_session::To::One(id(to)) {
            change(telling.body);
        }
    };
    let others = ALL.iter().filter(|me| **me != LIAR);
    let crowd = Crowd::new(others.map(|me| honest(*me, &ALL))).with_liar(id(LIAR), lying(LIAR, &ALL, 1, Box::new(lie)));
    let mut ends = ends(crowd, Some(LIAR));
    let end = ends.remove(&to).unwrap();
    // who has heard no lie waits for the one that has, unless that has already said all
    let expected = if round < 5 { End::Waiting } else { End::Made };
    assert!(ends.values().all(|end| *end == expected || *end == End::Waiting), "{ends:?}");
    end
}

fn flip(from_end: usize) -> impl Fn(&mut Vec<u8>) {
    move |body| {
        let at = body.len() - from_end;
        body[at] ^= 1;
    }
}

#[test]
fn a_lie_in_any_message_to_one_member_names_the_liar_there() {
    // message, receiver, position from the end, fault
    let cases = [
        // M1: B, proof, commitment of the zero half
        (1, 1, 1, Fault::Opening),
        (1, 1, 32, Fault::Opening),
        (1, 1, 33, Fault::Proof),
        (1, 1, 64, Fault::Proof),
        // M3: e_j, zero half, opening, check
        (3, 1, 1, Fault::Inconsistent),
        (3, 1, 32, Fault::Inconsistent),
        (3, 1, 33, Fault::Opening),
        (3, 1, 64, Fault::Opening),
        (3, 1, 65, Fault::Opening),
        (3, 1, 96, Fault::Opening),
        // M4: the responses
        (4, 3, 1, Fault::BaseOt),
        (4, 4, M4_LEN, Fault::BaseOt),
        // M5: openings, PPRF, the boot extension
        (5, 1, 1, Fault::Extension),
        (5, 1, 48, Fault::Extension),
        (5, 1, 49, Fault::Extension),
        (5, 1, M5_LEN, Fault::BaseOt),
        // M6: the hash of the PPRF
        (6, 3, 1, Fault::Pprf),
        (6, 4, 32, Fault::Pprf),
    ];
    for (round, to, from_end, fault) in cases {
        assert_eq!(
            told(to, round, flip(from_end)),
            End::Failed(fault, Some(LIAR)),
            "M{round}, {from_end} from the end"
        );
    }
    // of a point no encoding is left
    for (round, to, at) in [(1, 1, 0), (2, 3, 0), (2, 4, 33 * 127)] {
        let end = told(to, round, move |body| body[at] = 5);
        assert!(matches!(end, End::Failed(Fault::Encoding(_), Some(LIAR))), "M{round}: {end:?}");
    }
}

// what the server of a pair says last in its zero half both then work with: the client's check tells the liar itself
#[test]
fn another_zero_half_of_the_server_leaves_no_setup() {
    for to in [3, 4] {
        assert_eq!(told(to, 2, flip(1)), End::Waiting);
    }
}

// attacks.md row 25: every message has one length, and who has nothing to say says nothing
#[test]
fn row_25_every_body_has_one_length() {
    let lens = [M1_LEN, M2_LEN, M3_LEN, M4_LEN, M5_LEN, M6_LEN];
    for (round, len) in (1..).zip(lens) {
        let speaks = if round % 2 == 1 { 1 } else { 3 };
        for change in [Change::Empty, Change::Shorter] {
            let end = told(speaks, round, move |body| {
                assert_eq!(body.len(), len);
                change.apply(body);
            });
            assert!(matches!(end, End::Failed(Fault::Encoding(_), Some(LIAR))), "M{round}: {end:?}");
        }
        assert_eq!(told(speaks, round, |body| Change::Longer.apply(body)), End::Waiting, "refused, and waited for");
        // the other direction
        let silent = if round % 2 == 1 { 4 } else { 1 };
        let end = told(silent, round, |body| {
            assert!(body.is_empty());
            body.push(0);
        });
        assert!(matches!(end, End::Failed(Fault::Encoding(_), Some(LIAR))), "round {round}: {end:?}");
    }
}

// attacks.md row 20: what was meant for another member
#[test]
fn row_20_messages_of_another_pair() {
    for (round, to, other) in [(2, 3, 4), (4, 3, 4), (6, 3, 4)] {
        let heard = alloc::rc::Rc::new(core::cell::RefCell::new(Vec::new()));
        let lie = move |telling: &mut Telling<'_>| {
            if telling.message.div_ceil(3) == round {
                if telling.to == symbolon_session::To::One(id(other)) {
                    telling.body.clone_from(&heard.borrow());
                } else if telling.to == symbolon_session::To::One(id(to)) {
                    heard.borrow_mut().clone_from(telling.body);
                }
            }
        };
        let others = ALL.iter().filter(|me| **me != LIAR);
        let lying = lying(LIAR, &ALL, 1, Box::new(lie));
        let ends = ends(Crowd::new(others.map(|me| honest(*me, &ALL))).with_liar(id(LIAR), lying), Some(LIAR));
        let end = ends[&other];
        // the points A_j are any points: only their proof of use later tells, to the liar
        assert!(round == 2 || matches!(end, End::Failed(_, Some(LIAR))), "M{round}: {end:?}");
        assert_ne!(end, End::Made);
    }
}

// attacks.md row 59
#[test]
fn row_59_two_nonces_of_one_member_are_a_mismatch() {
    for liar in ALL {
        for audience in ALL.iter().filter(|id| **id != liar) {
            let face = |seed| lying(liar, &ALL, seed, Box::new(|_| ()));
            let crowd = Crowd::new(ALL.iter().filter(|me| **me != liar).map(|me| honest(*me, &ALL)))
                .with_liar(id(liar), face(1))
                .with_second_face(id(liar), face(2), [id(*audience)]);
            let ends = ends(crowd, Some(liar));
            let mismatch = End::Failed(Fault::Mismatch(Agreed::Sid), None);
            assert!(ends.values().all(|end| *end == End::Waiting || *end == mismatch), "{ends:?}");
            assert!(ends.values().any(|end| *end == mismatch));
        }
    }
}

// attacks.md row 94
#[test]
fn row_94_other_terms_are_a_mismatch() {
    let others: [&dyn Fn(u16) -> CommitteeTerms; 3] =
        [&|me| terms(me, &ALL, Suite::Aes, 3), &|me| terms(me, &ALL, Suite::Blake3, 4), &|me| {
            terms(me, &[1, 2, 3, 4, 5], Suite::Blake3, 3)
        }];
    for other in others {
        for odd in ALL {
            let one = |me: &u16| if *me == odd { start(*me, other(*me), (), 1) } else { honest(*me, &ALL) };
            for (me, end) in ends(Crowd::new(ALL.iter().map(one)), None) {
                assert_eq!(end, End::Failed(Fault::Mismatch(Agreed::Sid), None), "{me}");
            }
        }
    }
}

#[test]
fn committees_that_no_run_can_have() {
    let new = |me, members: Vec<(PartyId, Identity)>| CommitteeTerms::new(id(me), members, Suite::Blake3, 0).err();
    assert_eq!(new(1, vec![]), Some(RosterError::Size(0)));
    assert_eq!(new(1, holders(&[1])), Some(RosterError::Size(1)));
    assert_eq!(new(5, holders(&ALL)), Some(RosterError::NotAMember(id(5))));
    assert_eq!(new(1, holders(&[1, 2, 2])), Some(RosterError::Duplicate(id(2))));
    let mut one_identity = holders(&ALL);
    one_identity[3].1 = one_identity[1].1;
    assert_eq!(new(1, one_identity), Some(RosterError::Duplicate(id(2))));
    let mut named = holders(&ALL);
    named[3].1 = Identity::name("four");
    assert_eq!(new(1, named), Some(RosterError::OpaqueName));
    let text = format!("{:?}", terms(1, &ALL, Suite::Aes, 7));
    assert!(text.contains("serial: 7"));
}
