//! Sign-in challenges: see `symbolon_fuzz::challenge`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::challenge::run(data);
});
