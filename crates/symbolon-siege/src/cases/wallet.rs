//! Two-party protocols: keys, setups, conversion, signatures.

use super::pair::{
    EXTENSION, HASH, POINT, ROLES, SCALAR, UNUSED, again, both, extension, multiplication, pair, pair_setup, role,
    schnorr, server_signs, slot, step_3, storage,
};
use super::{Make, Of, besieged};
use std::collections::BTreeMap;
use symbolon::{
    DerivationPath, Payload, Signed, Suite,
    wallet::{Create, CreateSetup, Made, SignStateless, StatelessSetup, Wallet},
};
use symbolon_core::{Group, Role, Secp256k1, SecretScalar};
use symbolon_ecdsa::{
    FullSetup, OnlineSetup, Preprocess, PreprocessSetup, Preprocessed, SignFull, SignOnline, Signature,
    hazmat::{open_item, seal_item},
    pair_of,
};
use symbolon_keygen::{Convert, ConvertSetup, Keygen, KeygenSetup, PairRefresh, RefreshSetup};
use symbolon_mta::{Mta, MtaFactors, MtaSetup, PairSetup, PairSetupRun, PairSetupTerms};
use symbolon_session::{Auth, Label, MemoryLedger, Protocol, Session};
use symbolon_sharing::{KeyShare, PairFactor};
use symbolon_testkit::{
    Duo, seeded,
    siege::{Besieged, Ends, Field, Free, Powers, Prepared},
};

type G = Secp256k1;

/// A wallet on both sides, a pair setup, and a batch of bank items, as stored.
pub(crate) struct World {
    wallets: [Wallet; 2],
    setups: [Vec<u8>; 2],
    items: [Vec<Vec<u8>>; 2],
}

/// Items of the batch: a run takes the one of its number, and the runs that the adversary records take the last ones.
const ITEMS: u16 = 64;

fn run<P: Protocol>(number: u64, mut start: impl FnMut(Role) -> Prepared<P>) -> [symbolon_testkit::Ended<P>; 2] {
    let mut rng = seeded(number);
    let [server, client] = ROLES.map(|role| {
        let Prepared { setup, secrets, input } = start(role);
        Session::<P>::start(setup, &secrets, input, Label::new("world").unwrap(), Auth::Channel, &mut rng).unwrap()
    });
    Duo::new(server, client).run().0
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let made = run::<Create>(seed, |role| Prepared { setup: CreateSetup::new(pair(role)), secrets: (), input: () });
        let mut wallets = Vec::new();
        let setups = made.map(|ended| {
            wallets.push(ended.output);
            let Made { setup, .. } = ended.held.unwrap();
            setup.seal(&storage(), &mut seeded(seed)).unwrap()
        });
        let wallets = <[Wallet; 2]>::try_from(wallets).ok().unwrap();
        let mut world = Self { wallets, setups, items: [Vec::new(), Vec::new()] };
        let items = run::<Preprocess>(seed, |role| world.preprocess(role, ITEMS)).map(|ended| {
            let seal = |item| seal_item(item, &storage(), &mut seeded(seed)).unwrap();
            ended.output.into_iter().map(seal).collect::<Vec<_>>()
        });
        world.items = items;
        world
    }

    fn share(&self, role: Role) -> &KeyShare<G> {
        self.wallets[slot(role)].share()
    }

    fn factor(&self, role: Role) -> &PairFactor {
        self.wallets[slot(role)].factor().unwrap()
    }

    fn setup(&self, role: Role) -> PairSetup {
        PairSetup::open(&self.setups[slot(role)], &storage()).unwrap()
    }

    /// No run meets a frame of another run on its item.
    fn item(&self, role: Role, number: u64) -> Preprocessed {
        let all = u64::from(ITEMS);
        let i = if number > u64::MAX - 4 { all - 1 - (u64::MAX - number) } else { number % (all - 4) };
        let sealed = &self.items[slot(role)][usize::try_from(i).unwrap()];
        open_item(sealed, &storage(), &mut MemoryLedger::default()).unwrap()
    }

    fn preprocess(&self, role: Role, count: u16) -> Prepared<Preprocess> {
        let mut input = self.setup(role);
        Prepared { setup: PreprocessSetup::new(&mut input, count).unwrap(), secrets: (), input }
    }

    fn full(&self, role: Role, number: u64) -> Prepared<SignFull> {
        let (share, mut input) = (self.share(role), self.setup(role));
        let setup = FullSetup::new(share, &mut input, payload(number), path()).unwrap();
        Prepared { setup, secrets: again(share), input }
    }

    fn online(&self, role: Role, number: u64, input: Preprocessed) -> Prepared<SignOnline> {
        let share = self.share(role);
        let setup = OnlineSetup::new(share, &input, payload(number), path()).unwrap();
        Prepared { setup, secrets: again(share), input }
    }

    /// The signature verifies under the derived key, and is the one that the server released.
    fn signed(&self, number: u64, ends: &Ends<Signed>) -> Result<(), String> {
        let share = self.share(Role::Server);
        let key = symbolon_ecdsa::derive(share.public_key(), share.chain_code(), &path()).unwrap().public_key;
        let verifies = |signature: &Signature| signature.verify(&key, &payload(number).digest()).is_ok();
        let ends = ROLES.map(|role| ends.outputs.get(&role.id()));
        match ends {
            [_, Some(Signed::Signature(signature))] if !verifies(signature) => Err("the signature".into()),
            [Some(Signed::Released(record)), _]
                if *record.payload() != payload(number) || *record.public_key() != key =>
            {
                Err("the record".into())
            }
            [Some(Signed::Released(record)), Some(Signed::Signature(signature))]
                if !record.is_completed_by(signature) =>
            {
                Err("the record is not of the signature".into())
            }
            [Some(Signed::Signature(_)), _] | [_, Some(Signed::Released(_))] => Err("the roles".into()),
            _ => Ok(()),
        }
    }
}

/// Every run signs a message of its own.
fn payload(number: u64) -> Payload {
    Payload::personal_message(number.to_be_bytes())
}

fn path() -> DerivationPath {
    "m/0/5".parse().unwrap()
}

/// Two halves of a setup work together: a product over them is right.
pub(crate) fn multiplies(halves: [PairSetup; 2]) -> Result<(), String> {
    let scalar = |k: u64| SecretScalar::<G>::new(<G as Group>::Scalar::from(k));
    let mut halves = BTreeMap::from(halves.map(|half| (half.pair().me(), half)));
    let members: Vec<_> = halves.keys().copied().collect();
    let ends = super::committee::honest::<Mta>(&members, 1, |me| {
        let mut input = halves.remove(&me).unwrap();
        let factor = scalar(if input.pair().role() == Role::Server { 7 } else { 9 });
        let secrets = MtaFactors::new(vec![factor]).unwrap();
        Prepared { setup: MtaSetup::new(&mut input, &secrets).unwrap(), secrets, input }
    });
    let sum = ends.values().map(|shares| *shares[0].expose()).sum::<<G as Group>::Scalar>();
    if sum == <G as Group>::Scalar::from(7u64 * 9) { Ok(()) } else { Err("a product over the setup".into()) }
}

/// The results of both, if both have one.
fn two<O>(ends: Ends<O>) -> Option<[O; 2]> {
    <[O; 2]>::try_from(ends.outputs.into_values().collect::<Vec<_>>()).ok()
}

fn wrong(is: bool, what: &str) -> Result<(), String> {
    if is { Err(what.into()) } else { Ok(()) }
}

/// `a*B = P`, and both mean the same pair.
fn factors<'f>(all: impl IntoIterator<Item = &'f PairFactor>) -> Result<(), String> {
    let all: Vec<_> = all.into_iter().collect();
    for factor in &all {
        let product = G::mul(factor.peer_point(), factor.secret().expose());
        wrong(product != *factor.public_key() || G::is_identity(&product), "the factor is not of the key")?;
        let (a, b) = factor.points();
        let own = if factor.pair().role() == Role::Server { a } else { b };
        wrong(own != factor.secret().public(), "the own point")?;
    }
    if let [one, other] = all[..] {
        let of = |f: &PairFactor| (f.key_id(), f.generation(), f.points(), *f.public_key(), *f.chain_code());
        wrong(of(one) != of(other), "the factors differ")?;
    }
    Ok(())
}

/// Both shares are of one key, and add up to it.
fn shares(all: &[&KeyShare<G>]) -> Result<(), String> {
    for share in all {
        // every invariant is checked when it is decoded
        let _: KeyShare<G> = again(*share);
    }
    if let [one, other] = all {
        let of = |s: &KeyShare<G>| (s.key_id(), s.sharing_id(), s.epoch(), *s.public_key(), *s.chain_code());
        wrong(of(one) != of(other) || one.members() != other.members(), "the shares differ")?;
        let lambdas = one.lambdas(&[one.me(), other.me()]).map_err(|error| error.to_string())?;
        let key = lambdas[0] * *one.secret().expose() + lambdas[1] * *other.secret().expose();
        wrong(G::mul_base(&key) != *one.public_key(), "the shares are not of the key")?;
    }
    Ok(())
}

fn of<P: Protocol + 'static>(
    name: &'static str,
    prepare: impl Fn(Role, u64) -> Prepared<P> + 'static,
    layout: fn(u8) -> Vec<Field>,
    check: impl Fn(u64, Ends<P::Output>) -> Result<(), String> + 'static,
) -> Of<P> {
    Of {
        name,
        members: both(),
        most_corrupt: 1,
        powers: Powers::none,
        prepare: Box::new(move |member, number| prepare(role(member), number)),
        layout: Box::new(move |round, _, _| layout(round)),
        free: &[],
        anonymous: &[],
        check: Box::new(check),
    }
}

fn keygen() -> Box<dyn Besieged> {
    let layout = |round| match round {
        1 => vec![Field::one("com", HASH)],
        2 => [vec![Field::one("B", POINT)], schnorr(), vec![Field::one("chain_R", HASH)]].concat(),
        3 => {
            [vec![Field::one("A", POINT), Field::one("chain_I", HASH), Field::one("opening", HASH)], schnorr()].concat()
        }
        _ => Vec::new(),
    };
    let prepare = |role, _| Prepared { setup: KeygenSetup::new(pair(role)), secrets: (), input: () };
    let case = of::<Keygen>("keygen", prepare, layout, |_, ends| factors(ends.outputs.values()));
    besieged(Of { powers: || Powers::none().with_suspend().with_ending(), ..case })
}

fn convert() -> Box<dyn Besieged> {
    let layout = |round| match round {
        2 => extension(EXTENSION, 6),
        3 => [multiplication(1), vec![Field::one("gamma_a", SCALAR)]].concat(),
        4 => [vec![Field::one("gamma_b", SCALAR), Field::one("X_R", POINT)], schnorr()].concat(),
        5 => [vec![Field::one("X_I", POINT)], schnorr()].concat(),
        _ => Vec::new(),
    };
    let world = World::new(2);
    let key = *world.factor(Role::Server).public_key();
    let prepare = move |role, _| {
        let (factor, mut input) = (world.factor(role), world.setup(role));
        Prepared { setup: ConvertSetup::new(factor, &mut input, 1).unwrap(), secrets: again(factor), input }
    };
    let check = move |_, ends: Ends<KeyShare<G>>| {
        wrong(ends.outputs.values().any(|share| *share.public_key() != key || share.epoch() != 1), "another key")?;
        shares(&ends.outputs.values().collect::<Vec<_>>())
    };
    let case = of::<Convert>("convert", prepare, layout, check);
    besieged(Of { powers: || Powers::none().with_ending(), ..case })
}

fn pair_refresh() -> Box<dyn Besieged> {
    let layout = |round| match round {
        1 => vec![Field::one("com", HASH)],
        2 => vec![Field::one("rho_C", SCALAR)],
        3 => vec![Field::one("rho_S", SCALAR), Field::one("opening", HASH)],
        _ => Vec::new(),
    };
    let world = World::new(3);
    let old = ROLES.map(|role| again(world.factor(role)));
    let prepare = move |role, _| {
        let factor = world.factor(role);
        let setup = RefreshSetup::new(factor, factor.generation() + 1).unwrap();
        Prepared { setup, secrets: again(factor), input: () }
    };
    let check = move |_, ends: Ends<PairFactor>| {
        factors(ends.outputs.values())?;
        for factor in ends.outputs.values() {
            let was = &old[slot(factor.pair().role())];
            let same = (was.key_id(), was.public_key(), was.chain_code())
                == (factor.key_id(), factor.public_key(), factor.chain_code());
            wrong(!same || factor.generation() != was.generation() + 1, "another key")?;
            wrong(factor.secret().public() == was.secret().public(), "nothing is refreshed")?;
        }
        Ok(())
    };
    let case = of::<PairRefresh>("pair-refresh", prepare, layout, check);
    besieged(Of { powers: || Powers::none().with_suspend().with_ending(), ..case })
}

const SETUP_FREE: &[Free] = &[(5, false, "PPRF correction", UNUSED), (6, false, "PPRF correction", UNUSED)];

fn setup() -> Box<dyn Besieged> {
    let terms = |role, _| Prepared {
        setup: PairSetupTerms { pair: pair(role), suite: Suite::Blake3, serial: 0 },
        secrets: (),
        input: (),
    };
    let check = |_, ends: Ends<PairSetup>| {
        let lied = ends.lied;
        // what a liar has is its own business
        two(ends).filter(|_| !lied).map_or(Ok(()), multiplies)
    };
    besieged(Of { free: SETUP_FREE, ..of::<PairSetupRun>("pair-setup", terms, pair_setup, check) })
}

fn preprocess() -> Box<dyn Besieged> {
    let layout = |round| match round {
        2 => [vec![Field::one("com_S", HASH)], extension(EXTENSION, 6)].concat(),
        3 => [extension(EXTENSION, 6), multiplication(2)].concat(),
        4 => multiplication(2),
        _ => Vec::new(),
    };
    let world = std::rc::Rc::new(World::new(4));
    let of_check = std::rc::Rc::clone(&world);
    let check = move |number, ends: Ends<Vec<Preprocessed>>| {
        wrong(ends.outputs.values().any(|items| items.len() != 1), "not one item")?;
        let Some(items) = two(ends) else { return Ok(()) };
        let mut items = items.map(|mut items| items.remove(0)).into_iter();
        let ends = run::<SignOnline>(number, |role| of_check.online(role, number, items.next().unwrap()));
        let outputs = ROLES.map(Role::id).into_iter().zip(ends.map(|end| end.output)).collect();
        of_check.signed(number, &Ends { outputs, lied: false, corrupt: Default::default() })
    };
    let prepare = move |role, _| world.preprocess(role, 1);
    let free: &[Free] =
        &[(2, false, "com_S", "a server may commit to anything: it can't open it, and the item has another name")];
    besieged(Of { free, ..of::<Preprocess>("preprocess", prepare, layout, check) })
}

fn sign() -> Box<dyn Besieged> {
    let layout = |round| match round {
        2 => [vec![Field::one("com_S", HASH)], extension(EXTENSION, 6)].concat(),
        3 => [extension(EXTENSION, 6), multiplication(2), step_3()].concat(),
        4 => [multiplication(2), server_signs()].concat(),
        _ => Vec::new(),
    };
    let world = std::rc::Rc::new(World::new(5));
    let of_check = std::rc::Rc::clone(&world);
    let prepare = move |role, number| world.full(role, number);
    besieged(of::<SignFull>("sign", prepare, layout, move |number, ends| of_check.signed(number, &ends)))
}

fn sign_online() -> Box<dyn Besieged> {
    let layout = |round| if round == 1 { step_3() } else { server_signs() };
    let world = std::rc::Rc::new(World::new(6));
    let of_check = std::rc::Rc::clone(&world);
    let prepare = move |role, number| world.online(role, number, world.item(role, number));
    besieged(of::<SignOnline>("sign-online", prepare, layout, move |number, ends| of_check.signed(number, &ends)))
}

fn mta() -> Box<dyn Besieged> {
    let layout = |round| match round {
        2 => extension(EXTENSION, 6),
        3 => [multiplication(1), vec![Field::one("gamma", SCALAR)]].concat(),
        4 => vec![Field::one("delta", SCALAR)],
        _ => Vec::new(),
    };
    let world = World::new(7);
    let factor =
        |role: Role, number: u64| SecretScalar::<G>::random(&mut seeded(number ^ u64::from(role.id().get()) << 32));
    let prepare = move |role, number| {
        let secrets = MtaFactors::new(vec![factor(role, number)]).unwrap();
        let mut input = world.setup(role);
        Prepared { setup: MtaSetup::new(&mut input, &secrets).unwrap(), secrets, input }
    };
    let check = move |number, ends: Ends<Vec<SecretScalar<G>>>| {
        // of a liar nothing proves that its factor is the one that it claims
        let Some([a, b]) = two(ends) else { return Ok(()) };
        let product = *factor(Role::Server, number).expose() * *factor(Role::Client, number).expose();
        wrong(*a[0].expose() + *b[0].expose() != product, "the product")
    };
    const OWN: &str = "another value is another factor, of which nothing here is proven";
    let free: &[Free] = &[(3, false, "gamma", OWN), (4, false, "delta", OWN), (4, false, "body", OWN)];
    besieged(Of { free, ..of::<Mta>("mta", prepare, layout, check) })
}

fn create() -> Box<dyn Besieged> {
    let layout = |round| {
        let setup = pair_setup(round);
        let confirmation = vec![Field::one("key confirmation", HASH)];
        match round {
            2 => [vec![Field::one("com_I", HASH)], setup].concat(),
            3 => [vec![Field::one("B", POINT)], schnorr(), vec![Field::one("chain_R", HASH)], setup].concat(),
            4 => [
                vec![Field::one("A", POINT), Field::one("chain_I", HASH), Field::one("opening", HASH)],
                schnorr(),
                setup,
            ]
            .concat(),
            5 => [confirmation, setup, extension(EXTENSION, 6)].concat(),
            6 => [confirmation, setup, multiplication(1), vec![Field::one("gamma_a", SCALAR)]].concat(),
            7 => [vec![Field::one("gamma_b", SCALAR), Field::one("X_R", POINT)], schnorr()].concat(),
            8 => [vec![Field::one("X_I", POINT)], schnorr()].concat(),
            _ => setup,
        }
    };
    let prepare = |role, _| Prepared { setup: CreateSetup::new(pair(role)), secrets: (), input: () };
    let check = |_, ends: Ends<Wallet>| {
        factors(ends.outputs.values().filter_map(Wallet::factor))?;
        shares(&ends.outputs.values().map(Wallet::share).collect::<Vec<_>>())
    };
    let case = of::<Create>("create", prepare, layout, check);
    besieged(Of { free: SETUP_FREE, powers: || Powers::none().with_ending(), ..case })
}

fn stateless() -> Box<dyn Besieged> {
    let layout = |round| {
        let setup = pair_setup(round);
        match round {
            5 => [setup, extension(EXTENSION, 6)].concat(),
            6 => [setup, vec![Field::one("com_S", HASH)], extension(EXTENSION, 6), multiplication(2)].concat(),
            7 => [multiplication(2), step_3()].concat(),
            8 => server_signs(),
            _ => setup,
        }
    };
    let world = std::rc::Rc::new(World::new(8));
    let of_check = std::rc::Rc::clone(&world);
    let prepare = move |role, number| {
        let share = world.share(role);
        let (pair, suite) = (pair_of(share).unwrap(), Suite::Blake3);
        let setup = StatelessSetup::new(share, &pair, suite, payload(number), path()).unwrap();
        Prepared { setup, secrets: again(share), input: () }
    };
    let case =
        of::<SignStateless>("sign-stateless", prepare, layout, move |number, ends| of_check.signed(number, &ends));
    besieged(Of { free: SETUP_FREE, ..case })
}

pub(super) fn all() -> Vec<(&'static str, Make)> {
    vec![
        ("keygen", Box::new(keygen)),
        ("convert", Box::new(convert)),
        ("pair-refresh", Box::new(pair_refresh)),
        ("pair-setup", Box::new(setup)),
        ("preprocess", Box::new(preprocess)),
        ("sign", Box::new(sign)),
        ("sign-online", Box::new(sign_online)),
        ("mta", Box::new(mta)),
        ("create", Box::new(create)),
        ("sign-stateless", Box::new(stateless)),
    ]
}
