//! What comes to holders who are asked, or who were not there: plans of resharings, packages and confirmations, pieces of factors.
//! Nothing is taken that the others have not confirmed, and nobody honest is named.

use crate::{
    bytes::Bytes,
    memory::bounded,
    world::{self, Refreshed, device, id, identity_key, label, members},
};
use std::{collections::BTreeSet, sync::LazyLock};
use symbolon_core::{Ed25519, Group, PartyId, Role, Secp256k1, Threshold, wire::Reader};
use symbolon_session::{Header, Rejected, Storable, close, confirmed_by, convict};
use symbolon_sharing::{
    Change, Consent, Custody, FactorName, FactorPiece, Factors, KeyHealth, Marks, OfflineError, OpenWith, Package,
    PieceError, Plan, Refreshes, Reshare, Scheme, SealTo, combine_factor, hand_over, refresh, split_factor,
};
use symbolon_testkit::seeded;

static TO_DEVICE: LazyLock<Refreshed<Secp256k1>> =
    LazyLock::new(|| world::refreshed(Scheme::Ecdsa, SealTo::Device(*device().public())));
static TO_SHARE: LazyLock<Refreshed<Ed25519>> = LazyLock::new(|| world::refreshed(Scheme::Frost, SealTo::OldShare));

/// The target. Gives whether something was taken.
pub fn run(data: &[u8]) -> bool {
    let mut input = Bytes(data);
    match input.byte() {
        1 => plan::<Secp256k1>(&world::hand_over_plan(&TO_DEVICE.old[0]), &mut input),
        2 => plan::<Ed25519>(&world::hand_over_plan(&TO_SHARE.old[0]), &mut input),
        3 => received(&TO_DEVICE, &mut input),
        4 => received(&TO_SHARE, &mut input),
        5 => confirmations(&mut input),
        6 => pieces(&mut input),
        7 => health(&mut input),
        8 => custody(&mut input),
        _ => false,
    }
}

/// A newcomer is shown a plan, and agrees to what it changes; a holder compares it with its share.
fn plan<G: Group>(genuine: &Plan<G>, input: &mut Bytes<'_>) -> bool {
    let mut bytes = genuine.to_secret_bytes().to_vec();
    let way = input.byte();
    let changed = if way.is_multiple_of(4) {
        bytes = input.rest().to_vec();
        true
    } else {
        input.overwrite(&mut bytes)
    };
    let read = bounded(24, &bytes, || Reader::new(&bytes).whole(Plan::<G>::decode));
    let Ok(plan) = read else {
        assert!(changed);
        return false;
    };
    assert_eq!(*plan.to_secret_bytes(), bytes);
    assert_eq!(plan == *genuine, !changed);
    let changes = bounded(24, &bytes, || plan.changes());
    // nothing is listed twice, and whoever is listed is in the plan
    let everybody: BTreeSet<_> = plan.holders().into_iter().map(|holder| holder.0).collect();
    for change in &changes {
        let (Change::Adds(id, _) | Change::Removes(id) | Change::Replaces(id, _) | Change::Identifies(id, _)) = change
        else {
            assert!(matches!(change, Change::Threshold { from, to } if from != to));
            continue;
        };
        assert!(everybody.contains(id));
    }
    let consent = Consent::new(changes.clone());
    let ready = hand_over(id(4), None, plan.clone(), &consent);
    let more = Consent::new(changes.into_iter().chain([Change::Removes(id(9))]));
    assert!(hand_over(id(4), None, plan.clone(), &more).is_err(), "exactly what changes");
    // what can run is valid on all counts that need no message
    let Ok((setup, _)) = ready else { return false };
    let distinct =
        |list: &[(PartyId, _)]| list.iter().map(|holder| holder.0).collect::<BTreeSet<_>>().len() == list.len();
    assert!(distinct(&plan.old) && distinct(&plan.new) && distinct(&plan.dealers));
    assert!(plan.dealers.len() == usize::from(plan.old_threshold.get()) && plan.keys.len() == 1);
    assert!(plan.new.iter().any(|holder| holder.0 == id(4)) && !plan.dealers.iter().any(|dealer| dealer.0 == id(4)));
    assert!(plan.keys[0].new_epoch > plan.keys[0].epoch);
    let stored = setup.to_secret_bytes();
    assert!(stored.len() <= setup.max_len());
    true
}

/// The holder that was not there is given a package and confirmations.
fn received<G: Group>(of: &Refreshed<G>, input: &mut Bytes<'_>) -> bool {
    let genuine = of.outputs[&id(1)].package.as_ref().expect("somebody was offline").to_secret_bytes();
    let mut bytes = genuine.to_vec();
    let way = input.byte();
    if way & 1 != 0 {
        input.overwrite(&mut bytes);
    }
    let read = bounded(4, &bytes, || Reader::new(&bytes).whole(Package::decode));
    let Ok(package) = read else {
        assert!(bytes != *genuine);
        return false;
    };
    assert_eq!(*package.to_secret_bytes(), bytes);
    let mut frames = of.confirmations.clone();
    let mut whole = true;
    if way & 2 != 0 {
        let which = usize::from(input.byte()) % frames.len();
        match input.byte() % 4 {
            0 => drop(frames.remove(which)),
            1 => frames.swap(0, which),
            2 => frames.push(input.take(200).to_vec()),
            _ => drop(input.overwrite(&mut frames[which])),
        }
        whole = of.confirmations.iter().all(|frame| frames.contains(frame));
    }
    let (setup, _) = refresh(&of.old[2], &[id(1), id(2)], 1, Factors::Gone).expect("a plan");
    let holder = setup.offline_holder(&of.absent).expect("it is listed");
    let (device, old) = (device(), [&of.old[2]]);
    let with = match (&of.absent[0].1, way & 4 != 0) {
        (SealTo::Device(_), false) | (SealTo::OldShare, true) => OpenWith::Device(&device),
        _ => OpenWith::OldShares(&old),
    };
    let taken = holder.receive(&label(), &package, &frames, with, &mut seeded(1));
    match &taken {
        Ok(new) => {
            assert!(bytes == *genuine && whole && way & 4 == 0);
            let share = new.share.as_ref().expect("a holder");
            assert!(share.epoch() == 1 && share.me() == id(3) && share.public_key() == of.old[0].public_key());
            assert_eq!(new.health, of.outputs[&id(1)].health);
        }
        Err(OfflineError::Key) => assert!(way & 4 != 0),
        Err(OfflineError::Package) => assert!(bytes != *genuine),
        Err(OfflineError::Unconfirmed(by)) => {
            assert!(bytes != *genuine || !whole);
            assert!(!by.is_empty() && by.iter().all(|id| [1, 2].contains(&id.get())));
        }
        // the dealers have dealt rightly, so that nobody is to blame
        Err(error) => panic!("{error}"),
    }
    taken.is_ok()
}

/// Signed frames outside of a session: what they confirm, whom they convict, and what is answered to them.
fn confirmations(input: &mut Bytes<'_>) -> bool {
    type P = Reshare<Secp256k1, Refreshes>;
    let genuine = &TO_DEVICE.confirmations[usize::from(input.byte()) % TO_DEVICE.confirmations.len()];
    let mut frame = genuine.clone();
    let changed = input.overwrite(&mut frame);
    let sender = Header::parse(genuine).expect("a frame").sender;
    let member = (sender, identity_key(sender.get()).identity());
    let key = match member.1 {
        symbolon_session::Identity::Key(key) => key,
        _ => panic!("a key"),
    };
    let said = bounded(1, &frame, || confirmed_by::<P>(&member, &label(), &frame));
    assert_eq!(said.is_ok(), !changed, "{said:?}");
    let other = members([if sender == id(1) { 2 } else { 1 }])[0];
    assert!(confirmed_by::<P>(&other, &label(), &frame).is_err());
    assert!(!convict(genuine, &frame, &key) && !convict(&frame, &frame, &key), "it has said one thing");
    // a member that closed the run answers the true frame alone
    let roster = symbolon_session::Roster::new(id(3), members([1, 2, 3])).expect("three");
    let mut ledger = symbolon_session::MemoryLedger::default();
    let answer = close::<P, _>(sender, &frame, &roster, world::signed(3), &mut ledger);
    assert_eq!(answer.is_ok(), !changed);
    if let Ok(answer) = &answer {
        let header = Header::parse(&answer.bytes).expect("a frame");
        assert_eq!((header.round, header.sender), (Header::CLOSED, id(3)));
    } else {
        let again = close::<P, _>(sender, genuine, &roster, world::signed(3), &mut ledger);
        assert!(again.is_ok(), "nothing was recorded for it");
    }
    let header = Header::parse(&frame);
    assert!(header.is_ok() || matches!(header, Err(Rejected::Length | Rejected::Version(_) | Rejected::Sender)));
    said.is_ok()
}

/// Pieces of a factor, some changed: those that are taken make the factor that was asked for, and honest nodes are not named beside
/// liars that are fewer.
fn pieces(input: &mut Bytes<'_>) -> bool {
    let factor = world::factor(Role::Server, true);
    let nodes = [3, 7, 40, 65535].map(id);
    let split = |seed| split_factor(&factor, Threshold::new(3, 4).expect("3 of 4"), &nodes, &mut seeded(seed));
    let mut list = Vec::new();
    let mut changed = BTreeSet::new();
    let liar = usize::from(input.byte() % 5);
    for (i, piece) in split(1).expect("four nodes").into_iter().enumerate() {
        let mut bytes = piece.to_secret_bytes().to_vec();
        if i == liar && input.overwrite(&mut bytes) {
            changed.insert(piece.node());
        }
        let read = bounded(24, &bytes, || Reader::new(&bytes).whole(FactorPiece::decode));
        let Ok(read) = read else { continue };
        assert!(*read.to_secret_bytes() == bytes && read.verify());
        // whoever collects compares the node
        if read.node() == piece.node() {
            list.push(read);
        }
    }
    let left = list.iter().filter(|piece| !changed.contains(&piece.node())).count();
    match combine_factor(&FactorName::of(&factor), &list) {
        Ok(again) => {
            assert_eq!(again.secret().to_bytes().expose(), factor.secret().to_bytes().expose());
            assert!(again.public_key() == factor.public_key() && again.key_id() == factor.key_id());
            true
        }
        Err(PieceError::Mixed(named) | PieceError::Bad(named)) => {
            assert!(left < 3 || named.iter().all(|node| changed.contains(node)), "{named:?} {changed:?}");
            false
        }
        Err(error) => {
            assert!(left < 3, "{error}");
            false
        }
    }
}

/// A holder's word that it has stored: of it alone, and of this epoch.
fn health(input: &mut Bytes<'_>) -> bool {
    let mut health = TO_DEVICE.outputs[&id(1)].health.clone();
    let before = health.to_secret_bytes();
    let who = [1, 2, 3, 4].map(id)[usize::from(input.byte() % 4)];
    let mut word = Vec::from(word());
    let changed = input.overwrite(&mut word);
    let Ok(word) = <[u8; 64]>::try_from(word) else { return false };
    let noted = health.note_confirmed(who, &word);
    assert_eq!(noted.is_ok(), who == id(3) && !changed);
    assert_eq!(noted.is_err(), *health.to_secret_bytes() == *before, "what was refused changes nothing");
    let mut bytes = before.to_vec();
    input.overwrite(&mut bytes);
    // sets of small numbers, in trees whose nodes have room for eleven
    let read = bounded(32, &[&bytes[..], &[0; 512]].concat(), || Reader::new(&bytes).whole(KeyHealth::decode));
    if let Ok(read) = &read {
        assert_eq!(*read.to_secret_bytes(), bytes);
        assert!(read.unconfirmed().all(|id| read.confirmed().all(|other| other != id)));
    }
    noted.is_ok()
}

/// The word of the holder that was offline.
fn word() -> [u8; 64] {
    static WORD: LazyLock<[u8; 64]> = LazyLock::new(|| {
        let of = &*TO_DEVICE;
        let (setup, _) = refresh(&of.old[2], &[id(1), id(2)], 1, Factors::Gone).expect("a plan");
        let holder = setup.offline_holder(&of.absent).expect("it is listed");
        let package = of.outputs[&id(1)].package.as_ref().expect("somebody was offline");
        let device = device();
        let with = OpenWith::Device(&device);
        let new = holder.receive(&label(), package, &of.confirmations, with, &mut seeded(1)).expect("honest");
        let share = new.share.as_ref().expect("a holder");
        new.health.confirmation(share, &identity_key(3)).expect("its own")
    });
    *WORD
}

/// The public side of split custody, shown to a node.
fn custody(input: &mut Bytes<'_>) -> bool {
    let shares = world::dealt::<Ed25519>(2, 2, Scheme::Frost, 8);
    let genuine = Custody::of(&shares[0], PartyId::CLIENT).expect("2 of 2");
    let mut bytes = genuine.to_secret_bytes().to_vec();
    let changed = input.overwrite(&mut bytes);
    let read = bounded(4, &bytes, || Reader::new(&bytes).whole(Custody::<Ed25519>::decode));
    let Ok(custody) = read else { return false };
    assert_eq!(*custody.to_secret_bytes(), bytes);
    assert_eq!(custody == genuine, !changed);
    assert!(custody.server_point() + genuine.server_point() != Ed25519::identity());
    let (dealer, nodes) = (members([1])[0], members([3, 7, 40]));
    let plan = custody.plan(dealer, nodes.clone(), Threshold::TWO);
    let (client, identity) = custody.client();
    assert_eq!(plan.is_ok(), nodes.iter().all(|node| node.0 != client && node.1 != identity));
    if let Ok(plan) = plan {
        assert!(plan.public_key == custody.server_point());
        // a key that nobody can have is refused
        let ready = symbolon_sharing::import(id(3), None, plan);
        assert!(ready.is_ok() || Ed25519::is_identity(&custody.server_point()));
    }
    let half = custody.server_half(&shares[0]);
    assert!(half.is_ok() || changed);
    assert!(Marks::from_byte(bytes[0]).is_ok() == (bytes[0] < 8));
    !changed
}
