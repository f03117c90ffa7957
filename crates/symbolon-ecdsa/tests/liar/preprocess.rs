//! Pre-processing alone. Server: 1 `com.. | extension`, 2 `matrix..`. Client: 1 empty, 2 `extension | matrix..`.

use crate::*;
use symbolon_core::wire::DecodeError;
use symbolon_ecdsa::{
    PreprocessError, item_of,
    preprocess::{MAX_BATCH, commit_len, multiply_len},
};
use symbolon_mta::extension_len;
use symbolon_session::{Agreed, Rejected};
use symbolon_testkit::{Fate, duel};

const N: u16 = 2;
const EXTENSION: usize = extension_len(N);

fn liar(role: Role, lie: impl FnMut(&mut Telling<'_>) + 'static) -> Started<Lying<Preprocess>> {
    let mut ots = setup(role);
    lying(role, PreprocessSetup::new(&mut ots, N).unwrap(), &(), ots, 7, lie)
}

fn server_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<Preprocess> {
    duel(preprocess(Role::Client, N, 8), liar(Role::Server, lie), PartyId::CLIENT, PartyId::SERVER)
}

fn client_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<Preprocess> {
    duel(preprocess(Role::Server, N, 8), liar(Role::Client, lie), PartyId::SERVER, PartyId::CLIENT)
}

#[test]
fn without_a_lie_the_items_have_equal_names() {
    assert!(matches!(server_lies(|_| ()), Fate::Done(_, Some(_))));
    assert!(matches!(client_lies(|_| ()), Fate::Done(_, Some(_))));
    let [server, client] = items(100).map(|items| items.iter().map(Preprocessed::id).collect::<Vec<_>>());
    assert_eq!(server, client);
}

#[test]
fn faults_of_extension_and_multiplication_burn() {
    for offset in [0, 2000, EXTENSION - 1] {
        let fate = server_lies(at(1, move |body| body[64 + offset] ^= 1));
        assert_eq!(failure(&fate), burned(Fault::Extension, SERVER));
        assert!(fate.held().is_none());
        let fate = client_lies(at(2, move |body| body[offset] ^= 1));
        assert_eq!(failure(&fate), burned(Fault::Extension, CLIENT));
    }
    // the first and the second item of the batch
    let one = multiply_len(1);
    for offset in [0, one, 2 * one - 64] {
        let fate = server_lies(at(2, move |body| bump(body, offset)));
        assert_eq!(failure(&fate), burned(Fault::Multiplication, SERVER));
        let fate = client_lies(at(2, move |body| bump(body, EXTENSION + offset)));
        assert_eq!(failure(&fate), burned(Fault::Multiplication, CLIENT));
    }
    // the items of a batch exchanged
    let swap = move |body: &mut Vec<u8>| body.rotate_left(one);
    assert_eq!(failure(&server_lies(at(2, swap))), burned(Fault::Multiplication, SERVER));
}

// another commitment to the peer than to itself: the items have two names, and none is ever signed with
#[test]
fn row_94_items_with_two_names_never_meet() {
    let Fate::Done(items, _) = server_lies(at(1, |body| body[0] ^= 1)) else { panic!("nothing to find yet") };
    let mut bank = Bank::new();
    // the server of the same seeds, as it sees itself
    let own = Duo::new(preprocess(Role::Server, N, 7), preprocess(Role::Client, N, 8)).run().0.map(|end| end.output);
    let [own, _] = own;
    assert_ne!(own[0].id(), items[0].id());
    bank.put(own);
    let (share, item) = (share(Role::Client, KEY), items.into_iter().next().unwrap());
    let setup = OnlineSetup::new(&share, &item, payload(), path()).unwrap();
    let (_, frames) = start::<SignOnline>(Role::Client, setup, &share, item, 1);
    let asked = item_of(&frames[0].bytes).unwrap();
    assert!(bank.take(&asked).is_none());
    // and a session with another item rejects the frame
    let (mut server, _) = online(Role::Server, 100);
    let answer = server.handle(PartyId::CLIENT, &frames[0].bytes);
    assert!(matches!(answer, Err(symbolon_session::Error::Rejected(Rejected::Run))));
    // frames of other protocols ask for no item
    let (_, frames) = full(Role::Client, 1);
    assert_eq!(item_of(&frames[0].bytes), None);
    assert_eq!(item_of(&[]), None);
}

#[test]
fn row_25_lengths_and_counts() {
    let short = Fault::Encoding(DecodeError::Truncated);
    for len in [0, 63, commit_len(N) - 1] {
        let fate = server_lies(at(1, move |body| body.truncate(len)));
        assert_eq!(failure(&fate), (short, SERVER, vec![]));
        assert_eq!(fate.held().map(|ots| ots.id()), Some(setup_id()), "an encoding fault burns nothing");
    }
    for len in [0, EXTENSION, EXTENSION + multiply_len(N) - 1] {
        assert_eq!(failure(&client_lies(at(2, move |body| body.truncate(len)))), (short, CLIENT, vec![]));
    }
    for len in [0, multiply_len(1), multiply_len(N) - 1] {
        assert_eq!(failure(&server_lies(at(2, move |body| body.truncate(len)))), (short, SERVER, vec![]));
    }
    let long =
        [client_lies(at(1, |b| b.push(0))), client_lies(at(2, |b| b.push(0))), server_lies(at(1, |b| b.push(0)))];
    assert!(long.iter().all(|fate| matches!(fate, Fate::Waiting(Some(Rejected::Size)))));
    let mut ots = setup(Role::Server);
    for count in [0, MAX_BATCH + 1, u16::MAX] {
        assert_eq!(PreprocessSetup::new(&mut ots, count), Err(PreprocessError::Count(count)));
    }
}

#[test]
fn another_batch_size_is_a_mismatch() {
    let fate = duel(preprocess(Role::Server, 3, 8), preprocess(Role::Client, 2, 7), PartyId::SERVER, PartyId::CLIENT);
    assert_eq!(failure(&fate), (Fault::Mismatch(Agreed::Sid), None, vec![]));
    assert!(fate.held().is_some());
}
