//! Addresses: see `symbolon_fuzz::address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::address::run(data);
});
