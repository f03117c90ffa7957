//! Backups, their text and their halves: see `symbolon_fuzz::backup`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::backup::run(data);
});
