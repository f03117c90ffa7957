//! Client requests to valgrind's memcheck: mark bytes as secret (undefined) or public (defined), and count reports.
//!
//! Memcheck follows undefined bits through registers and memory and reports every branch and every address that depends on
//! one. Marking secrets as undefined turns it into a check for secret-dependent branches and look-ups.

/// One request, as valgrind.h defines it for amd64: four rotations that add up to nothing and an exchange of a register with
/// itself, which only valgrind takes for more than nothing. `default` is the answer without valgrind.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[inline(never)]
fn request(default: u64, request: [u64; 6]) -> u64 {
    let mut answer = default;
    // SAFETY: outside valgrind these instructions leave every register as it was (rdi comes back after 128 bits of
    // rotation) and touch no memory but the array, which outlives them. Inside, valgrind reads the six words behind rax,
    // writes the answer to rdx, and changes its own books of which bytes are defined, never the bytes.
    #[allow(
        unsafe_code,
        reason = "valgrind is spoken to by an instruction sequence; there is no safe way to write one"
    )]
    unsafe {
        core::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

/// Elsewhere there is no valgrind to ask: [`running`] is false, and the check fails instead of passing emptily.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
const fn request(default: u64, _: [u64; 6]) -> u64 {
    default
}

const RUNNING_ON_VALGRIND: u64 = 0x1001;
const COUNT_ERRORS: u64 = 0x1201;
/// Memcheck's own requests: `'M'`, `'C'` in the upper bytes.
const MEMCHECK: u64 = 0x4d43_0000;
const MAKE_MEM_UNDEFINED: u64 = MEMCHECK + 1;
const MAKE_MEM_DEFINED: u64 = MEMCHECK + 2;

/// Whether this process runs under valgrind.
#[must_use]
pub fn running() -> bool {
    request(0, [RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0]) != 0
}

/// Reports so far that no suppression took.
#[must_use]
pub fn reports() -> u64 {
    request(0, [COUNT_ERRORS, 0, 0, 0, 0, 0])
}

fn mark(how: u64, bytes: &mut [u8]) {
    // exposed, because the request may change what the compiler knows about the bytes behind it
    let address = bytes.as_mut_ptr().expose_provenance();
    request(0, [how, address as u64, bytes.len() as u64, 0, 0, 0]);
}

/// From here on these bytes are secret.
pub fn classify(bytes: &mut [u8]) {
    mark(MAKE_MEM_UNDEFINED, bytes);
}

/// From here on these bytes are public: they leave, or the protocol publishes them.
pub fn declassify(bytes: &mut [u8]) {
    mark(MAKE_MEM_DEFINED, bytes);
}
