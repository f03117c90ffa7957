//! Frames of running sessions: see `symbolon_fuzz::frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::frame::run(data);
});
