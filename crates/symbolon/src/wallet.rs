//! Two-party wallets: create, sign, and everything that a value of years needs around it.
//!
//! Every run exists twice: as a [`Session`] that takes and gives bytes, and as a blocking call over a [`Channel`].

mod create;
mod stateless;

pub use create::{Create, CreateSetup, Made};
pub use stateless::{SignStateless, StatelessSetup};

use alloc::vec::Vec;
use core::fmt;
use rand_core::TryCryptoRng;
use symbolon_core::{
    Group, KeyId, Secp256k1, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_ecdsa::{
    DerivationPath, DeriveError, EthereumAddress, FullSetup, OnlineSetup, Payload, Preprocessed, SignError, SignFull,
    SignOnline, Signed, derive, pair_of,
};
use symbolon_mta::{PairSetup, Suite};
use symbolon_session::{
    Auth, Channel, Label, LabelError, Outgoing, Pair, Pending, RunError, Session, StartError, Storable, Stored, run,
};
use symbolon_sharing::{KeyShare, PairFactor};

/// A two-party wallet: this side's additive share, and its multiplicative factor until the caller decides about it.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon::wallet::Wallet>();
/// ```
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon::wallet::Wallet>();
/// ```
pub struct Wallet {
    share: KeyShare<Secp256k1>,
    factor: Option<PairFactor>,
}

impl Wallet {
    pub(crate) const fn new(share: KeyShare<Secp256k1>, factor: Option<PairFactor>) -> Self {
        Self { share, factor }
    }

    /// A wallet from a key share that a conversion made.
    #[must_use]
    pub const fn from_share(share: KeyShare<Secp256k1>) -> Self {
        Self::new(share, None)
    }

    /// A wallet from a key share and the factor that it was converted from, after a refresh of the pair.
    ///
    /// # Errors
    /// [`SignError::Signers`] if the two are not of one key and one pair.
    pub fn from_parts(share: KeyShare<Secp256k1>, factor: PairFactor) -> Result<Self, SignError> {
        let pair = pair_of(&share)?;
        if factor.key_id() != share.key_id() || factor.public_key() != share.public_key() || pair != *factor.pair() {
            return Err(SignError::Signers);
        }
        Ok(Self::new(share, Some(factor)))
    }

    /// Share and factor, without a mark: for a refresh of the pair, after which the old factor is retired.
    #[must_use]
    pub fn into_parts(self) -> (KeyShare<Secp256k1>, Option<PairFactor>) {
        (self.share, self.factor)
    }

    /// This side's share of the key.
    #[must_use]
    pub const fn share(&self) -> &KeyShare<Secp256k1> {
        &self.share
    }

    /// The key's name.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.share.key_id()
    }

    /// The compressed public key (SEC 1, 33 bytes).
    #[must_use]
    pub fn public_key(&self) -> [u8; 33] {
        Secp256k1::point_to_bytes(self.share.public_key())
    }

    /// The Ethereum address of the key itself (path `m`).
    #[must_use]
    pub fn address(&self) -> EthereumAddress {
        EthereumAddress::from_public_key(self.share.public_key())
    }

    /// The Ethereum address at a path.
    ///
    /// # Errors
    /// [`DeriveError`] where the path has no key (probability 2^-127).
    pub fn address_at(&self, path: &DerivationPath) -> Result<EthereumAddress, DeriveError> {
        let child = derive(self.share.public_key(), self.share.chain_code(), path)?;
        Ok(EthereumAddress::from_public_key(&child.public_key))
    }

    /// The local role and both identities.
    ///
    /// # Errors
    /// [`SignError::Signers`] if the share is not one of two.
    pub fn pair(&self) -> Result<Pair, SignError> {
        pair_of(&self.share)
    }

    /// The multiplicative factor, while nobody has decided about it.
    #[must_use]
    pub const fn factor(&self) -> Option<&PairFactor> {
        self.factor.as_ref()
    }

    /// Wipes the multiplicative factor: from here on the additive shares are the only ones. What a wallet without a
    /// self-custody exit does after creation.
    pub fn erase_factor(&mut self) {
        self.factor = None;
    }

    /// Hands the factor out to be sealed for the self-custody exit, and marks the key `factor_kept`: the key then has
    /// two sharings, and revoking a share does not revoke the factor (safety.md S10).
    #[must_use = "the factor is wiped when it is dropped"]
    pub fn keep_factor(self) -> (Self, Option<PairFactor>) {
        match self.factor {
            Some(factor) => {
                let share = self.share.with_factor_kept();
                let factor = factor.with_marks(share.marks());
                (Self::new(share, None), Some(factor))
            }
            None => (Self::new(self.share, None), None),
        }
    }

    /// The key share, for protocols that take one.
    #[must_use]
    pub fn into_share(self) -> KeyShare<Secp256k1> {
        self.share
    }

    /// A session that signs with a pair setup made inside the run: eight messages, nothing kept.
    ///
    /// # Errors
    /// [`SignStartError`].
    pub fn sign(
        &self,
        payload: Payload,
        path: DerivationPath,
        auth: Auth,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Session<SignStateless>, Vec<Outgoing>), SignStartError> {
        let label = self.label()?;
        let setup = StatelessSetup::new(&self.share, &self.pair()?, Suite::Blake3, payload, path)?;
        Ok(Session::start(setup, &self.share, (), label, auth, rng)?)
    }

    /// A session that signs from scratch over a pair setup: four messages. The setup moves in and comes back with
    /// `Done`, a cancel or an abort.
    ///
    /// # Errors
    /// [`SignStartError`]; the setup is dropped with it.
    pub fn sign_with(
        &self,
        mut setup: PairSetup,
        payload: Payload,
        path: DerivationPath,
        auth: Auth,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Session<SignFull>, Vec<Outgoing>), SignStartError> {
        let label = self.label()?;
        let full = FullSetup::new(&self.share, &mut setup, payload, path)?;
        Ok(Session::start(full, &self.share, setup, label, auth, rng)?)
    }

    /// A session that signs from a banked item: one round trip. The item is gone, however the run ends. Take it through
    /// [`crate::store::take_item`] if a ledger is kept.
    ///
    /// Using one twice does not compile:
    ///
    /// ```compile_fail,E0382
    /// use symbolon::{Auth, DerivationPath, Payload, Preprocessed, SysRng, wallet::Wallet};
    /// fn twice(wallet: &Wallet, item: Preprocessed) {
    ///     let hi = Payload::personal_message("hi");
    ///     let _first = wallet.sign_banked(item, hi, DerivationPath::root(), Auth::Channel, &mut SysRng);
    ///     let _again = wallet.sign_banked(item, hi, DerivationPath::root(), Auth::Channel, &mut SysRng);
    /// }
    /// ```
    ///
    /// ```
    /// use symbolon::{Auth, DerivationPath, Payload, Preprocessed, SysRng, wallet::Wallet};
    /// fn once(wallet: &Wallet, item: Preprocessed) {
    ///     let hi = Payload::personal_message("hi");
    ///     let _first = wallet.sign_banked(item, hi, DerivationPath::root(), Auth::Channel, &mut SysRng);
    /// }
    /// ```
    ///
    /// # Errors
    /// [`SignStartError`].
    pub fn sign_banked(
        &self,
        item: Preprocessed,
        payload: Payload,
        path: DerivationPath,
        auth: Auth,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Session<SignOnline>, Vec<Outgoing>), SignStartError> {
        let label = self.label()?;
        let online = OnlineSetup::new(&self.share, &item, payload, path)?;
        Ok(Session::start(online, &self.share, item, label, auth, rng)?)
    }

    /// [`Wallet::sign`] over a blocking channel. Both sides call it with what they showed to their user or policy; the
    /// client's result is the signature, the server's the record of what it released.
    ///
    /// # Errors
    /// [`SignOverError`].
    pub fn sign_over<C: Channel>(
        &self,
        channel: &mut C,
        payload: Payload,
        path: DerivationPath,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Signed, SignOverError<C::Error>> {
        let label = self.label()?;
        let setup = StatelessSetup::new(&self.share, &self.pair()?, Suite::Blake3, payload, path)?;
        let auth = Auth::Channel;
        let finished = run::<SignStateless, _, _>(setup, &self.share, (), label, auth, rng, channel, nothing_to_store)
            .map_err(SignOverError::Run)?;
        Ok(finished.output)
    }

    /// [`Wallet::sign_with`] over a blocking channel. The setup comes back with the result; after an error, what survives
    /// of it is in the [`RunError`].
    ///
    /// # Errors
    /// [`SignOverError`].
    pub fn sign_with_over<C: Channel>(
        &self,
        channel: &mut C,
        mut setup: PairSetup,
        payload: Payload,
        path: DerivationPath,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Signed, Option<PairSetup>), SignOverError<C::Error, PairSetup>> {
        let label = self.label()?;
        let full = FullSetup::new(&self.share, &mut setup, payload, path)?;
        let auth = Auth::Channel;
        let finished = run::<SignFull, _, _>(full, &self.share, setup, label, auth, rng, channel, nothing_to_store)
            .map_err(SignOverError::Run)?;
        Ok((finished.output, finished.held))
    }

    /// [`Wallet::sign_banked`] over a blocking channel: one round trip. Both sides name the same item: the server takes
    /// the one that the client's first frame names ([`crate::item_of`]), or the application tells it.
    ///
    /// # Errors
    /// [`SignOverError`].
    pub fn sign_banked_over<C: Channel>(
        &self,
        channel: &mut C,
        item: Preprocessed,
        payload: Payload,
        path: DerivationPath,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Signed, SignOverError<C::Error>> {
        let label = self.label()?;
        let online = OnlineSetup::new(&self.share, &item, payload, path)?;
        let auth = Auth::Channel;
        let finished = run::<SignOnline, _, _>(online, &self.share, item, label, auth, rng, channel, nothing_to_store)
            .map_err(SignOverError::Run)?;
        Ok(finished.output)
    }

    /// The label of every signing session of this wallet: it names the key. Message and path are in the sid, so that a
    /// difference ends as a mismatch; nonces or the bank item keep concurrent sessions apart. A server that routes by
    /// label tag finds its wallet by `label().tag()`.
    ///
    /// # Errors
    /// None in practice: 32 bytes are a label.
    pub fn label(&self) -> Result<Label, LabelError> {
        Label::new(Transcript::new("wallet", "sign label").part(self.share.key_id()).finish())
    }
}

/// Why a signing session did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignStartError {
    /// Key, parties, path or setup.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The driver: authentication or randomness.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The label.
    #[error(transparent)]
    Label(#[from] LabelError),
}

/// Why a blocking signing call has no result.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SignOverError<C: fmt::Debug, H = ()> {
    /// Key, parties, path or setup.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The label.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The run.
    #[error("{0}")]
    Run(RunError<C, NothingToStore, H>),
}

impl<C: fmt::Debug, H> fmt::Debug for SignOverError<C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign(error) => error.fmt(f),
            Self::Label(error) => error.fmt(f),
            Self::Run(error) => error.fmt(f),
        }
    }
}

/// Signing makes no key material: there is nothing to store, and a store is never asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NothingToStore;

const fn nothing_to_store<O>(_: &Pending<O>) -> Result<Stored, NothingToStore> {
    Err(NothingToStore)
}

impl Storable for Wallet {
    /// The share, then a byte that says whether the factor follows.
    fn encode(&self, w: &mut Writer) {
        self.share.encode(w);
        match &self.factor {
            None => {
                w.u8(0);
            }
            Some(factor) => {
                w.u8(1);
                factor.encode(w);
            }
        }
    }

    fn max_len(&self) -> usize {
        self.share.max_len() + 1 + self.factor.as_ref().map_or(0, Storable::max_len)
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let share = KeyShare::decode(r)?;
        let factor = match r.u8()? {
            0 => None,
            1 => Some(PairFactor::decode(r)?),
            _ => return Err(DecodeError::Value),
        };
        let one_key = |f: &PairFactor| {
            f.key_id() == share.key_id()
                && f.public_key() == share.public_key()
                && pair_of(&share).is_ok_and(|pair| pair == *f.pair())
        };
        if factor.as_ref().is_none_or(one_key) { Ok(Self { share, factor }) } else { Err(DecodeError::Value) }
    }
}

/// Starts *create a wallet ready to sign*: nine messages, the client sends the first. `who` is a [`crate::Role`], a
/// [`Pair`] with identities, or a [`CreateSetup`] with options.
///
/// Ends as safety.md S2 says: [`crate::Step::Prepared`], the caller stores, [`Session::stored`], [`crate::Step::Done`].
///
/// # Errors
/// [`StartError`].
pub fn create(
    who: impl Into<CreateSetup>,
    label: Label,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<(Session<Create>, Vec<Outgoing>), StartError> {
    Session::start(who.into(), &(), (), label, auth, rng)
}

/// [`create()`] over a blocking channel that authenticates the peer. `save` seals and stores the pending wallet and
/// returns the receipt; keep what it stored until the peer has used the wallet, since the last frame may get lost without
/// anybody's notice (`Session::<Create>::resume_ending` sends it again). The pair setup is dropped: [`Wallet::sign_over`] makes its own. To keep it, call
/// [`crate::run`] with [`Create`].
///
/// # Errors
/// [`RunError`].
pub fn create_over<C: Channel, S>(
    channel: &mut C,
    who: impl Into<CreateSetup>,
    label: Label,
    rng: &mut impl TryCryptoRng,
    save: impl FnMut(&Pending<Wallet>) -> Result<Stored, S>,
) -> Result<Wallet, RunError<C::Error, S, Made>> {
    let finished = run::<Create, _, S>(who.into(), &(), (), label, Auth::Channel, rng, channel, save)?;
    Ok(finished.output)
}
