//! What the user wants signed. alloy, which is not ours, encodes and hashes it and recovers the signer; our library signs.

use alloy_consensus::{SignableTransaction, TxEnvelope, TypedTransaction, transaction::SignerRecoverable};
use alloy_dyn_abi::TypedData;
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Signature as AlloySignature, eip191_hash_message};
use std::fmt;
use symbolon::{EthereumAddress, Payload, Signature};

/// A request, read and checked.
pub enum Request {
    /// A transaction.
    Transaction(Box<TypedTransaction>),
    /// A text for `personal_sign`.
    Message(String),
    /// Typed data for `eth_signTypedData_v4`.
    TypedData(Box<TypedData>),
}

/// A signed request, with the address that alloy recovered from it already compared.
pub enum Signed {
    /// The bytes to broadcast.
    RawTransaction(Vec<u8>),
    /// `r || s || v`.
    Signature([u8; 65]),
}

/// Ours and alloy's view of the same thing differ: nothing may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The digest that we sign is not the one that alloy computes.
    Digest,
    /// The signer that alloy recovers is not our address.
    Signer,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest => "alloy computes another digest of the request than we signed",
            Self::Signer => "alloy recovers another signer than our address",
        })
    }
}

impl std::error::Error for Mismatch {}

impl Request {
    /// What both parties sign, as our library wants it: the preimage.
    ///
    /// # Errors
    /// [`Mismatch::Digest`] if alloy hashes the request to something else.
    pub fn payload(&self) -> Result<Payload, Mismatch> {
        let payload = match self {
            Self::Transaction(tx) => Payload::transaction(&tx.encoded_for_signing()),
            Self::Message(text) => Payload::personal_message(text),
            Self::TypedData(data) => {
                let struct_hash = data.hash_struct().map_err(|_| Mismatch::Digest)?;
                Payload::typed_data(data.domain.separator().0, struct_hash.0)
            }
        };
        if self.alloy_digest()?.0 == *payload.digest().as_bytes() { Ok(payload) } else { Err(Mismatch::Digest) }
    }

    fn alloy_digest(&self) -> Result<B256, Mismatch> {
        match self {
            Self::Transaction(tx) => Ok(tx.signature_hash()),
            Self::Message(text) => Ok(eip191_hash_message(text)),
            Self::TypedData(data) => data.eip712_signing_hash().map_err(|_| Mismatch::Digest),
        }
    }

    /// Puts the signature into its final form and reads that back: the signer must be `address`.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn finish(&self, signature: &Signature, address: &EthereumAddress) -> Result<Signed, Mismatch> {
        let rsv = signature.to_rsv();
        let alloy_signature = AlloySignature::from_raw_array(&rsv).map_err(|_| Mismatch::Signer)?;
        let (signed, signer) = match self {
            Self::Transaction(tx) => {
                let raw = tx.as_ref().clone().into_envelope(alloy_signature).encoded_2718();
                let decoded = TxEnvelope::decode_2718_exact(&raw).map_err(|_| Mismatch::Signer)?;
                (Signed::RawTransaction(raw), decoded.recover_signer().map_err(|_| Mismatch::Signer)?)
            }
            Self::Message(_) | Self::TypedData(_) => {
                let signer = alloy_signature.recover_address_from_prehash(&self.alloy_digest()?);
                (Signed::Signature(rsv), signer.map_err(|_| Mismatch::Signer)?)
            }
        };
        if signer == Address::from(*address.as_bytes()) { Ok(signed) } else { Err(Mismatch::Signer) }
    }
}
