//! A key on Ed25519 through the facade: made, used from scratch and from the bank, refreshed, imported, left with.

use crate::crowd::*;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::{collections::BTreeMap, thread, time::Duration};
use symbolon::{
    Agreed, Auth, Bank, Banked, Claimed, Ed25519, Error, Fault, KeyShare, Label, Ledger, MemoryLedger, PartyId,
    Rejected, Role, Scheme, SecretBytes, SysRng,
    channel::MemoryChannel,
    committee::{self, Change, Consent, ExitError, Factors, Import, Imported, NotStarted, Plan, Refreshes, Reshare},
    frost::{self, FrostItem, FrostOnline, FrostPreprocess, FrostSign, PublicKey, SignError, Signature},
    store::{self, TakeError},
};
use symbolon_testkit::{Crowd, crowd::Ended as End};

type G = Ed25519;
const MESSAGE: &[u8] = b"pay 1";

/// All have the same signature; dalek's strict verification takes it.
fn check(signatures: impl IntoIterator<Item = Signature<G>>, share: &KeyShare<G>, message: &[u8]) {
    let signatures: Vec<_> = signatures.into_iter().collect();
    assert!(signatures.windows(2).all(|two| two[0] == two[1]) && signatures.len() > 1);
    let key = VerifyingKey::from_bytes(&PublicKey::of(share).to_bytes()).unwrap();
    key.verify_strict(message, &signatures[0].to_bytes().as_slice().try_into().unwrap()).unwrap();
}

fn sign(devices: &mut Devices<G>, signers: &[u16]) {
    let signers = ids(signers);
    let mut starts = Vec::new();
    for me in &signers {
        let mut rng = devices.rng(*me);
        let device = &devices.devices[me];
        starts.push((*me, frost::sign(device.share(), &signers, MESSAGE, device.auth(), &mut rng).unwrap()));
    }
    let ends = Crowd::<FrostSign<G>>::new(starts).outputs();
    check(ends.into_values().map(|(signature, _)| signature), devices.share(signers[0].get()), MESSAGE);
}

type Banks = BTreeMap<PartyId, Bank<FrostItem<G>>>;

fn refill(devices: &mut Devices<G>, signers: &[u16], count: u16) -> Banks {
    let signers = ids(signers);
    let mut starts = Vec::new();
    for me in &signers {
        let mut rng = devices.rng(*me);
        let device = &devices.devices[me];
        starts.push((*me, frost::preprocess(device.share(), &signers, count, device.auth(), &mut rng).unwrap()));
    }
    let filled = |(me, (items, _)): (PartyId, (Vec<FrostItem<G>>, _))| {
        let mut bank = Bank::new();
        bank.put(items);
        (me, bank)
    };
    Crowd::<FrostPreprocess<G>>::new(starts).outputs().into_iter().map(filled).collect()
}

#[test]
fn any_two_of_three_sign_for_years() {
    let mut devices = Devices::<G>::create(2, 3, 41);
    let public_key = *devices.share(1).public_key();
    for signers in [&[1, 2][..], &[3, 1], &[1, 2, 3]] {
        sign(&mut devices, signers);
    }
    let lost = devices.plan(&[2, 3]).recover(id(1), holder(4, 4)).unwrap();
    devices.run(&lost, &[(4, 4)]);
    sign(&mut devices, &[4, 2]);
    let more = devices.plan(&[2, 4]).add_device(holder(5, 5)).unwrap().change_threshold(th(3)).unwrap();
    devices.run(&more, &[(5, 5)]);
    sign(&mut devices, &[5, 4, 3]);
    devices.run(&devices.plan(&[2, 3, 4]), &[]);
    sign(&mut devices, &[2, 3, 4, 5]);
    assert_eq!(*devices.share(2).public_key(), public_key);
    // who is no holder any more, or too few
    for signers in [&ids(&[2, 1])[..], &ids(&[2, 3]), &ids(&[2, 2, 3]), &ids(&[3, 4, 5])] {
        let refused = frost::sign(devices.share(2), signers, MESSAGE, Auth::Signed(key(2)), &mut rng(1)).err();
        assert_eq!(refused, Some(NotStarted::Frost(SignError::Signers)), "{signers:?}");
    }
}

#[test]
fn row_43_banked_nonces_are_claimed_once_and_die_with_their_epoch() {
    let mut devices = Devices::<G>::create(2, 3, 42);
    let mut banks = refill(&mut devices, &[1, 3], 3);
    let signers = ids(&[1, 3]);
    let started = |devices: &mut Devices<G>, banks: &mut Banks, me: PartyId, name| {
        let mut rng = devices.rng(me);
        let device = devices.at(me);
        let item = store::take_item(&mut device.ledger, banks.get_mut(&me).unwrap(), &name)?;
        let share = device.share.as_ref().unwrap();
        let auth = Auth::Signed(key(device.key));
        Ok(frost::sign_banked(share, item, MESSAGE, auth, &mut rng).unwrap())
    };
    // the first to start picks an item, the other takes what its frame names
    let name = banks[&id(1)].items().next().unwrap().id();
    let one = started(&mut devices, &mut banks, id(1), name).map_err(drop::<TakeError<_>>).unwrap();
    let named = frost::item_of(&one.1[0].bytes).unwrap();
    assert_eq!(named, name);
    let other = started(&mut devices, &mut banks, id(3), named).map_err(drop::<TakeError<_>>).unwrap();
    let ends = Crowd::<FrostOnline<G>>::new([(id(1), one), (id(3), other)]).outputs();
    check(ends.into_values().map(|(signature, _)| signature), devices.share(1), MESSAGE);
    // gone from the bank; and claimed, should a clone still have it
    let again = started(&mut devices, &mut banks, id(1), name).err();
    assert!(matches!(again, Some(TakeError::Gone)));
    let second = banks[&id(1)].items().next().unwrap();
    let (id_of_second, token) = (second.id(), second.tokens());
    assert_eq!(token.len(), 1);
    assert_eq!(devices.at(id(1)).ledger.claim(&token[0]).unwrap(), Claimed::Fresh);
    assert!(matches!(started(&mut devices, &mut banks, id(1), id_of_second).err(), Some(TakeError::Gone)));

    // a refresh makes the rest stale: in the bank that is told, and in one that is not
    let plan = devices.plan(&[1, 2]);
    let outcome = devices.run(&plan, &[]).1;
    let forgotten = banks[&id(3)].items().next().unwrap().id();
    assert!(matches!(started(&mut devices, &mut banks, id(3), forgotten).err(), Some(TakeError::Stale)));
    let mut told = banks.remove(&id(1)).unwrap();
    assert_eq!(told.items().count(), 1);
    store::advance(&mut devices.at(id(1)).ledger, &mut told, id(1), &plan, &outcome).unwrap();
    assert_eq!(told.items().count(), 0);
    // nor does a session take one of another epoch
    let item = banks.get_mut(&id(3)).unwrap().drain().pop().unwrap();
    let refused = frost::sign_banked(devices.share(3), item, MESSAGE, Auth::Signed(key(3)), &mut rng(1)).err();
    assert_eq!(refused, Some(NotStarted::Frost(SignError::OtherItem)));
    assert_eq!(signers.len(), 2);
}

#[test]
fn two_callers_who_differ_end_without_a_name() {
    let mut devices = Devices::<G>::create(2, 3, 43);
    let (both, one_more) = (ids(&[1, 2]), ids(&[1, 2, 3]));
    let start = |devices: &mut Devices<G>, me: u16, signers: &[PartyId], message: &[u8]| {
        let mut rng = devices.rng(id(me));
        (id(me), frost::sign(devices.share(me), signers, message, Auth::Signed(key(me)), &mut rng).unwrap())
    };
    let starts = [start(&mut devices, 1, &both, MESSAGE), start(&mut devices, 2, &both, b"pay 2")];
    for (me, end) in Crowd::<FrostSign<G>>::new(starts).run().ends {
        let error = end.failed();
        assert_eq!((error.fault(), error.culprit()), (Some(Fault::Mismatch(Agreed::Sid)), None), "{me}");
    }
    // two lists of signers are two labels
    let starts = [start(&mut devices, 1, &both, MESSAGE), start(&mut devices, 2, &one_more, MESSAGE)];
    let crowd = Crowd::<FrostSign<G>>::new(starts).run();
    assert!(crowd.ends.into_values().all(|end| matches!(end, End::Waiting)));
    assert!(!crowd.rejected.is_empty() && crowd.rejected.iter().all(|(.., why)| *why == Rejected::Label));
}

#[test]
fn a_key_signs_by_its_own_scheme_only() {
    let devices = Devices::<symbolon::Secp256k1>::create(2, 3, 44);
    let refused = frost::sign(devices.share(1), &ids(&[1, 2]), MESSAGE, Auth::Signed(key(1)), &mut rng(1)).err();
    assert_eq!(refused, Some(NotStarted::Frost(SignError::Scheme)));
    let mut frosted = Vec::new();
    for me in 1..=2 {
        let members = [holder(1, 1), holder(2, 2)];
        let (what, label) = ((th(2), Scheme::Frost), Label::new("k").unwrap());
        let auth = Auth::Signed(key(me));
        let made = committee::create::<symbolon::Secp256k1>(id(me), members, what, label, auth, &mut rng(me.into()));
        frosted.push((id(me), made.unwrap()));
    }
    let mut shares = Crowd::new(frosted).outputs();
    let share = shares.remove(&id(1)).unwrap().0;
    let mut setups = committee::Setups::new();
    let auth = Auth::Signed(key(1));
    let refused = committee::sign(&share, &ids(&[1, 2]), &mut setups, payload(), path(), auth, &mut rng(1)).err();
    assert!(matches!(refused, Some(NotStarted::Sign(_) | NotStarted::NoSetup(_))), "{refused:?}");
    let peer = committee::sign_stateless(&share, id(2), payload(), path(), Auth::Signed(key(1)), &mut rng(1)).err();
    assert!(matches!(peer, Some(NotStarted::Sign(_))), "{peer:?}");
}

#[test]
fn an_imported_seed_keeps_its_account_and_leaves_as_a_scalar() {
    let seed = [9; 32];
    let wallet = SigningKey::from_bytes(&seed);
    let scalar = frost::scalar_from_seed(&SecretBytes::new(seed));
    let public_key = scalar.public();
    assert_eq!(PublicKey::<G>::new(&public_key).unwrap().to_bytes(), wallet.verifying_key().to_bytes());

    let new = vec![holder(1, 1), holder(2, 2), holder(3, 3)];
    let plan = Import { dealer: holder(9, 9), new, threshold: th(2), scheme: Scheme::Frost, public_key };
    let mut starts = Vec::new();
    for me in [1, 2, 3, 9] {
        let whole = (me == 9).then(|| (frost::scalar_from_seed(&SecretBytes::new(seed)), [0; 32]));
        let auth = Auth::Signed(key(me));
        starts.push((id(me), committee::import(id(me), whole, plan.clone(), auth, &mut rng(me.into())).unwrap()));
    }
    let imported = Crowd::new(starts).outputs();
    let mut starts = Vec::new();
    for me in [1, 2, 3] {
        let mine: &Imported<G> = &imported[&id(me)].0;
        let refresh = committee::first_refresh(mine, &ids(&[1, 3]), 1, Auth::Signed(key(me)), &mut rng(me.into()));
        starts.push((id(me), refresh.unwrap()));
    }
    let mut devices = Devices::<G> { devices: BTreeMap::new(), seed: 45 };
    for (me, (reshared, _)) in Crowd::<Reshare<G, Refreshes>>::new(starts).outputs() {
        let mut device = Device::new(me.get());
        device.share = reshared.share;
        assert!(reshared.health.marks.imported);
        let plan = Plan::of(device.share(), &ids(&[1, 3]), 1, Factors::Gone);
        store::advance(&mut device.ledger, &mut device.bank, me, &plan, &reshared.health).unwrap();
        devices.devices.insert(me, device);
    }
    sign(&mut devices, &[3, 2]);
    assert_eq!(*devices.share(2).public_key(), public_key);

    // the exit, from two opened shares
    let opened = [again(devices.share(1)), again(devices.share(3))];
    assert!(matches!(committee::exit(&opened, &Consent::new([])), Err(ExitError::Consent)));
    let key_id = opened[0].key_id();
    let exit = committee::exit(&opened, &Consent::new([Change::Exits(key_id)])).unwrap();
    let signature = frost::sign_with_scalar(exit.secret(), MESSAGE, &mut SysRng).unwrap();
    let bytes: [u8; 64] = signature.to_bytes().try_into().unwrap();
    wallet.verifying_key().verify_strict(MESSAGE, &bytes.into()).unwrap();
    assert_ne!(bytes, wallet.sign(MESSAGE).to_bytes(), "another nonce: the prefix of the seed is not in the scalar");
    assert_eq!(exit.secret().to_bytes().expose(), scalar.to_bytes().expose());
}

#[test]
fn two_parties_over_a_channel() {
    let (a, b) = MemoryChannel::pair(Duration::from_secs(10));
    let party = |mut peer: MemoryChannel, role: Role| {
        let (mut session, frames) =
            frost::create_wallet(role, Label::new("w").unwrap(), Auth::Channel, &mut SysRng).unwrap();
        let share = drive(&mut session, frames, role, &mut peer);
        let signers = [PartyId::SERVER, PartyId::CLIENT];
        let (mut session, frames) = frost::sign(&share, &signers, MESSAGE, Auth::Channel, &mut SysRng).unwrap();
        let signature = drive(&mut session, frames, role, &mut peer);
        (share, signature)
    };
    let server = thread::spawn(move || party(b, Role::Server));
    let (share, one) = party(a, Role::Client);
    let (_, other) = server.join().unwrap();
    check([one, other], &share, MESSAGE);
}

/// A session over a channel to its result; a real one writes what is pending first.
fn drive<P: symbolon::Protocol>(
    session: &mut symbolon::Session<P>,
    frames: Vec<symbolon::Outgoing>,
    role: Role,
    peer: &mut MemoryChannel,
) -> P::Output {
    use symbolon::{Channel, Step};
    let mut step = Step::Continue(frames);
    loop {
        step = match step {
            Step::Continue(frames) => {
                frames.iter().for_each(|frame| peer.send(&frame.bytes).unwrap());
                match session.handle(role.peer().id(), &peer.receive().unwrap()) {
                    Ok(step) => step,
                    // of the run before, which the other side ended later
                    Err(Error::Rejected(_)) => Step::Continue(Vec::new()),
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Prepared(pending, _) => session.stored(pending.seal(&storage(), &mut SysRng).unwrap().stored()),
            Step::Done(output, _, frames) => {
                // the other side may be gone already
                let _ = frames.iter().try_for_each(|frame| peer.send(&frame.bytes));
                return output;
            }
        };
    }
}

#[test]
fn ledgers_of_two_devices_are_two() {
    // what one device has claimed another one can claim: nonces are its own
    let mut devices = Devices::<G>::create(2, 2, 46);
    let banks = refill(&mut devices, &[1, 2], 1);
    let tokens: Vec<_> = banks.values().flat_map(|bank| bank.items().flat_map(Banked::tokens)).collect();
    assert_ne!(tokens[0], tokens[1]);
    let mut ledger = MemoryLedger::default();
    for token in tokens {
        assert_eq!(ledger.claim(&token).unwrap(), Claimed::Fresh);
        assert_eq!(ledger.claim(&token).unwrap(), Claimed::Again);
    }
}
