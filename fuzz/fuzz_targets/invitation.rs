//! Plans of resharings, and what holders get who were not there: see `symbolon_fuzz::invitation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = symbolon_fuzz::invitation::run(data);
});
