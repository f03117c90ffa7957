//! ECDSA signatures and Ethereum addresses: see `symbolon_fuzz::signature`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::signature::run(data);
});
