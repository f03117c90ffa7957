//! attacks.md row 73: what asks for more work or memory than it is worth is refused at once. What memory that takes is counted where an
//! allocator may be written: in the tests of the fuzz crate, on the same inputs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::std_instead_of_core, reason = "a test")]

mod inputs;

use std::time::{Duration, Instant};

#[test]
#[allow(clippy::disallowed_methods, reason = "the test measures")]
fn row_73_hostile_inputs_are_refused_within_a_millisecond() {
    let world = inputs::World::new();
    let all = inputs::all(&world);
    for hostile in &all {
        // the least of several: other programs run on this machine too
        let mut least = Duration::MAX;
        for _ in 0..20 {
            let begin = Instant::now();
            assert_eq!(hostile.refused(&world), hostile.answer, "{}", hostile.name);
            least = least.min(begin.elapsed());
        }
        // nothing longer than this is looked at; what is takes its time to be hashed and to be read as base64
        let length = u32::try_from(hostile.len().min(96 << 10)).unwrap();
        let limit = Duration::from_millis(1) + length * Duration::from_nanos(10);
        assert!(least < limit, "{}: {least:?} for {} bytes", hostile.name, hostile.len());
    }
    assert!(all.len() > 150, "{}", all.len());
}
