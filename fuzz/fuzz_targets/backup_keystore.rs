//! Web3 secret storage: see `symbolon_fuzz::keystore`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::keystore::run(data);
});
