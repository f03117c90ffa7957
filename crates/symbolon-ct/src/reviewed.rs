//! The reviewed list: every place that may branch on what memcheck takes for a secret, and the reason for which it tells a
//! peer nothing. A place is a function, a number is how often it reports in one whole run of this program, exactly: a second
//! branch in a listed function exceeds it, and a step that is not run any more falls short of it. Addresses that depend on a
//! secret have no place here.
//!
//! Four functions are not here but in `public.supp`, because they report thousands of times: the verification of proofs and
//! of signatures, the weighted sum of a batch check, and the package of a FROST signature.

use core::fmt;

/// What the numbers were counted with. Another compiler merges other branches.
pub const COMPILER: &str = "rustc 1.95.";

/// One place that may report.
pub struct Reviewed {
    /// File and function.
    pub place: &'static str,
    /// The reports of a whole run.
    pub reports: u64,
    /// Why it tells nothing.
    pub why: Why,
}

/// Why a report is harmless.
#[derive(Clone, Copy)]
pub enum Why {
    /// An own scalar that is drawn or multiplied is refused when it is zero (or one): probability 2^-256, and then the run
    /// draws again or ends.
    Zero,
    /// The curve libraries assert that a product of non-zero denominators has an inverse. It always has.
    Inverse,
    /// A decoder asks whether an own scalar is below the order. A stored one is: this library wrote it. One that a dealer sent is,
    /// or the run ends and shows it.
    Canonical,
    /// A point, or a commitment to one, that is computed from a secret and is public: it has left, or leaves now. Comparing it
    /// with the peer's, with the identity or with what it must be tells what everybody can compute.
    PublicPoint,
    /// One bit over a comparison in constant time: whether the peer's message, a tag or a share is right. The end of the
    /// run shows it; on a wrong one the run ends, and the setup burns where that matters (safety.md S1).
    Verdict,
    /// The finished signature and its parts, at the one who publishes it: view hash, denominator not zero, high or low s.
    Signature,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "refuses zero",
            Self::Inverse => "a product of non-zero values has an inverse",
            Self::Canonical => "an own scalar is canonical",
            Self::PublicPoint => "a public point",
            Self::Verdict => "right or wrong, which the end of the run shows",
            Self::Signature => "the finished signature",
        })
    }
}

/// All of them.
pub const REVIEWED: &[Reviewed] = &[
    Reviewed { place: "symbolon-core/src/group.rs: is_identity", reports: 7, why: Why::PublicPoint },
    Reviewed { place: "symbolon-core/src/group.rs: points_to_bytes", reports: 46, why: Why::Inverse },
    Reviewed { place: "symbolon-core/src/group.rs: random_scalar", reports: 219, why: Why::Zero },
    Reviewed { place: "symbolon-core/src/group.rs: scalar_from_bytes", reports: 74, why: Why::Canonical },
    Reviewed { place: "symbolon-core/src/group.rs: secret_points_bytes", reports: 15, why: Why::Inverse },
    Reviewed { place: "symbolon-core/src/group.rs: to_affine", reports: 172, why: Why::Inverse },
    // of Ed25519: the compiler asks at once whether the scalar is canonical and whether bytes are left
    Reviewed { place: "symbolon-core/src/wire.rs: finish", reports: 6, why: Why::Canonical },
    Reviewed { place: "symbolon-dero/src/curve.rs: challenge", reports: 11, why: Why::Signature },
    Reviewed { place: "symbolon-dero/src/curve.rs: from_be_bytes", reports: 5, why: Why::Signature },
    Reviewed { place: "symbolon-dero/src/curve/secret.rs: from_be_bytes", reports: 1, why: Why::Canonical },
    Reviewed { place: "symbolon-dero/src/curve/secret.rs: plus_product", reports: 1, why: Why::Signature },
    Reviewed { place: "symbolon-dero/src/curve/secret.rs: to_affine", reports: 22, why: Why::PublicPoint },
    Reviewed { place: "symbolon-dero/src/message.rs: sign", reports: 1, why: Why::Signature },
    Reviewed { place: "symbolon-ecdsa/src/online.rs: check", reports: 30, why: Why::Verdict },
    Reviewed { place: "symbolon-ecdsa/src/online.rs: finish", reports: 10, why: Why::Signature },
    Reviewed { place: "symbolon-ecdsa/src/online.rs: x_mod_q", reports: 32, why: Why::PublicPoint },
    Reviewed { place: "symbolon-ecdsa/src/quorum/steps.rs: finish", reports: 18, why: Why::Signature },
    Reviewed { place: "symbolon-ecdsa/src/quorum/steps.rs: release", reports: 30, why: Why::Verdict },
    Reviewed { place: "symbolon-ecdsa/src/quorum/steps.rs: same", reports: 12, why: Why::PublicPoint },
    Reviewed { place: "symbolon-ecdsa/src/signature.rs: from_low", reports: 66, why: Why::Signature },
    Reviewed { place: "symbolon-ecdsa/src/signature.rs: new", reports: 22, why: Why::Signature },
    Reviewed { place: "symbolon-eddsa/src/package.rs: aggregate", reports: 12, why: Why::Signature },
    Reviewed { place: "symbolon-eddsa/src/package.rs: sign_as", reports: 12, why: Why::PublicPoint },
    Reviewed { place: "symbolon-eddsa/src/preprocess.rs: advance", reports: 12, why: Why::PublicPoint },
    Reviewed { place: "symbolon-eddsa/src/sign.rs: finish", reports: 12, why: Why::PublicPoint },
    Reviewed { place: "symbolon-keygen/src/convert.rs: check", reports: 6, why: Why::PublicPoint },
    Reviewed { place: "symbolon-keygen/src/convert.rs: finish", reports: 6, why: Why::Verdict },
    Reviewed { place: "symbolon-keygen/src/convert.rs: prove", reports: 3, why: Why::PublicPoint },
    Reviewed { place: "symbolon-keygen/src/keygen.rs: finish", reports: 2, why: Why::PublicPoint },
    Reviewed { place: "symbolon-keygen/src/keygen.rs: open", reports: 2, why: Why::PublicPoint },
    Reviewed { place: "symbolon-keygen/src/refresh.rs: product", reports: 4, why: Why::Zero },
    Reviewed { place: "symbolon-mta/src/base_ot.rs: challenge", reports: 896, why: Why::PublicPoint },
    Reviewed { place: "symbolon-mta/src/base_ot.rs: check", reports: 14, why: Why::Verdict },
    Reviewed { place: "symbolon-mta/src/base_ot.rs: open", reports: 7, why: Why::Verdict },
    Reviewed { place: "symbolon-mta/src/extension.rs: send", reports: 36, why: Why::Verdict },
    Reviewed { place: "symbolon-mta/src/multiply.rs: item", reports: 35, why: Why::Verdict },
    Reviewed { place: "symbolon-mta/src/pprf.rs: puncture", reports: 14, why: Why::Verdict },
    Reviewed { place: "symbolon-mta/src/setup.rs: respond", reports: 7, why: Why::Verdict },
    Reviewed { place: "symbolon-proofs/src/feldman.rs: new", reports: 4, why: Why::PublicPoint },
    Reviewed { place: "symbolon-session/src/storage.rs: decrypt", reports: 1, why: Why::Verdict },
    Reviewed { place: "symbolon-sharing/src/dealing.rs: same_view", reports: 52, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/dkg.rs: made", reports: 45, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/dkg.rs: verify", reports: 9, why: Why::Verdict },
    Reviewed { place: "symbolon-sharing/src/key_share.rs: agree", reports: 18, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/key_share.rs: new", reports: 22, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/pair_factor.rs: agree", reports: 20, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/pair_factor.rs: new", reports: 6, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/reshare/checks.rs: new_key", reports: 78, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/reshare/checks.rs: verify", reports: 19, why: Why::Verdict },
    Reviewed { place: "symbolon-sharing/src/reshare/setup.rs: import", reports: 2, why: Why::PublicPoint },
    Reviewed { place: "symbolon-sharing/src/shamir.rs: combine", reports: 6, why: Why::Verdict },
    Reviewed { place: "symbolon/src/wallet/create.rs: confirm", reports: 2, why: Why::Verdict },
];
