//! symbolon.

use crate::{
    Library, Operation,
    run::{sum, verify},
};
use symbolon::{Signature, Suite};
use symbolon_benches::{Cost, World};

/// Two parties with a wallet and a pair setup.
pub(crate) struct Ours {
    world: World,
    suite: Suite,
}

impl Ours {
    pub(crate) fn new(seed: u64, suite: Suite) -> Self {
        Self { world: World::new(seed, suite), suite }
    }

    fn checked(&self, (signature, cost): (Signature, Cost)) -> Cost {
        verify(&self.world.wallets[0].public_key(), &signature.to_bytes());
        cost
    }

    fn sign(&mut self) -> Cost {
        let signed = self.world.signed();
        self.checked(signed)
    }
}

impl Library for Ours {
    fn name(&self) -> String {
        let suite = if self.suite == Suite::Aes { "aes" } else { "blake3" };
        format!("symbolon, {suite}")
    }

    fn parameters(&self) -> &'static str {
        if self.suite == Suite::Aes {
            return "the same, with AES in the place of BLAKE3 in the OT extension and its pads";
        }
        "128 bits computational and 85 bits statistical security; SoftSpoken OT extension, 128 base OTs in each direction, 16 leaves a \
         tree, 128 columns of check; multiplication after ePrint 2026/976 with 768 OTs, consistency of both sides checked, and a failed \
         check ends the pair setup; an abort names the culprit where there is one; authentication and encryption are left to the \
         channel here"
    }

    fn counted(&self) -> &'static str {
        if self.suite == Suite::Aes {
            return "the same";
        }
        "frames, agreement on what is signed, and a session id that both parties make; the client alone gets the signature, and verifies \
         it; ChaCha12, seeded"
    }

    fn run(&mut self, operation: Operation) -> Option<Cost> {
        // creation and what it leads to are those of the default suite
        let default = self.suite == Suite::Blake3;
        match operation {
            Operation::Sign => Some(self.sign()),
            Operation::Create => default.then(|| self.world.create_wallet()),
            Operation::Keygen => default.then(|| self.world.keygen()),
            Operation::First => default.then(|| sum(self.world.create_wallet(), self.sign())),
            Operation::Online => default.then(|| {
                let ([s, c], _) = self.world.preprocess(1);
                let items = s.into_iter().zip(c).map(|(s, c)| [s, c]).next().expect("one item");
                let signed = self.world.signed_online(items);
                self.checked(signed)
            }),
        }
    }
}
