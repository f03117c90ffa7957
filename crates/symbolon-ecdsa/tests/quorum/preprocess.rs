//! Lies in rounds 1 and 2 and in the echo, in a run from scratch and in one for the bank.

use crate::liars::*;
use symbolon_core::wire::DecodeError;
use symbolon_mta::{extension_len, multiplication_len};
use symbolon_session::{Agreed, Fault, Header};

const ALL: [u16; 3] = [1, 2, 3];

/// The ends of 1 and 3 when 2 lies, from scratch and for the bank.
fn both(lie: impl Fn() -> Change) -> [(bool, Ends); 2] {
    [(false, sign(Mode::Full, &ALL, liar(2, lie()))), (true, prepare(&ALL, liar(2, lie())))]
}

fn fails(me: u16, fault: Fault) -> End {
    failed(Mode::Full, me, &ALL, fault, Some(2))
}

fn fails_unnamed(me: u16, fault: Fault) -> End {
    failed(Mode::Full, me, &ALL, fault, None)
}

fn waits(me: u16) -> End {
    waiting(Mode::Full, me, &ALL)
}

fn flip(offset: usize) -> impl Fn(&mut Vec<u8>) {
    move |body| body[offset] ^= 1
}

#[test]
fn without_a_lie_everybody_has_a_result() {
    for mode in MODES {
        assert_signed(&sign(mode, &ALL, liar(2, no_lie())));
    }
    let ends = prepare(&ALL, liar(2, no_lie()));
    assert!(ends.values().all(|end| *end == End::Items(2)));
}

// attacks.md row 94: the liar names another setup to one peer
#[test]
fn row_94_another_setup_id_is_a_mismatch() {
    for offset in [0, 15] {
        for (_, ends) in both(|| at(Slot::Extend(1), flip(offset))) {
            assert_eq!(ends[&1], fails_unnamed(1, Fault::Mismatch(Agreed::Setup)));
            assert_eq!(ends[&3], waits(3), "it has heard no lie");
        }
    }
}

// attacks.md rows 9, 23: every part of the extension message, to one peer and to both
#[test]
fn row_09_a_changed_extension_burns_the_setup_with_its_sender() {
    for (banked, count) in [(false, 1), (true, 2)] {
        let len = extension_len(count);
        for offset in [0, 15, 16, 1000, len - 49, len - 48, len - 33, len - 32, len - 1] {
            let lie = || at(Slot::Extend(3), flip(16 + offset));
            let ends = if banked { prepare(&ALL, liar(2, lie())) } else { sign(Mode::Full, &ALL, liar(2, lie())) };
            assert_eq!(ends[&3], fails(3, Fault::Extension), "{offset}");
            assert_eq!(ends[&1], waits(1));
        }
    }
    let twice = || -> Change {
        Box::new(|slot, telling| {
            if matches!(slot, Slot::Extend(_)) {
                telling.body[20] ^= 1;
            }
        })
    };
    for (_, ends) in both(twice) {
        assert_eq!(ends[&1], fails(1, Fault::Extension));
        assert_eq!(ends[&3], fails(3, Fault::Extension));
    }
}

// attacks.md row 84: of two liars one is checked; the guess of the other one is not answered
#[test]
fn row_84_of_two_wrong_extensions_one_is_checked() {
    let lie = |id| Liar { id, lie: at(Slot::Extend(2), flip(20)), ear: no_ear(), second: None };
    let ends = sign(Mode::Full, &ALL, vec![lie(1), lie(3)]);
    let end = failed(Mode::Full, 2, &ALL, Fault::Extension, Some(1));
    assert_eq!(ends[&2], end, "the setup with 3 comes back");
}

// attacks.md row 20: an extension message of the other direction, and one for another peer
#[test]
fn row_20_extensions_of_another_direction_or_pair_are_refused() {
    let sent = overheard(Mode::Full, &ALL);
    // 1's own message to 2, reflected; 2's message to 3, given to 1. The setup id in front is the right one
    for other in [&bodies(&sent, 1)[&(1, 2)], &bodies(&sent, 2)[&(1, 3)]] {
        let other = other[16..].to_vec();
        let lie = at(Slot::Extend(1), move |body| body[16..].copy_from_slice(&other));
        let ends = sign(Mode::Full, &ALL, liar(2, lie));
        assert_eq!(ends[&1], fails(1, Fault::Extension));
        assert_eq!(ends[&3], waits(3));
    }
    // the same of the multiplication
    for other in [&bodies(&sent, 1)[&(2, 2)], &bodies(&sent, 2)[&(2, 3)]] {
        let other = other.clone();
        let lie = at(Slot::Multiply(1), move |body| body.copy_from_slice(&other));
        let ends = sign(Mode::Full, &ALL, liar(2, lie));
        assert_eq!(ends[&1], fails(1, Fault::Multiplication));
    }
}

// attacks.md row 19: the echo names nobody, and is compared before anything else of its round: a guess that rides with a
// wrong echo is not answered, and no partial leaves
#[test]
fn row_19_a_wrong_echo_ends_the_run_before_anything_else() {
    for other in [None, Some(Slot::Give(1)), Some(Slot::Open)] {
        let lie = || -> Change {
            Box::new(move |slot, telling| {
                if slot == Slot::Echo {
                    telling.body[31] ^= 1;
                } else if Some(slot) == other {
                    telling.body.fill(0xff);
                }
            })
        };
        for (_, ends) in both(lie) {
            for me in [1, 3] {
                assert_eq!(ends[&me], fails_unnamed(me, Fault::View));
            }
        }
        let sent = full_crowd(&ALL, liar(2, lie())).run().sent;
        assert!(sent.iter().all(|(from, frame)| from.get() == 2 || Header::parse(&frame.bytes).unwrap().round < 4));
    }
    // of the highest signer, beside what 2 alone would be named for
    let spoilt = |id, slot| Liar { id, lie: at(slot, |body| body.fill(0xff)), ear: no_ear(), second: None };
    let ends = sign(Mode::Full, &ALL, vec![spoilt(2, Slot::Open), spoilt(3, Slot::Echo)]);
    assert_eq!(ends[&1], fails_unnamed(1, Fault::View));
    // a wrong one for 3 alone
    for banked in [false, true] {
        let lie = at(Slot::Echo, |body| body[0] ^= 1);
        let two_faces = vec![Liar { id: 2, lie: no_lie(), ear: no_ear(), second: Some((lie, vec![3])) }];
        let ends = if banked { prepare(&ALL, two_faces) } else { sign(Mode::Full, &ALL, two_faces) };
        assert_eq!(ends[&3], fails_unnamed(3, Fault::View));
        assert_eq!(ends[&1], if banked { End::Items(2) } else { waits(1) });
    }
}

// attacks.md rows 14, 17: every part of the multiplication, of each item of the batch
#[test]
fn row_14_a_changed_multiplication_burns_the_setup_with_its_sender() {
    let len = multiplication_len(2);
    for (banked, count) in [(false, 1), (true, 2)] {
        for item in 0..count {
            // low bytes, so that all scalars stay in range: first and last row, each column, eta, mu
            for offset in [31, 63, 95, len - 64 - 1, len - 32 - 1, len - 32, len - 1] {
                let lie = || at(Slot::Multiply(3), flip(item * len + offset));
                let ends = if banked { prepare(&ALL, liar(2, lie())) } else { sign(Mode::Full, &ALL, liar(2, lie())) };
                assert_eq!(ends[&3], fails(3, Fault::Multiplication), "{offset} of {item}");
                assert_eq!(ends[&1], waits(1), "no item without the echo of 3");
            }
        }
    }
}

// attacks.md row 26
#[test]
fn row_26_scalars_out_of_range_abort_without_a_burn() {
    let len = multiplication_len(2);
    for bad in bad_scalars() {
        for offset in [0, 32, len - 64 - 32, len - 64] {
            let lie = || at(Slot::Multiply(1), move |body| body[offset..offset + 32].copy_from_slice(&bad));
            for (_, ends) in both(lie) {
                assert_eq!(ends[&1], fails(1, Fault::Encoding(DecodeError::ScalarRange)));
            }
        }
    }
}

// attacks.md rows 25, 79: every body has one length. Longer than any body of its round: refused, and the run waits
#[test]
fn row_25_every_body_has_one_length() {
    let short = |body: &mut Vec<u8>| body.truncate(body.len() - 1);
    let long = |body: &mut Vec<u8>| body.push(0);
    let empty = |body: &mut Vec<u8>| body.clear();
    let changes: [fn(&mut Vec<u8>); 3] = [short, empty, long];
    let slots = [Slot::Extend(1), Slot::Commit, Slot::Multiply(1), Slot::Open, Slot::Give(1), Slot::Release];
    for slot in slots {
        let largest = !matches!(slot, Slot::Commit | Slot::Open);
        for (n, change) in changes.into_iter().enumerate() {
            let error = if n == 2 { DecodeError::Trailing } else { DecodeError::Truncated };
            let expected = |mode, me: u16, told: bool| match largest && n == 2 {
                true => waiting(mode, me, &ALL),
                false if told => failed(mode, me, &ALL, Fault::Encoding(error), Some(2)),
                false => waiting(mode, me, &ALL),
            };
            let told = !matches!(slot, Slot::Extend(_) | Slot::Multiply(_) | Slot::Give(_));
            let first = matches!(slot, Slot::Commit | Slot::Extend(_) | Slot::Multiply(_));
            for mode in MODES.into_iter().filter(|mode| *mode == Mode::Full || !first) {
                let ends = sign(mode, &ALL, liar(2, at(slot, change)));
                assert_eq!(ends[&1], expected(mode, 1, true), "{slot:?} {n} {mode:?}");
                // a body that is refused for its size is one that the others still have
                let end = if largest && n == 2 && !told { waiting(mode, 3, &ALL) } else { expected(mode, 3, told) };
                assert_eq!(ends[&3], end, "{slot:?} {n} {mode:?}");
            }
            if first {
                let ends = prepare(&ALL, liar(2, at(slot, change)));
                assert_eq!(ends[&1], expected(Mode::Full, 1, true), "{slot:?} {n}");
                assert_eq!(ends[&3], expected(Mode::Full, 3, told));
            }
        }
    }
    // the echo, which in a run for the bank is all of the body
    let errors = [Some(DecodeError::Truncated), Some(DecodeError::Truncated), None];
    for (change, error) in changes.into_iter().zip(errors) {
        let ends = prepare(&ALL, liar(2, at(Slot::Echo, change)));
        for me in [1, 3] {
            assert_eq!(ends[&me], error.map_or(waits(me), |error| fails(me, Fault::Encoding(error))));
        }
    }
}
