#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod base_ot;
mod bits;
mod committee;
mod extension;
mod limbs;
mod multiply;
mod pads;
mod pair_setup;
mod params;
mod pprf;
mod protocol;
mod setup;

#[cfg(test)]
mod tests;

pub use committee::{CommitteeSetup, CommitteeTerms};
pub use extension::extension_len;
pub use multiply::{MulReceiver, MulSender, ReceiverShare, SenderShare, multiplication_len};
pub use pair_setup::{Exhausted, ExtReceiver, ExtSender, PairSetup};
pub use params::{Direction, Purpose, Suite};
pub use protocol::{Mta, MtaError, MtaFactors, MtaSetup, PairSetupRun, PairSetupTerms};
pub use setup::{
    M1_LEN, M2_LEN, M3_LEN, M4_LEN, M5_LEN, M6_LEN, SetupClient1, SetupClient2, SetupClient3, SetupServer1,
    SetupServer2,
};
