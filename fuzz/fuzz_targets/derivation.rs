//! Paths, payloads, labels and phrases: see `symbolon_fuzz::derivation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::derivation::run(data);
});
