//! One criterion bench for each question that a user asks: what does a wallet cost, what does a signature cost.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use symbolon::Suite;
use symbolon_benches::World;

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

criterion_group!(benches, wallet);
criterion_main!(benches);
