//! What is refused before any message. attacks.md row 36.

use crate::liars::{ITEMS, item};
use crate::world::*;
use symbolon_core::PartyId;
use symbolon_ecdsa::{
    PreprocessError, QuorumFull, QuorumFullSetup, QuorumItem, QuorumOnline, QuorumOnlineSetup, QuorumPreprocess,
    QuorumPreprocessSetup, QuorumRequest, Setups, SignError, SignerShare,
};
use symbolon_mta::{Exhausted, PairSetup};
use symbolon_session::{Agreed, Auth, Identity, Label, Protocol, Session, StartError};
use symbolon_testkit::seeded;

const ALL: [u16; 3] = [1, 2, 3];

fn request(t: u16, signers: &[u16]) -> Result<QuorumRequest, SignError> {
    QuorumRequest::new(&shares(t, 0)[&id(1)], &ids(signers), payload(), path())
}

#[test]
fn row_36_signers() {
    assert!(request(3, &[3, 1, 2]).is_ok(), "in any order");
    let wrong: [&[u16]; 8] = [&[], &[1], &[1, 2], &[1, 2, 3, 4], &[1, 2, 2], &[1, 1, 2], &[1, 2, 6], &[2, 3, 4]];
    for signers in wrong {
        assert_eq!(request(3, signers).err(), Some(SignError::Signers), "{signers:?}");
    }
    assert_eq!(request(2, &[1, 2]).err(), Some(SignError::TwoSigners));
    assert_eq!(request(2, &[1, 2, 3]).err(), Some(SignError::Signers));
    // the share of another member, key, sharing or epoch
    let request = request(3, &ALL).unwrap();
    assert!(request.signer(&shares(3, 0)[&id(1)]).is_ok());
    let others = [shares(3, 0)[&id(2)].me(), id(1), id(1), id(1)];
    let of = [shares(3, 0), shares_of(3, 2, 0, 0), shares_of(3, 1, 1, 0), shares_of(3, 1, 0, 1)];
    for (me, mut shares) in others.into_iter().zip(of) {
        assert_eq!(request.signer(&shares.remove(&me).unwrap()).err(), Some(SignError::Signers));
    }
}

/// What is wrong with the setups of 1.
fn wrong_setups() -> Vec<Setups> {
    let all = ids(&ALL);
    let usual = || setups(id(1), &all);
    let mut wrong: Vec<_> = (0..8).map(|_| usual()).collect();
    wrong[0].clear();
    wrong[1].remove(&id(3));
    wrong[2].insert(id(4), pair_setup(Batch::Usual, id(1), id(4)));
    // in place of the one with 3: with 4, exchanged, of other parties, of another suite
    wrong[3].remove(&id(3));
    wrong[3].insert(id(4), pair_setup(Batch::Usual, id(1), id(4)));
    let (two, three) = (wrong[4].remove(&id(2)).unwrap(), wrong[4].remove(&id(3)).unwrap());
    wrong[4].extend([(id(2), three), (id(3), two)]);
    wrong[5].insert(id(3), pair_setup(Batch::Usual, id(2), id(3)));
    wrong[6].insert(id(3), pair_setup(Batch::Usual, id(3), id(1)));
    wrong[7].insert(id(3), pair_setup(Batch::Aes, id(1), id(3)));
    wrong
}

/// Runs left on each.
fn left(setups: &Setups) -> Vec<u32> {
    setups.values().map(PairSetup::runs_left).collect()
}

fn preparation(
    signers: &[(PartyId, Identity)],
    setups: &mut Setups,
    count: u16,
) -> Result<QuorumPreprocessSetup, PreprocessError> {
    QuorumPreprocessSetup::new(id(1), signers, setups, count)
}

#[test]
fn row_36_setups() {
    let (signers, share) = (holders(&ids(&ALL)), shares(3, 0).remove(&id(1)).unwrap());
    for mut setups in wrong_setups() {
        let before = left(&setups);
        let signing = QuorumFullSetup::new(request(3, &ALL).unwrap(), &mut setups);
        assert_eq!(signing.err(), Some(SignError::Pair));
        let signing = QuorumRequest::from_scratch(&share, &ids(&ALL), &mut setups, payload(), path());
        assert_eq!(signing.map(|_| ()).err(), Some(SignError::Pair));
        assert_eq!(preparation(&signers, &mut setups, 1).err(), Some(PreprocessError::Pair));
        assert_eq!(left(&setups), before, "no run is counted");
    }
    // the same party ids under another identity
    let mut other = signers.clone();
    other[2].1 = identity(id(9)).identity();
    let mut setups = setups(id(1), &ids(&ALL));
    assert_eq!(preparation(&other, &mut setups, 1).err(), Some(PreprocessError::Pair));
    // all is well: one run of each
    preparation(&signers, &mut setups, 1).unwrap();
    assert_eq!(left(&setups), [PairSetup::MAX_RUNS - 1; 2]);
    QuorumFullSetup::new(request(3, &ALL).unwrap(), &mut setups).unwrap();
    assert_eq!(left(&setups), [PairSetup::MAX_RUNS - 2; 2]);
}

#[test]
fn row_36_signers_and_counts_of_a_batch() {
    let signers = holders(&ids(&[1, 2, 3, 4]));
    let mut setups = setups(id(1), &ids(&ALL));
    for count in [0, 257, u16::MAX] {
        assert_eq!(preparation(&signers[..3], &mut setups, count).err(), Some(PreprocessError::Count(count)));
    }
    let twice = [signers[0], signers[1], signers[1]];
    for wrong in [&[][..], &signers[..1], &signers[..2], &signers[1..], &twice] {
        assert_eq!(preparation(wrong, &mut setups, 1).err(), Some(PreprocessError::Signers), "{}", wrong.len());
    }
    // what a round holds of all peers
    let multiplications = |count, peers| Some(PreprocessError::Multiplications { count, peers });
    for count in [129, 256] {
        assert_eq!(preparation(&signers[..3], &mut setups, count).err(), multiplications(count, 2));
    }
    assert_eq!(preparation(&signers, &mut setups, 86).err(), multiplications(86, 3));
    assert_eq!(left(&setups), [PairSetup::MAX_RUNS; 2]);
    preparation(&signers[..3], &mut setups, 128).unwrap();
    preparation(&signers, &mut crate::world::setups(id(1), &ids(&[1, 2, 3, 4])), 85).unwrap();
}

#[test]
fn row_36_an_exhausted_setup_counts_no_run_on_the_others() {
    let mut setups = setups(id(1), &ids(&ALL));
    for _ in 0..PairSetup::MAX_RUNS {
        setups.get_mut(&id(3)).unwrap().begin_run().unwrap();
    }
    let signing = QuorumFullSetup::new(request(3, &ALL).unwrap(), &mut setups);
    assert_eq!(signing.err(), Some(SignError::Exhausted(Exhausted)));
    let preparing = preparation(&holders(&ids(&ALL)), &mut setups, 1);
    assert_eq!(preparing.err(), Some(PreprocessError::Exhausted(Exhausted)));
    assert_eq!(left(&setups), [PairSetup::MAX_RUNS, 0]);
}

fn refused<P: Protocol>(setup: P::Setup, secrets: &P::LongTerm, input: P::Input) -> StartError {
    let (label, auth) = (Label::new("api").unwrap(), Auth::Signed(identity(id(1))));
    Session::<P>::start(setup, secrets, input, label, auth, &mut seeded(1)).err().unwrap()
}

fn other_signer(share: &Share, signers: &[u16]) -> SignerShare {
    QuorumRequest::new(share, &ids(signers), payload(), path()).unwrap().signer(share).unwrap()
}

// what moves in is what the setup value was made for: otherwise it would look like a lie of a peer
#[test]
fn row_36_other_secrets_and_resources_than_the_setup_names() {
    let (all, share) = (ids(&ALL), shares(3, 0).remove(&id(1)).unwrap());
    // of other signers, of another sharing, of another key; of another path is the same share
    let others = [
        other_signer(&share, &[1, 2, 4]),
        other_signer(&shares_of(3, 1, 1, 0)[&id(1)], &ALL),
        other_signer(&shares_of(3, 1, 0, 1)[&id(1)], &ALL),
        other_signer(&shares_of(3, 2, 0, 0)[&id(1)], &ALL),
    ];
    for other in &others {
        let mut setups = setups(id(1), &all);
        let setup = QuorumFullSetup::new(request(3, &ALL).unwrap(), &mut setups).unwrap();
        assert_eq!(refused::<QuorumFull>(setup, other, setups), StartError::Mismatch(Agreed::Sharing));
        let item = item(id(1), &all);
        let setup = QuorumOnlineSetup::new(request(3, &ALL).unwrap(), &item).unwrap();
        assert_eq!(refused::<QuorumOnline>(setup, other, item), StartError::Mismatch(Agreed::Sharing));
    }
    // and setups of the same pairs, made at another time
    let mut later = setups(id(1), &all);
    later.insert(id(3), pair_setup(Batch::Other, id(1), id(3)));
    for other in wrong_setups().into_iter().chain([later]) {
        let mut named = setups(id(1), &all);
        let (setup, secret) = QuorumRequest::from_scratch(&share, &all, &mut named, payload(), path()).unwrap();
        assert_eq!(refused::<QuorumFull>(setup, &secret, other), StartError::Mismatch(Agreed::Setup));
    }
    for other in wrong_setups() {
        let mut named = setups(id(1), &all);
        let setup = preparation(&holders(&all), &mut named, 1).unwrap();
        assert_eq!(refused::<QuorumPreprocess>(setup, &(), other), StartError::Mismatch(Agreed::Setup));
    }
}

#[test]
fn row_36_another_item_than_the_setup_names() {
    let (all, share) = (ids(&ALL), shares(3, 0).remove(&id(1)).unwrap());
    let two = || items(&all, ITEMS).remove(&id(1)).unwrap();
    let of_others = |signers: &[u16]| -> QuorumItem { item(id(1), &ids(signers)) };
    let other = of_others(&[1, 2, 4]);
    assert_eq!(QuorumOnlineSetup::new(request(3, &ALL).unwrap(), &other).err(), Some(SignError::Pair));
    // four signers are no set of a key with three
    let four = of_others(&[1, 2, 3, 4]);
    let refused_four = QuorumRequest::from_bank(&share, &four, payload(), path()).map(|_| ());
    assert_eq!(refused_four.err(), Some(SignError::Signers));
    for other in [two().remove(1), other, four] {
        let first = two().remove(0);
        let (setup, secret) = QuorumRequest::from_bank(&share, &first, payload(), path()).unwrap();
        assert_eq!(refused::<QuorumOnline>(setup, &secret, other), StartError::Mismatch(Agreed::Item));
    }
    // an item of another member of the same set
    let theirs = item(id(2), &all);
    assert_eq!(QuorumOnlineSetup::new(request(3, &ALL).unwrap(), &theirs).err(), Some(SignError::Pair));
}
