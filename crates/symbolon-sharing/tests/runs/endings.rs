//! All or nothing: crashes, split confirmations, suspended sessions (safety.md S2, S8).

use crate::dkg;
use crate::net::*;
use crate::reshare::*;
use std::collections::BTreeMap;
use symbolon_core::{PartyId, Secp256k1};
use symbolon_session::*;
use symbolon_sharing::*;

type G = Secp256k1;
type Run = Reshare<G, HandOver>;

/// 2 of 3 to 2 of 4; dealer 3 leaves and a party with its own id comes in place of nobody: 1, 2, 4, 5 are the new holders.
const NEW: [(u16, u16); 4] = [(1, 1), (2, 2), (4, 4), (5, 5)];

fn begin(old: &Shares<G>) -> Net<Reshared<G>> {
    let plan = plan_to(old, &ids(&[1, 3]), &NEW, 2);
    Net::of(ready_all(&plan, old).into_iter().map(|ready| started(ready, 40)))
}

/// Brings back what is durable of a crashed party, and lets everybody send again.
fn recover<P: Protocol + 'static>(net: &mut Net<P::Output>, crashed: PartyId)
where
    P::Output: Storable + 'static,
{
    if let Some(sealed) = net.sealed.get(&crashed) {
        let (session, step) =
            Session::<P>::resume_ending(sealed, &storage(), signed(crashed.get())).expect("it was sealed well");
        net.parties.insert(crashed, Box::new(session));
        match step {
            Step::Continue(frames) => net.post(crashed, frames),
            Step::Done(output, _, frames) => {
                net.outputs.insert(crashed, output);
                net.post(crashed, frames);
            }
            Step::Prepared(..) => panic!("it is past that"),
        }
    }
    meet(net);
}

/// Everybody shows everybody what it has: own frames and confirmations of others.
fn meet<O>(net: &mut Net<O>) {
    for _ in 0..2 {
        let all: Vec<_> = net.parties.iter().map(|(id, p)| (*id, p.resend(), p.confirmations())).collect();
        for (me, frames, confirmations) in all {
            net.post(me, frames);
            for frame in confirmations {
                let from = Header::parse(&frame).unwrap().sender;
                let others: Vec<_> = net.parties.keys().copied().filter(|to| *to != from && *to != me).collect();
                net.queue.extend(others.into_iter().map(|to| (from, to, frame.clone())));
            }
        }
        net.run();
    }
}

/// The old epoch is whole at everybody, or the new one at everybody; never neither, and nobody is blamed.
fn old_or_new(net: Net<Reshared<G>>, old: &Shares<G>, at: &str) -> bool {
    assert!(net.failures.is_empty(), "{at}: {:?}", net.failures);
    // an old share is only retired by who is done
    let new: Shares<G> = net.outputs.into_iter().filter_map(|(id, out)| Some((id, out.share?))).collect();
    if new.is_empty() {
        dkg::check_sharing(old);
        return false;
    }
    assert_eq!(new.len(), NEW.len(), "{at}: if one holder is done, all can be");
    dkg::check_sharing(&new);
    assert!(new[&id(1)].public_key() == old[&id(1)].public_key());
    true
}

// attacks.md rows 63, 86: a crash of every party before every message, before and after its store
#[test]
fn rows_63_86_a_crash_at_every_message_leaves_old_or_new() {
    let old = dkg::keygen::<G>(2, 3, 41);
    let mut length = 0;
    let mut honest = begin(&old);
    while honest.deliver() {
        length += 1;
    }
    let (mut went_new, mut stayed_old) = (0, 0);
    for crashed in [1, 2, 3, 4, 5].map(id) {
        for at in 0..=length {
            for stored_first in [false, true] {
                let mut net = begin(&old);
                net.hold = true;
                for _ in 0..at {
                    net.deliver();
                    // everybody else stores at once
                    let waiting: Vec<_> = net.waiting.keys().copied().filter(|p| *p != crashed).collect();
                    waiting.into_iter().for_each(|p| net.store(p));
                }
                if stored_first {
                    // durable, and the frames that `stored` releases are lost with the process
                    if let Some(sealed) = net.waiting.remove(&crashed) {
                        net.sealed.insert(crashed, sealed.as_bytes().to_vec());
                    }
                }
                net.waiting.remove(&crashed);
                net.parties.remove(&crashed);
                // what it had, it has no more, unless its end was durable
                net.outputs.remove(&crashed);
                net.hold = false;
                let others: Vec<_> = net.waiting.keys().copied().collect();
                others.into_iter().for_each(|p| net.store(p));
                net.run();
                recover::<Run>(&mut net, crashed);
                // a dealer that leaves is not needed once its frames are out
                if old_or_new(net, &old, &format!("{crashed} at {at}")) { went_new += 1 } else { stayed_old += 1 }
            }
        }
    }
    assert!(went_new > 50 && stayed_old > 50, "{went_new} and {stayed_old}: both ends are seen");
}

/// A change of one body of a liar: which, and how.
fn lie_in(slot: (u8, To), kind: usize) -> Lie {
    Box::new(move |round, to, _, body| {
        if (round, to) != slot {
            return;
        }
        let middle = body.len() / 2;
        match kind {
            0 => body.insert(0, 1),
            1 => drop(body.pop()),
            2 => body.fill(0),
            _ => {
                if let Some(byte) = body.get_mut(middle) {
                    *byte ^= 1;
                }
            }
        }
        if round == OUTCOME {
            body.resize(32, 9);
        }
    })
}

// attacks.md rows 63, 69: each member in turn lies in each of its messages, in four ways, and in what it confirms. All who
// tell the truth end with the old epoch or with the new one, and whoever is named is the liar
#[test]
fn rows_63_69_a_lie_in_every_message_leaves_old_or_new() {
    let old = dkg::keygen::<G>(2, 3, 41);
    let all = [1, 2, 3, 4, 5].map(id);
    let (mut went_new, mut stayed_old, mut named) = (0, 0, 0);
    for liar in all {
        let to_each = all.iter().filter(|to| **to != liar).map(|to| (2, To::One(*to)));
        let slots = to_each.chain([1, 2, 3, 4, OUTCOME].map(|round| (round, To::All)));
        for (slot, kind) in slots.flat_map(|slot| (0..4).map(move |kind| (slot, kind))) {
            let plan = plan_to(&old, &ids(&[1, 3]), &NEW, 2);
            let mut net = crate::lies::lying::<Run>(ready_all(&plan, &old), vec![(liar, lie_in(slot, kind))]);
            net.run();
            meet(&mut net);
            let at = format!("{liar} lies in {slot:?}, {kind}");
            for (who, failure) in net.failures.iter().filter(|(who, _)| **who != liar) {
                assert!(failure.culprit.is_none_or(|culprit| culprit == liar), "{at}: {who} sees {failure:?}");
                named += usize::from(failure.culprit.is_some());
            }
            let honest = NEW.iter().map(|new| id(new.0)).filter(|who| *who != liar);
            let done: Shares<G> = net.outputs.into_iter().filter_map(|(id, out)| Some((id, out.share?))).collect();
            if honest.clone().any(|who| done.contains_key(&who)) {
                assert!(honest.clone().all(|who| done.contains_key(&who)), "{at}: if one holder is done, all are");
                let first = &done[&honest.clone().next().unwrap()];
                assert!(honest.clone().all(|who| done[&who].sharing_id() == first.sharing_id()), "{at}");
                assert!(first.public_key() == old[&id(1)].public_key(), "{at}");
                let (a, b) = (&done[&honest.clone().next().unwrap()], &done[&honest.clone().next_back().unwrap()]);
                assert!(dkg::rebuilt(&[a, b]).public() == *first.public_key(), "{at}");
                went_new += 1;
            } else {
                dkg::check_sharing(&old);
                stayed_old += 1;
            }
        }
    }
    assert!(went_new > 10 && stayed_old > 50 && named > 50, "{went_new}, {stayed_old}, {named}: all ends are seen");
}

// attacks.md row 86: each lost frame, sent again
#[test]
fn row_86_every_lost_frame_can_be_sent_again() {
    let old = dkg::keygen::<G>(2, 3, 42);
    let mut honest = begin(&old);
    let mut length = 0;
    while honest.deliver() {
        length += 1;
    }
    for lost in 0..length {
        let mut net = begin(&old);
        (0..lost).for_each(|_| assert!(net.deliver()));
        net.queue.pop_front();
        net.run();
        meet(&mut net);
        meet(&mut net);
        assert!(old_or_new(net, &old, &format!("frame {lost}")), "the run ends well");
    }
}

// attacks.md rows 69, 87: party 5 confirms to party 1 alone
#[test]
fn row_87_a_split_confirmation_travels() {
    let old = dkg::keygen::<G>(2, 3, 43);
    let mut net = begin(&old);
    while let Some((from, to, frame)) = net.queue.pop_front() {
        let confirms = Header::parse(&frame).unwrap().round == 4;
        if !(confirms && from == id(5) && to != id(1)) {
            net.give(from, to, &frame);
        }
    }
    assert!(net.outputs.contains_key(&id(1)) && net.outputs.contains_key(&id(5)));
    for doubtful in [2, 3, 4].map(id) {
        assert!(!net.outputs.contains_key(&doubtful));
    }
    // the liar is gone for good; whoever meets party 1 finishes
    net.parties.remove(&id(5));
    let shown = net.parties[&id(1)].confirmations();
    for frame in shown {
        let from = Header::parse(&frame).unwrap().sender;
        for to in [2, 3, 4].map(id) {
            if from != to {
                net.give(from, to, &frame);
            }
        }
    }
    let own: Vec<_> = net.parties[&id(1)].resend().into_iter().map(|f| f.bytes).collect();
    for to in [2, 3, 4].map(id) {
        own.iter().for_each(|frame| net.give(id(1), to, frame));
    }
    assert_eq!(net.outputs.len(), 5, "{:?}", net.rejected);
    assert!(net.outputs[&id(3)].share.is_none(), "the dealer that leaves finishes too");
}

/// A dealer that leaves confirms nothing, and nobody waits for it.
#[test]
fn a_leaving_dealer_cannot_block_the_end() {
    let old = dkg::keygen::<G>(2, 3, 44);
    let mut net = begin(&old);
    net.hold = true;
    net.run();
    // dealer 3 vanishes after its echo
    net.parties.remove(&id(3));
    net.waiting.remove(&id(3));
    [1, 2, 4, 5].map(id).into_iter().for_each(|p| net.store(p));
    net.run();
    assert_eq!(net.outputs.len(), 4);
}

/// The whole run with every session suspended after every frame.
pub fn suspended<P>(
    parties: impl IntoIterator<Item = (PartyId, P::LongTerm, Session<P>, Vec<Outgoing>)>,
) -> BTreeMap<PartyId, P::Output>
where
    P: Suspend,
    P::Output: Storable,
{
    let mut ledger = MemoryLedger::default();
    let (mut blobs, mut secrets, mut outputs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut queue = std::collections::VecDeque::new();
    let mut rng = rng(45);
    let mut first = Vec::new();
    for (me, source, session, frames) in parties {
        blobs.insert(me, session.suspend(&storage(), &mut rng).unwrap());
        secrets.insert(me, source);
        first.push((me, frames));
    }
    let all: Vec<PartyId> = blobs.keys().copied().collect();
    let post = |queue: &mut std::collections::VecDeque<Mail>, me: PartyId, frames: Vec<Outgoing>| {
        for frame in frames {
            let to = match frame.to {
                To::One(to) => vec![to],
                To::All => all.iter().copied().filter(|id| *id != me).collect(),
            };
            queue.extend(to.into_iter().map(|to| (me, to, frame.bytes.clone())));
        }
    };
    first.into_iter().for_each(|(me, frames)| post(&mut queue, me, frames));
    while let Some((from, to, frame)) = queue.pop_front() {
        let Some(blob) = blobs.remove(&to) else { continue };
        let (key, auth) = (storage(), signed(to.get()));
        let mut session = Session::<P>::resume(&blob, &key, &secrets[&to], auth, &mut ledger).unwrap();
        assert!(Session::<P>::resume(&blob, &key, &secrets[&to], signed(to.get()), &mut ledger).is_err(), "once");
        let mut step = session.handle(from, &frame).unwrap();
        loop {
            match step {
                Step::Continue(frames) => {
                    post(&mut queue, to, frames);
                    blobs.insert(to, session.suspend(&storage(), &mut rng).unwrap());
                    break;
                }
                Step::Prepared(pending, _) => {
                    step = session.stored(pending.seal(&storage(), &mut rng).unwrap().stored());
                }
                Step::Done(output, _, frames) => {
                    post(&mut queue, to, frames);
                    outputs.insert(to, output);
                    break;
                }
            }
        }
    }
    outputs
}

#[test]
fn every_run_can_be_suspended_after_every_frame() {
    let keygen = (1..=3).map(|me| {
        let (me, (session, frames)) = dkg::start::<G>(me, 2, 3, 46);
        (me, (), session, frames)
    });
    let shares = suspended::<Dkg<G>>(keygen);
    dkg::check_sharing(&shares);
    let plan = plan_to(&shares, &ids(&[1, 3]), &NEW, 3);
    // `started` keeps the secrets: they are made twice
    let sources = ready_all(&plan, &shares).into_iter().map(|ready| ready.1);
    let sessions = ready_all(&plan, &shares).into_iter().map(|ready| started(ready, 47));
    let members = sources.zip(sessions).map(|(source, (me, (session, frames)))| (me, source, session, frames));
    let outputs = suspended::<Run>(members);
    assert_eq!(outputs.len(), 5);
    dkg::check_sharing(&new_shares(outputs));
}

// 3 confirms to 1 and tells 2 that it closed the run: 1 is done, 2 is not, and each keeps what the other may need
#[test]
fn row_69_an_old_share_is_kept_until_the_others_have_finished() {
    let mut old = dkg::keygen::<G>(2, 3, 71);
    let ready: Vec<_> = old.values().map(|s| refresh(s, &ids(&[1, 2]), 1, Factors::Gone).unwrap()).collect();
    let mut net = Net::of(ready.into_iter().map(|ready| started(ready, 72)));
    while let Some((from, to, frame)) = net.queue.pop_front() {
        let confirms = Header::parse(&frame).unwrap().round == 4;
        if !(confirms && from == id(3) && to == id(2)) {
            net.give(from, to, &frame);
        }
    }
    assert!(net.outputs.contains_key(&id(1)) && !net.outputs.contains_key(&id(2)), "1 is done and 2 is in doubt");

    let out = net.outputs.get_mut(&id(1)).unwrap();
    let new = out.share.take().unwrap();
    let mine = old.remove(&id(1)).unwrap();
    let (key_id, backups) = (mine.key_id(), Resealed::with(&new));
    let consent = Consent::new([Change::Retires(key_id, 0)]);
    let mut health = out.health.clone();
    let (mine, error) = retire(mine, &mut health, &backups, &consent).err().unwrap();
    assert_eq!(error, RetireError::Unfinished);
    // 3 says that it is done; 2 is still missing, also after the state was stored
    health.note_finished(id(3));
    let bytes = health.to_secret_bytes();
    let mut health = KeyHealth::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap();
    assert_eq!(*health.to_secret_bytes(), *bytes);
    assert_eq!(health.unfinished().collect::<Vec<_>>(), ids(&[1, 2]));
    let (mine, error) = retire(mine, &mut health, &backups, &consent).err().unwrap();
    assert_eq!(error, RetireError::Unfinished);
    assert!(health.old_shares.len() == 3 && mine.epoch() == 0);
    // nobody waits for it any longer only by name
    let gives_up = |epoch| Consent::new([Change::GivesUp(key_id, epoch, id(2))]);
    assert_eq!(health.give_up(id(2), &gives_up(0)), Err(HealthError::Consent));
    let mut without = health.clone();
    without.give_up(id(2), &gives_up(1)).unwrap();
    assert_eq!(without.unfinished().collect::<Vec<_>>(), ids(&[1]));
    assert_eq!(without.confirmed().collect::<Vec<_>>(), ids(&[1, 3]));
    // or when it has met the others
    meet(&mut net);
    let theirs = &net.outputs[&id(2)];
    let word = theirs.health.confirmation(theirs.share.as_ref().unwrap(), &key(2)).unwrap();
    without.note_confirmed(id(2), &word).unwrap();
    assert!(without.given_up().next().is_none(), "it came back");
    health.note_finished(id(2));
    assert!(retire(mine, &mut health, &backups, &consent).is_ok());
    assert!(!health.old_shares.contains(&id(1)));
}

#[test]
fn nothing_is_moved_in_and_nothing_comes_back() {
    let (_, (dkg, _)) = dkg::start::<G>(1, 2, 3, 60);
    assert!(dkg.cancel().is_none());
    let shares = dkg::keygen::<G>(2, 3, 61);
    let (_, (reshare, _)) = started(refresh(&shares[&id(1)], &ids(&[1, 2]), 1, Factors::Gone).unwrap(), 62);
    assert!(reshare.cancel().is_none());
}
