//! Lies in rounds 3 and 4, from scratch and from the bank.

use crate::liars::*;
use crate::world::*;
use symbolon_core::{Group, Secp256k1, wire::DecodeError};
use symbolon_session::{Fault, Response};

const ALL: [u16; 3] = [1, 2, 3];

// the broadcast of round 3
const R: usize = 0;
const OPENING: usize = 33;
const PK: usize = 65;
// its private frames
const GAMMA_K: usize = 0;
const GAMMA_X: usize = 32;
const PSI: usize = 64;
const BIG_GAMMA_K: usize = 96;
const BIG_GAMMA_X: usize = 129;
// round 4
const U: usize = 0;
const W: usize = 32;
const VIEW: usize = 64;

fn one() -> Scalar {
    Scalar::from(1u64)
}

/// Both honest signers end alike.
fn both(mode: Mode, lie: Change, fault: Fault, culprit: Option<u16>) {
    let ends = sign(mode, &ALL, liar(2, lie));
    for me in [1, 3] {
        assert_eq!(ends[&me], failed(mode, me, &ALL, fault, culprit), "{mode:?}");
    }
}

/// 1 ends with a burn of the setup with 2; 3 has heard no lie, and waits for 1.
fn exponent_at_1(mode: Mode, lie: Change) {
    let ends = sign(mode, &ALL, liar(2, lie));
    assert_eq!(ends[&1], failed(mode, 1, &ALL, Fault::Exponent, Some(2)), "{mode:?}");
    assert_eq!(ends[&3], waiting(mode, 3, &ALL), "{mode:?}");
}

// attacks.md row 18: another k or sk in one multiplication than behind R_i and pk_i
#[test]
fn row_18_another_input_in_one_multiplication_burns_the_setup_with_the_liar() {
    for mode in MODES {
        for offset in [GAMMA_K, GAMMA_X] {
            exponent_at_1(mode, at(Slot::Give(1), move |body| add_scalar(body, offset, one())));
        }
        for offset in [BIG_GAMMA_K, BIG_GAMMA_X] {
            exponent_at_1(mode, at(Slot::Give(1), move |body| add_point(body, offset, &Secp256k1::generator())));
        }
        // no point at all where a point is compared
        for bad in bad_points() {
            exponent_at_1(mode, at(Slot::Give(1), move |body| body[96..129].copy_from_slice(&bad)));
        }
    }
    assert_eq!(Fault::Exponent.response(), Response::NewSetup);
}

// another input with the Gamma that fits a guessed beta; errors in both equations that would cancel under a weight
#[test]
fn row_18_matching_wrong_gamma_for_a_guessed_beta() {
    for mode in MODES {
        for guess in [0u64, 1, 2, 77] {
            for (small, big) in [(GAMMA_K, BIG_GAMMA_K), (GAMMA_X, BIG_GAMMA_X)] {
                // beta*R - (r + (gamma + 1)*beta)*G is Gamma - beta*G
                let shift = -Secp256k1::mul_base(&Scalar::from(guess));
                exponent_at_1(
                    mode,
                    at(Slot::Give(1), move |body| {
                        add_scalar(body, small, one());
                        add_point(body, big, &shift);
                    }),
                );
            }
        }
        for weight in [1u64, 2, 7] {
            let lie = at(Slot::Give(1), move |body| {
                let d = Secp256k1::mul_base(&Scalar::from(12345u64));
                add_point(body, BIG_GAMMA_K, &d);
                add_point(body, BIG_GAMMA_X, &-Secp256k1::mul(&d, &Secp256k1::invert(&Scalar::from(weight))));
            });
            exponent_at_1(mode, lie);
        }
    }
}

// gamma_k of one peer to another, gamma_k and gamma_x exchanged
#[test]
fn row_18_exchanged_values_fail_in_the_exponent() {
    for mode in MODES {
        let exchanged = at(Slot::Give(1), |body| {
            let gamma_k: [u8; 32] = body[..32].try_into().unwrap();
            body.copy_within(32..64, 0);
            body[32..64].copy_from_slice(&gamma_k);
        });
        exponent_at_1(mode, exchanged);
        let to_3 = bodies(&overheard(mode, &ALL), 2)[&(3, 3)].clone();
        exponent_at_1(mode, at(Slot::Give(1), move |body| body.clone_from(&to_3)));
        // row 20: what 1 has said to 2, said to 1
        let reflected = bodies(&overheard(mode, &ALL), 1)[&(3, 2)].clone();
        exponent_at_1(mode, at(Slot::Give(1), move |body| body.clone_from(&reflected)));
    }
}

#[test]
fn a_shifted_pk_fails_in_the_exponent_at_everybody() {
    for mode in MODES {
        let lie = at(Slot::Open, |body| add_point(body, PK, &Secp256k1::generator()));
        both(mode, lie, Fault::Exponent, Some(2));
    }
}

/// Shifts the own public share by `d*G`, and the own input in all multiplications with it.
fn shifted_share(d: Scalar) -> Change {
    Box::new(move |slot, telling| match slot {
        Slot::Open => add_point(telling.body, PK, &Secp256k1::mul_base(&d)),
        Slot::Give(_) => add_scalar(telling.body, GAMMA_X, d),
        _ => (),
    })
}

// attacks.md row 18: another share everywhere, which all multiplications agree with. The sum tells nobody whose it is
#[test]
fn row_18_another_share_everywhere_fails_in_the_sum_of_public_keys() {
    for mode in MODES {
        both(mode, shifted_share(one()), Fault::PublicKeySum, None);
        // two liars whose shifts do not cancel
        let two = vec![
            Liar { id: 1, lie: shifted_share(one()), ear: no_ear(), second: None },
            Liar { id: 2, lie: shifted_share(one()), ear: no_ear(), second: None },
        ];
        assert_eq!(sign(mode, &ALL, two)[&3], failed(mode, 3, &ALL, Fault::PublicKeySum, None));
    }
}

// attacks.md row 50
#[test]
fn row_50_another_r_than_committed() {
    for mode in MODES {
        let sent = overheard(mode, &ALL);
        both(mode, at(Slot::Open, |body| add_point(body, R, &Secp256k1::generator())), Fault::Opening, Some(2));
        both(mode, at(Slot::Open, |body| body[OPENING] ^= 1), Fault::Opening, Some(2));
        both(mode, at(Slot::Open, |body| body[OPENING + 31] ^= 1), Fault::Opening, Some(2));
        // chosen after everybody's is open: the sum of all would be G
        let others: Vec<_> = [1, 3].map(|id| bodies(&sent, id)[&(3, 0)].clone()).into();
        let rushing = move |body: &mut Vec<u8>| {
            let sum = |sum, other: &Vec<u8>| sum - Secp256k1::point_from_bytes(&other[..33]).unwrap();
            let big_r = others.iter().fold(Secp256k1::generator(), sum);
            body[..33].copy_from_slice(Secp256k1::point_to_bytes(&big_r).as_ref());
        };
        both(mode, at(Slot::Open, rushing), Fault::Opening, Some(2));
        // another's R and opening
        let copied = bodies(&sent, 1)[&(3, 0)].clone();
        both(mode, at(Slot::Open, move |body| body[..65].copy_from_slice(&copied[..65])), Fault::Opening, Some(2));
    }
}

// attacks.md row 26
#[test]
fn row_26_bad_points_and_scalars_name_their_sender() {
    for mode in MODES {
        for (bad, error) in
            bad_points().into_iter().zip([DecodeError::Identity, DecodeError::Point, DecodeError::Point])
        {
            for offset in [R, PK] {
                let lie = at(Slot::Open, move |body| body[offset..offset + 33].copy_from_slice(&bad));
                both(mode, lie, Fault::Encoding(error), Some(2));
            }
        }
        for bad in bad_scalars() {
            let range = Fault::Encoding(DecodeError::ScalarRange);
            for offset in [GAMMA_K, GAMMA_X, PSI] {
                let lie = at(Slot::Give(1), move |body| body[offset..offset + 32].copy_from_slice(&bad));
                let ends = sign(mode, &ALL, liar(2, lie));
                assert_eq!(ends[&1], failed(mode, 1, &ALL, range, Some(2)));
                assert_eq!(ends[&3], waiting(mode, 3, &ALL));
            }
            for offset in [U, W] {
                let lie = at(Slot::Release, move |body| body[offset..offset + 32].copy_from_slice(&bad));
                both(mode, lie, range, Some(2));
            }
        }
    }
}

// attacks.md rows 48, 55: nothing tells whose partial is wrong, and no signature comes out
#[test]
fn row_48_a_wrong_partial_gives_no_signature_and_names_nobody() {
    for mode in MODES {
        for offset in [U, W] {
            both(mode, at(Slot::Release, move |body| add_scalar(body, offset, one())), Fault::Signature, None);
        }
        both(mode, at(Slot::Release, |body| body[..64].fill(0)), Fault::Signature, None);
        // w and u exchanged
        both(mode, at(Slot::Release, |body| body[..64].rotate_left(32)), Fault::Signature, None);
        // both of them twice as large: the own part of s stays as it was
        let doubled = |body: &mut Vec<u8>| {
            let (u, w) = (scalar_at(body, U), scalar_at(body, W));
            add_scalar(body, U, u);
            add_scalar(body, W, w);
        };
        both(mode, at(Slot::Release, doubled), Fault::Signature, None);
    }
    assert_eq!(Fault::Signature.response(), Response::SlowDown);
}

// psi is not checked by itself: another one is another phi towards one peer
#[test]
fn row_48_another_psi_gives_no_signature_and_names_nobody() {
    for mode in MODES {
        both(mode, at(Slot::Give(1), |body| add_scalar(body, PSI, one())), Fault::Signature, None);
        let everywhere = || -> Change {
            Box::new(|slot, telling| {
                if matches!(slot, Slot::Give(_)) {
                    add_scalar(telling.body, PSI, one());
                }
            })
        };
        both(mode, everywhere(), Fault::Signature, None);
    }
}

// attacks.md row 48: u = -sum of the others', from a liar that speaks last
#[test]
fn row_48_a_zero_denominator_is_an_error() {
    for mode in MODES {
        let sent = overheard(mode, &ALL);
        let others: Vec<_> = [1, 3].map(|id| bodies(&sent, id)[&(4, 0)].clone()).into();
        for w in [false, true] {
            let others = others.clone();
            let lie = move |body: &mut Vec<u8>| {
                for offset in if w { vec![U, W] } else { vec![U] } {
                    let sum = others.iter().fold(Scalar::default(), |sum, other| sum - scalar_at(other, offset));
                    body[offset..offset + 32].copy_from_slice(&Secp256k1::scalar_to_bytes(&sum));
                }
            };
            both(mode, at(Slot::Release, lie), Fault::ZeroDenominator, None);
        }
        // s = 0
        let lie = move |body: &mut Vec<u8>| {
            let sum = others.iter().fold(Scalar::default(), |sum, other| sum - scalar_at(other, W));
            body[W..W + 32].copy_from_slice(&Secp256k1::scalar_to_bytes(&sum));
        };
        both(mode, at(Slot::Release, lie), Fault::Signature, None);
    }
}

// attacks.md row 54: a liar that speaks last and negates the sum. (r, -s) verifies too, but the recovery id would be wrong
#[test]
fn row_54_the_negated_sum_is_refused() {
    for mode in MODES {
        let sent = overheard(mode, &ALL);
        let all: Vec<_> = ALL.map(|id| bodies(&sent, id)[&(4, 0)].clone()).into();
        let lie = move |body: &mut Vec<u8>| {
            // -w - 2*(the others')
            let of_others = scalar_at(&all[0], W) + scalar_at(&all[2], W);
            let w = -scalar_at(&all[1], W) - of_others - of_others;
            body[W..W + 32].copy_from_slice(&Secp256k1::scalar_to_bytes(&w));
        };
        both(mode, at(Slot::Release, lie), Fault::Signature, None);
    }
}

#[test]
fn row_55_a_wrong_view_hash_gives_no_signature_and_names_nobody() {
    for mode in MODES {
        for offset in [VIEW, VIEW + 31] {
            both(mode, at(Slot::Release, move |body| body[offset] ^= 1), Fault::View, None);
        }
        // with a wrong partial beside it
        let lie = at(Slot::Release, |body| {
            body[VIEW] ^= 1;
            body[..64].fill(0);
        });
        both(mode, lie, Fault::View, None);
    }
}
