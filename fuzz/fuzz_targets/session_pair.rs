//! Whole runs: see `symbolon_fuzz::sessions`.
#![no_main]

use symbolon_fuzz::sessions;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = sessions::run(sessions::PAIR, data);
});
