//! Sealed values and their keys: see `symbolon_fuzz::seal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::seal::run(data);
});
