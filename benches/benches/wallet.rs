//! One criterion bench for each question that a user asks: what does a wallet cost, what does a signature cost.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use symbolon::Suite;
use symbolon_benches::{Committee, Dero, World, Zcash};
use symbolon_core::Ed25519;

fn wallet(c: &mut Criterion) {
    let mut world = World::new(1, Suite::Blake3);
    let mut aes = World::new(2, Suite::Aes);
    let mut group = c.benchmark_group("wallet");
    group.sample_size(20);
    group.bench_function("create", |b| b.iter(|| world.create_wallet()));
    group.bench_function("pair setup", |b| b.iter(|| world.pair_setup()));
    group.bench_function("keygen", |b| b.iter(|| world.keygen()));
    group.bench_function("convert", |b| b.iter(|| world.convert()));
    group.bench_function("pre-process 1", |b| b.iter(|| world.preprocess(1)));
    group.bench_function("pre-process 16", |b| b.iter(|| world.preprocess(16)));
    group.bench_function("sign from scratch, blake3", |b| b.iter(|| world.sign_full()));
    group.bench_function("sign from scratch, aes", |b| b.iter(|| aes.sign_full()));
    group.bench_function("sign stateless", |b| b.iter(|| world.sign_stateless()));
    // an item is made over the setup and wallet of one world, and used there
    let world = std::cell::RefCell::new(world);
    let bank = std::cell::RefCell::new(Vec::new());
    let refill = || {
        if bank.borrow().is_empty() {
            let ([s, c], _) = world.borrow_mut().preprocess(64);
            bank.borrow_mut().extend(s.into_iter().zip(c).map(|(s, c)| [s, c]));
        }
        bank.borrow_mut().pop().expect("just refilled")
    };
    group.bench_function("sign from the bank", |b| {
        b.iter_batched(refill, |items| world.borrow_mut().sign_online(items), BatchSize::PerIteration);
    });
    group.finish();
}

/// The Zcash Foundation's crate does without authentication of messages.
fn frost(c: &mut Criterion) {
    let mut three = Committee::<Ed25519>::new(3, 2, 3).with_keys(1);
    let mut zcash = Zcash::new(4, 2, 3);
    let mut group = c.benchmark_group("frost");
    group.sample_size(20);
    group.bench_function("keygen 2 of 3", |b| b.iter(|| three.dkg()));
    group.bench_function("keygen 2 of 3, Zcash Foundation", |b| b.iter(|| zcash.keygen()));
    group.bench_function("sign 2 of 3", |b| b.iter(|| three.frost_sign()));
    group.bench_function("sign 2 of 3, Zcash Foundation", |b| b.iter(|| zcash.sign()));
    let three = std::cell::RefCell::new(three);
    let bank = std::cell::RefCell::new(Vec::new());
    let refill = || {
        if bank.borrow().is_empty() {
            let items = three.borrow_mut().frost_preprocess(64).0;
            let [one, other] = <[_; 2]>::try_from(items).ok().expect("two signers");
            bank.borrow_mut().extend(one.into_iter().zip(other).map(|(one, other)| vec![one, other]));
        }
        bank.borrow_mut().pop().expect("just refilled")
    };
    group.bench_function("sign from the bank, 2 of 3", |b| {
        b.iter_batched(refill, |items| three.borrow_mut().frost_sign_online(items), BatchSize::PerIteration);
    });
    let mut hundred = Committee::<Ed25519>::new(5, 67, 100).with_dealt_key();
    group.sample_size(10);
    group.bench_function("sign 67 of 100", |b| b.iter(|| hundred.frost_sign()));
    group.finish();
}

/// Each runs over a batch of messages.
fn dero(c: &mut Criterion) {
    let dero = Dero::new(6);
    let mut group = c.benchmark_group("dero");
    group.throughput(Throughput::Elements(Dero::BATCH as u64));
    group.bench_function("verify", |b| b.iter(|| dero.verify()));
    group.bench_function("two plain multiplications, ark-bn254", |b| b.iter(|| dero.plain()));
    group.finish();
}

criterion_group!(benches, wallet, frost, dero);
criterion_main!(benches);
