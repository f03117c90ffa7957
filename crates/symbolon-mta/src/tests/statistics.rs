//! Choice bits, seeds, leaves, pads, gadgets and products are as random as numbers of their kind are.

use super::{
    base_ot::{choose, halves, start},
    multiply::liar,
    *,
};
use crate::{
    extension::receive,
    limbs,
    params::{LEAVES, Psid, TREES},
};
use alloc::{collections::BTreeSet, vec};
use symbolon_testkit::chi_square::{
    ALARM, accept, accept_bytes, accept_distinct, coin, correlation, independent, seed, uniform,
};

/// Bits of a block, first to last.
fn bits(block: u128) -> impl Iterator<Item = bool> {
    (0..128).map(move |j| block >> j & 1 == 1)
}

fn count(bits: impl Iterator<Item = bool>) -> u32 {
    bits.map(u32::from).sum()
}

/// The choice bits of base OTs: each position balanced, blocks of four uniform, and nothing in common between two peers
/// whose runs have one trace of the generator (audit finding A15).
#[test]
fn a15_choice_bits_of_base_ots() {
    const RUNS: u32 = 256;
    let from = seed(700_000);
    let (_, m1) = start(1);
    let (mut at, mut nibbles, mut agree, mut neighbours) = ([0u32; 128], [0u32; 16], 0, 0);
    let mut seeds = Vec::new();
    for run in 0..u64::from(RUNS) {
        let peers = [2, 3].map(|session| choose(&m1, session, from + run).0.unwrap().chosen);
        let [one, other] = peers.each_ref().map(|peer| u128::from_le_bytes(*peer.choices.expose()));
        for block in [one, other] {
            at.iter_mut().zip(bits(block)).for_each(|(at, bit)| *at += u32::from(bit));
            (0..32).for_each(|i| nibbles[usize::try_from(block >> (4 * i) & 15).unwrap()] += 1);
            neighbours += count(bits(block).zip(bits(block).skip(1)).map(|(a, b)| a == b));
        }
        agree += count(bits(one).zip(bits(other)).map(|(a, b)| a == b));
        peers.iter().for_each(|peer| seeds.extend_from_slice(peer.seeds.as_flattened()));
    }
    // the worst of 128 positions is allowed the 128th part
    for (j, ones) in at.into_iter().enumerate() {
        accept(&alloc::format!("choice bit {j}"), 128.0 * coin(ones, 2 * RUNS));
    }
    accept("choice bits, four at a time", uniform(&nibbles));
    accept("choice bits of two peers", coin(agree, 128 * RUNS));
    accept("choice bits beside each other", coin(neighbours, 2 * 127 * RUNS));
    accept_bytes("seeds of base OTs", &seeds);
}

/// The choice bits of extensions: over a million, for two peers of one run, which draw from one generator.
#[test]
fn a15_choice_bits_of_extensions() {
    let from = seed(710_000);
    let psid = |session| Psid::new(sid(session), Purpose::Preprocess, 0, Direction::FIRST);
    let (_, one) = halves([0x5a; 16], Suite::Blake3, from);
    let (_, other) = halves([0xa5; 16], Suite::Blake3, from + 1);
    let mut generator = rng(from + 2);
    let mut draw =
        |ext: &ExtReceiver, session| receive(ext, psid(session), 8192, &mut Writer::new(), &mut generator).bits;
    let (one, other) = (draw(&one, 1), draw(&other, 2));
    let total = u32::try_from(128 * one.len()).unwrap();
    assert!(total >= 1 << 20 && one.len() == other.len());
    let ones = |blocks: &[u128]| blocks.iter().map(|block| block.count_ones()).sum::<u32>();
    accept("choice bits", coin(ones(&one), total));
    accept("choice bits of the other peer", coin(ones(&other), total));
    let agree: u32 = one.iter().zip(other.iter()).map(|(a, b)| (!(a ^ b)).count_ones()).sum();
    let r = correlation(agree, total);
    assert!(r.abs() < 0.01, "correlation {r}");
    accept("choice bits of two peers", coin(agree, total));
    let shifted: u32 = one.iter().zip(one.iter().skip(1)).map(|(a, b)| (!(a ^ b)).count_ones()).sum();
    accept("choice bits of neighbouring blocks", coin(shifted, total - 128));
}

#[test]
fn leaves_of_trees() {
    let from = seed(720_000);
    let mut all = Vec::new();
    for run in 0..64 {
        let (_, receiver) = halves([0x3c; 16], Suite::Blake3, from + run);
        all.extend_from_slice(receiver.leaves());
    }
    assert_eq!(all.len(), 64 * TREES * LEAVES);
    accept_bytes("leaves", all.as_flattened());
    let siblings: Vec<_> =
        all.as_chunks::<2>().0.iter().map(|[a, b]| u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b)).collect();
    accept_bytes(
        "differences of sibling leaves",
        siblings.iter().map(|x| x.to_le_bytes()).collect::<Vec<_>>().as_flattened(),
    );
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

/// Over a million pads of each suite: uniform, and none twice. The gadgets of the same messages.
#[test]
fn pads_and_gadgets() {
    for suite in SUITES {
        let from = seed(730_000);
        let both = setup(suite, from);
        let ext = (both.server.sender(), both.client.receiver());
        let (mut pads, mut first, mut gadgets) = ([0; 256], Vec::new(), [0; 256]);
        for run in 0..656 {
            let (liar, _) = liar(ext, 1, from + run);
            for pad in &liar.p0 {
                limbs::to_bytes(pad).iter().for_each(|byte| pads[usize::from(*byte)] += 1);
                first.push(pad[0]);
            }
            if run < 64 {
                let gadget = liar.challenge().gadget(&[1; 32], &[2; 32]);
                let bytes = gadget.iter().flat_map(limbs::to_bytes);
                bytes.for_each(|byte| gadgets[usize::from(byte)] += 1);
            }
        }
        accept("pads", uniform(&pads));
        accept_distinct("pads", &mut first);
        accept("gadgets", uniform(&gadgets));
    }
}

/// Inputs and shares of products: each uniform, each two of different sides independent.
#[test]
fn inputs_and_products() {
    let from = seed(740_000);
    for suite in SUITES {
        let both = setup(suite, from);
        let ext = (both.server.sender(), both.client.receiver());
        let mut of = [(); 4].map(|()| Vec::<[u8; 32]>::new());
        for run in 0..4 {
            let shares = multiply::<2>(ext, 256, from + run);
            assert_products(&shares, 256);
            for (s, r) in shares.0.iter().zip(&shares.1) {
                let scalars = [&s.alpha()[0], &s.t()[0], r.beta(), &r.r()[0]];
                of.iter_mut().zip(scalars).for_each(|(of, x)| of.push(*x.to_bytes().expose()));
            }
        }
        for (name, values) in ["alpha", "t", "beta", "r"].iter().zip(&of) {
            accept_bytes(name, values.as_flattened());
        }
        for (i, one) in of.iter().enumerate() {
            for (j, other) in of.iter().enumerate().skip(i + 1) {
                // the lowest two bits against the lowest two
                let mut table = [[0; 4]; 4];
                for (a, b) in one.iter().zip(other) {
                    table[usize::from(a[31] & 3)][usize::from(b[31] & 3)] += 1;
                }
                accept(&alloc::format!("products: {i} against {j}"), independent(&table));
            }
        }
    }
}

/// The checks notice what they are for.
#[test]
fn a_small_bias_is_noticed() {
    let mut rng = rng(750_000);
    let draws: Vec<u128> = bits::random_blocks(512, &mut rng).to_vec();
    // one bit of 128 is one three times of four
    let biased = count(draws.iter().map(|block| block & 3 != 0));
    assert!(128.0 * coin(biased, 512) < ALARM);
    // one value of 256 stands a third more often than the others
    let mut counts = [4000; 256];
    counts[7] = 5300;
    assert!(uniform(&counts) < ALARM);
    // two peers that share one bit in fifty
    assert!(coin((1 << 19) + (1 << 20) / 100, 1 << 20) < ALARM);
    // every value exactly as often as every other
    assert!(uniform(&vec![1000; 256]) < ALARM);
    // a low bit that follows another a little
    assert!(independent(&[[300, 200], [200, 300]]) < ALARM);
}
