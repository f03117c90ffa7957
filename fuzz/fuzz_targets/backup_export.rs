//! Export requests and answers: see `symbolon_fuzz::export`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::export::run(data);
});
