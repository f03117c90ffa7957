//! Session tokens: see `symbolon_fuzz::dero_token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::dero_token::run(data);
});
