//! Stored objects: see `symbolon_fuzz::stored`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::stored::run(data);
});
