//! Signatures of any key, numbers and message: see `symbolon_fuzz::dero_signature`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::dero_signature::run(data);
});
