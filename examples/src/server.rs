//! A signing server: it survives a crash while a wallet is made, keeps pair setups in a ledger, and answers many
//! interleaved signings from a bank of pre-processed items.

use crate::wallet::Failure;
use std::{
    collections::BTreeMap,
    io::Write,
    time::{Duration, Instant},
};
use symbolon::{
    Auth, Bank, DerivationPath, Error, Header, Identity, Label, LabelTag, Ledger, MemoryLedger, Outgoing, Pair,
    PairSetup, PartyId, Payload, Pending, Preprocess, PreprocessSetup, Protocol, Role, RunTag, Session, SetupId,
    Signed, Step, StorageKey, Stored, SysRng, item_of, store,
    wallet::{self, Create, CreateSetup, Made, Wallet},
};

/// The library takes at most this many items from one run of pre-processing.
const BATCH: u16 = 256;

/// What a machine has on disk, and so what is left of it after a crash. The key comes from the platform's key store.
struct Disk {
    key: StorageKey,
    ledger: MemoryLedger, // an application: a table of a linearizable database, in no backup
    setups: BTreeMap<String, SetupId>, // by wallet name; the ledger does not list what it has
    pending: BTreeMap<String, Vec<u8>>, // wallets in doubt, sealed
    sealed: BTreeMap<String, Vec<u8>>, // confirmed wallets, sealed
}

/// One machine: its disk, and what dies with the process.
struct Machine {
    disk: Disk,
    wallets: BTreeMap<String, Wallet>,
    bank: Bank,
}

impl Machine {
    fn new() -> Result<Self, Failure> {
        let disk = Disk {
            key: StorageKey::generate(&mut SysRng)?,
            ledger: MemoryLedger::default(),
            setups: BTreeMap::new(),
            pending: BTreeMap::new(),
            sealed: BTreeMap::new(),
        };
        Ok(Self::boot(disk))
    }

    fn boot(disk: Disk) -> Self {
        Self { disk, wallets: BTreeMap::new(), bank: Bank::new() }
    }

    /// Everything in memory is lost.
    fn crash(self) -> Disk {
        self.disk
    }

    /// Reads the confirmed wallets.
    fn load(&mut self) -> Result<(), Failure> {
        for (name, sealed) in &self.disk.sealed {
            self.wallets.insert(name.clone(), store::open(sealed, &self.disk.key)?);
        }
        Ok(())
    }

    /// A setup is in exactly one place: in a run, or in the ledger.
    fn put(&mut self, name: &str, setup: PairSetup) -> Result<(), Failure> {
        let id = store::put_setup(&mut self.disk.ledger, &self.disk.key, setup, &mut SysRng)?;
        self.disk.setups.insert(name.into(), id);
        Ok(())
    }

    fn take(&mut self, name: &str) -> Result<PairSetup, Failure> {
        let id = self.disk.setups.get(name).ok_or("no pair setup for this wallet")?;
        Ok(store::take_setup(&mut self.disk.ledger, &self.disk.key, id)?)
    }

    /// Stores a pending wallet before anything leaves by which the peer could finish. An application does all three in one
    /// transaction: the setup, the claim that this run was not given up here, the sealed value.
    fn prepared(&mut self, name: &str, pending: &Pending<Wallet>, setup: PairSetup) -> Result<Stored, Failure> {
        self.put(name, setup)?;
        for end in pending.run_ends() {
            let Ok(_) = self.disk.ledger.claim(end);
        }
        let sealed = pending.seal(&self.disk.key, &mut SysRng)?;
        self.disk.pending.insert(name.into(), sealed.as_bytes().to_vec());
        Ok(sealed.stored())
    }

    /// Everybody has confirmed: the wallet is final. The pending value stays until the peer is known to have finished too,
    /// because this side's confirmation may still get lost.
    fn confirmed(&mut self, name: &str, mut wallet: Wallet) -> Result<(), Failure> {
        wallet.erase_factor(); // this service has no self-custody exit
        self.disk.sealed.insert(name.into(), store::seal(&wallet, &self.disk.key, &mut SysRng)?);
        self.wallets.insert(name.into(), wallet);
        Ok(())
    }
}

/// Makes a wallet. The server crashes at the worst moment, after it stored its pending wallet and before it could say so,
/// and comes back from its disk.
fn create(name: &str, client: &mut Machine, mut server: Machine) -> Result<Machine, Failure> {
    let label = Label::new(name)?;
    // setups are filed by pair, so both sides have names; the serial says which refreshes of this pair came before
    let pair = |role| Pair::new(role, Identity::name("signing service"), Identity::name(name));
    let serial = |at: &mut Machine, pair: &Pair| store::serial(&mut at.disk.ledger, pair);
    let (for_client, for_server) = (pair(Role::Client)?, pair(Role::Server)?);
    let Ok(at_client) = serial(client, &for_client).map(|n| CreateSetup::new(for_client).serial(n));
    let Ok(at_server) = serial(&mut server, &for_server).map(|n| CreateSetup::new(for_server).serial(n));
    let (mut at_client, mut frames) = wallet::create(at_client, label.clone(), Auth::Channel, &mut SysRng)?;
    let (mut at_server, _) = wallet::create(at_server, label, Auth::Channel, &mut SysRng)?;
    loop {
        match at_server.handle(PartyId::CLIENT, &only(frames)?)? {
            Step::Continue(answer) => frames = answer,
            Step::Prepared(pending, Made { setup, .. }) => {
                let _receipt = server.prepared(name, &pending, setup)?;
                break; // and here the power fails: `session.stored(receipt)` is never reached
            }
            Step::Done(..) => return Err("a wallet without a stored value".into()),
        }
        match at_client.handle(PartyId::SERVER, &only(frames)?)? {
            Step::Continue(answer) => frames = answer,
            _ => return Err("the client ends after the server".into()),
        }
    }
    drop(at_server);
    let mut server = Machine::boot(server.crash());

    // after the restart: every pending value is a run in doubt, which goes on where it stood
    let sealed = server.disk.pending.get(name).ok_or("nothing is pending")?;
    let (mut at_server, step) = Session::<Create>::resume_ending(sealed, &server.disk.key, Auth::Channel)?;
    let Step::Continue(frames) = step else { return Err("nobody can have confirmed yet".into()) };
    let Step::Prepared(pending, Made { setup, .. }) = at_client.handle(PartyId::SERVER, &only(frames)?)? else {
        return Err("the client has all it needs now".into());
    };
    let receipt = client.prepared(name, &pending, setup)?;
    let Step::Done(at_client, _, frames) = at_client.stored(receipt) else {
        return Err("the client has the server's confirmation".into());
    };
    client.confirmed(name, at_client)?;
    let Step::Done(at_server, _, _) = at_server.handle(PartyId::CLIENT, &only(frames)?)? else {
        return Err("the server has the client's confirmation".into());
    };
    server.confirmed(name, at_server)?;
    Ok(server)
}

/// Fills both banks with `count` items for a wallet. The setups leave the ledgers for it and come back.
fn preprocess(name: &str, count: u16, client: &mut Machine, server: &mut Machine) -> Result<(), Failure> {
    let start = |machine: &mut Machine| -> Result<_, Failure> {
        let mut setup = machine.take(name)?;
        let batch = PreprocessSetup::new(&mut setup, count)?;
        Ok(Session::<Preprocess>::start(batch, &(), setup, Label::new(name)?, Auth::Channel, &mut SysRng)?)
    };
    let (mut at_client, mut frames) = start(client)?;
    let (mut at_server, _) = start(server)?;
    while !frames.is_empty() {
        frames = filed(name, server, at_server.handle(PartyId::CLIENT, &only(frames)?))?;
        frames = filed(name, client, at_client.handle(PartyId::SERVER, &only(frames)?))?;
    }
    Ok(())
}

/// Files what a step of pre-processing made, and returns the frames to send.
fn filed(
    name: &str,
    at: &mut Machine,
    step: Result<Step<Preprocess>, Error<PairSetup>>,
) -> Result<Vec<Outgoing>, Failure> {
    if let Err(error) = &step {
        store::burn(&mut at.disk.ledger, &mut at.bank, error)?; // nothing to burn unless the peer cheated
    }
    match step? {
        Step::Continue(frames) => Ok(frames),
        Step::Done(items, setup, frames) => {
            at.bank.put(items);
            at.put(name, setup.ok_or("pre-processing gives the setup back")?)?;
            Ok(frames)
        }
        Step::Prepared(..) => Err("pre-processing makes no key".into()),
    }
}

/// Sessions that wait for a frame, by what the header of that frame will say.
struct Open<P: Protocol> {
    sessions: BTreeMap<(LabelTag, RunTag), Session<P>>,
    most: usize,
}

impl<P: Protocol> Open<P> {
    fn new() -> Self {
        Self { sessions: BTreeMap::new(), most: 0 }
    }

    fn insert(&mut self, header: &Header, session: Session<P>) {
        self.sessions.insert((header.label, header.run), session);
        self.most = self.most.max(self.sessions.len());
    }

    /// Gives a frame to its session. `None`: it is for nobody here, or not used; both are normal on a network that repeats
    /// and reorders.
    fn route(&mut self, from: PartyId, frame: &[u8], disk: &mut Disk, bank: &mut Bank) -> Option<Step<P>> {
        let header = Header::parse(frame).ok()?;
        let key = (header.label, header.run);
        let step = self.sessions.get_mut(&key)?.handle(from, frame);
        if !matches!(step, Ok(Step::Continue(_)) | Err(Error::Rejected(_))) {
            self.sessions.remove(&key); // it is over
        }
        if let Err(error) = &step {
            // what was burned must not serve anybody else, in the ledger and in the bank
            let Ok(()) = store::burn(&mut disk.ledger, bank, error);
        }
        step.ok()
    }
}

/// What was done.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Summary {
    /// Verified signatures at the clients.
    pub signatures: usize,
    /// How long the signing took, banks already filled.
    pub time: Duration,
    /// How many of the server's sessions were open at once.
    pub open: usize,
    /// Frames that the network delivered once too often, or that belong to nobody.
    pub ignored: usize,
}

/// Makes `wallets` wallets with a crash each, then `signatures` signatures spread over them.
///
/// # Errors
/// What did not work.
pub fn run(wallets: usize, signatures: usize, out: &mut dyn Write) -> Result<Summary, Failure> {
    let (mut client, mut server) = (Machine::new()?, Machine::new()?);
    let names: Vec<String> = (1..=wallets.max(1)).map(|n| format!("wallet {n}")).collect();
    for name in &names {
        server = create(name, &mut client, server)?;
        writeln!(out, "{name}: made, the server crashed between `Prepared` and `Done` and came back")?;
    }
    // another restart, with nothing in doubt: the wallets are read back, setups stay where they are
    let mut server = Machine::boot(server.crash());
    server.load()?;
    writeln!(out, "the server restarted and read {} wallets from its disk", server.wallets.len())?;

    for (i, name) in names.iter().enumerate() {
        let mut left = signatures / names.len() + usize::from(i < signatures % names.len());
        while left > 0 {
            let count = u16::try_from(left).map_or(BATCH, |n| n.min(BATCH));
            preprocess(name, count, &mut client, &mut server)?;
            left -= usize::from(count);
            writeln!(out, "{name}: {} items in the bank", client.bank.left(&client.disk.setups[name]))?;
        }
    }
    sign(&names, signatures, &mut client, &mut server, out)
}

/// All signings are open at once, on both sides, and the network reorders and repeats.
#[allow(clippy::disallowed_methods, reason = "a program may look at the clock")]
fn sign(
    names: &[String],
    signatures: usize,
    client: &mut Machine,
    server: &mut Machine,
    out: &mut dyn Write,
) -> Result<Summary, Failure> {
    let start = Instant::now();
    let (mut at_client, mut at_server) = (Open::new(), Open::new());
    let mut network = Vec::new();
    for (n, name) in (0..signatures).zip(names.iter().cycle()) {
        let message = format!("payment {n}");
        let payload = || Payload::personal_message(&message);
        let wallet = client.wallets.get(name).ok_or("the client has no such wallet")?;
        let id = client.bank.ids(&client.disk.setups[name]).next().ok_or("the client's bank is empty")?;
        let item = store::take_item(&mut client.disk.ledger, &mut client.bank, &id)?;
        let (session, frames) =
            wallet.sign_banked(item, payload(), DerivationPath::root(), Auth::Channel, &mut SysRng)?;
        let frame = only(frames)?;
        let header = Header::parse(&frame)?;
        at_client.insert(&header, session);

        // the application's own request (wallet, message, item) reaches the server, whose policy says yes
        let wallet = server.wallets.get(name).ok_or("the server has no such wallet")?;
        let id = item_of(&frame).ok_or("not a request to sign from the bank")?;
        let item = store::take_item(&mut server.disk.ledger, &mut server.bank, &id)?;
        let (session, _) = wallet.sign_banked(item, payload(), DerivationPath::root(), Auth::Channel, &mut SysRng)?;
        at_server.insert(&header, session);
        network.push((header.run, frame));
    }
    network.sort(); // ids are random, so this shuffles
    let repeated: Vec<_> = network.iter().step_by(10).cloned().collect();
    network.extend(repeated);

    let (mut done, mut ignored) = (0, 0);
    for (run, frame) in network {
        let Some(Step::Done(Signed::Released(record), _, frames)) =
            at_server.route(PartyId::CLIENT, &frame, &mut server.disk, &mut server.bank)
        else {
            ignored += 1;
            continue;
        };
        let Some(Step::Done(Signed::Signature(signature), ..)) =
            at_client.route(PartyId::SERVER, &only(frames)?, &mut client.disk, &mut client.bank)
        else {
            return Err(format!("no signature for item {run}").into());
        };
        if !record.is_completed_by(&signature) {
            return Err("the server helped with another signature".into());
        }
        done += 1;
        if done * 10 % signatures < 10 {
            writeln!(out, "{done} of {signatures} signed, {} sessions open", at_server.sessions.len())?;
        }
    }
    // the peers have used the wallets, so they have them: no confirmation can be missing any more
    client.disk.pending.clear();
    server.disk.pending.clear();
    Ok(Summary { signatures: done, time: start.elapsed(), open: at_server.most, ignored })
}

/// In a run of two parties that take turns, a step has one frame.
fn only(frames: Vec<Outgoing>) -> Result<Vec<u8>, Failure> {
    let [frame]: [Outgoing; 1] = frames.try_into().map_err(|_| "not exactly one frame")?;
    Ok(frame.bytes)
}
