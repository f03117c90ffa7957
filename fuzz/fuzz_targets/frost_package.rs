//! What FROST signers and their coordinator read of each other: see `symbolon_fuzz::frost_package`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::frost_package::run(data);
});
