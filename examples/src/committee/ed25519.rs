//! What the parties do on Ed25519: they sign a Solana transfer with FROST.

use super::{
    life::{Curve, Life},
    party::Party,
};
use crate::{solana, wallet::Failure};
use std::io::Write;
use symbolon::{
    Ed25519, Group, KeyShare, Outgoing, PartyId, Scheme, Session, SysRng,
    frost::{self, FrostSign, PublicKey},
};

/// What everybody agrees to sign, in this example.
const TRANSFER: &str = include_str!("../../data/solana-transfer.json");

impl Curve for Ed25519 {
    const SCHEME: Scheme = Scheme::Frost;

    fn shown(public_key: &Self::Point) -> String {
        format!("account {}", solana::address(&Self::point_to_bytes(public_key)))
    }

    /// FROST takes the shares and nothing else.
    fn setups<W: Write>(_: &mut Life<'_, Self, W>) -> Result<(), Failure> {
        Ok(())
    }

    fn sign<W: Write>(life: &mut Life<'_, Self, W>, signers: &[PartyId]) -> Result<(), Failure> {
        let names: Vec<_> =
            signers.iter().map(|me| Ok(life.party(*me)?.name.clone())).collect::<Result<_, Failure>>()?;
        let ends = life.run("sign, FROST", signers, |party| start_sign(party, None, signers))?;
        let mut signatures: Vec<_> = ends.into_values().map(|(signature, _)| signature).collect();
        signatures.dedup();
        let [signature] = signatures.as_slice() else { return Err("the signers have different signatures".into()) };
        let key = Self::point_to_bytes(&life.public_key);
        let signature = signature.to_bytes().try_into().map_err(|_| "a signature has 64 bytes")?;
        let signed = request()?.finish(&signature, &key)?;
        let id = signed.signature;
        life.say(&format!("{} signed; ed25519-dalek accepts the Solana transaction {id}", names.join(" + ")))
    }

    fn old_shares_sign_nothing<W: Write>(
        life: &mut Life<'_, Self, W>,
        lost: PartyId,
        signers: &[PartyId],
    ) -> Result<(), Failure> {
        let (helper, others) = signers.split_first().ok_or("no helpers")?;
        let with_lost: Vec<_> = [lost, *helper].into_iter().chain(others.iter().skip(1).copied()).collect();
        let party = life.party(*helper)?;
        let name = party.name.clone();
        match start_sign(party, None, &with_lost) {
            Err(why) => life.say(&format!("{name} asked to sign with the lost phone: refused, {why}"))?,
            Ok(_) => return Err("a party signs with somebody who holds no share".into()),
        }
        life.two_epochs(signers, |party, share| start_sign(party, share, signers)).map(drop)
    }
}

fn request() -> Result<solana::Request, Failure> {
    Ok(solana::Request::Transfer(solana::parse(TRANSFER)?))
}

/// A signer, with its current share unless another one is given. It makes the message on its own.
fn start_sign(
    party: &mut Party,
    share: Option<KeyShare<Ed25519>>,
    signers: &[PartyId],
) -> Result<(Session<FrostSign<Ed25519>>, Vec<Outgoing>), Failure> {
    let share = share.map_or_else(|| party.share::<Ed25519>(), Ok)?;
    let message = request()?.message(&PublicKey::of(&share).to_bytes())?;
    Ok(frost::sign(&share, signers, message, party.auth(), &mut SysRng)?)
}
