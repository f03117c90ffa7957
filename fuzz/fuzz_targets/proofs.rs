//! Points, scalars, proofs and commitments: see `symbolon_fuzz::proofs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::proofs::run(data);
});
