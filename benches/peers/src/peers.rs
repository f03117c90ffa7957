//! The published crates.

mod cait_sith;
#[cfg(feature = "cggmp21")]
mod cggmp21;
mod dkls23;
mod tsslib;

use crate::Library;

/// All of them.
pub(crate) fn all() -> Vec<Box<dyn Library>> {
    vec![
        Box::new(dkls23::Dkls23::new(1)),
        Box::new(tsslib::Tsslib::new(tsslib::Multiplication::Plain)),
        Box::new(tsslib::Tsslib::new(tsslib::Multiplication::Checked)),
        Box::new(cait_sith::CaitSith::new()),
        #[cfg(feature = "cggmp21")]
        Box::new(cggmp21::Cggmp21::new(2)),
    ]
}

/// Name and version of a crate that is built here.
pub(crate) fn version(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let begin = format!("name = \"{name}\"\nversion = \"");
    let versions = lock.split_once(&begin).and_then(|(_, rest)| rest.split_once('"'));
    format!("{name} {}", versions.expect("it is built").0)
}

#[cfg(test)]
mod tests {
    use crate::{Library, Operation};

    /// Every operation checks its signature.
    fn works(mut library: impl Library) {
        assert!(library.run(Operation::Sign).is_some());
        library.run(Operation::Online);
    }

    #[test]
    fn ours_signs() {
        works(crate::ours::Ours::new(1, symbolon::Suite::Aes));
        works(crate::ours::Ours::new(2, symbolon::Suite::Blake3));
    }

    #[test]
    fn dkls23_signs() {
        works(super::dkls23::Dkls23::new(3));
    }

    #[test]
    fn tsslib_signs() {
        works(super::tsslib::Tsslib::new(super::tsslib::Multiplication::Plain));
        works(super::tsslib::Tsslib::new(super::tsslib::Multiplication::Checked));
    }

    #[test]
    fn cait_sith_signs() {
        works(super::cait_sith::CaitSith::new());
    }

    /// Takes minutes.
    #[cfg(feature = "cggmp21")]
    #[test]
    fn cggmp21_signs() {
        works(super::cggmp21::Cggmp21::new(4));
    }

    #[test]
    #[should_panic(expected = "a valid signature")]
    fn a_wrong_signature_is_seen() {
        let generator = k256::elliptic_curve::sec1::ToSec1Point::to_sec1_point(&k256::AffinePoint::GENERATOR, true);
        crate::run::verify(generator.as_bytes(), &[1; 64]);
    }
}
