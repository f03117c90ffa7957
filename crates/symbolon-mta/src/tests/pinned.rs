//! Every byte of honest runs, pinned.

use super::{committee, *};
use alloc::string::String;
use symbolon_session::{Auth, Label, Outgoing, Protocol, Session};
use symbolon_testkit::pinned;

const ROLES: [Role; 2] = [Role::Server, Role::Client];

fn start<P: Protocol>(
    role: Role,
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
) -> (Session<P>, Vec<Outgoing>) {
    let (label, seed) = (Label::new("pinned").unwrap(), u64::from(role.id().get()));
    Session::start(setup, secrets, input, label, Auth::Channel, &mut rng(seed)).unwrap()
}

fn both<P: Protocol + 'static>(mut start: impl FnMut(Role) -> (Session<P>, Vec<Outgoing>)) -> String {
    pinned(ROLES.map(|role| (role.id(), start(role))))
}

fn pair_setup(suite: Suite) -> String {
    let terms = |role: Role| PairSetupTerms { pair: role.into(), suite, serial: 5 };
    both(|role| start::<PairSetupRun>(role, terms(role), &(), ()))
}

fn products(suite: Suite) -> String {
    let Both { client, server } = setup(suite, 7);
    let mut setups = [Some(server), Some(client)];
    both(|role| {
        let mut ots = setups[usize::from(role == Role::Client)].take().unwrap();
        let factors = MtaFactors::new([3, 4].map(|n| scalar(n + u64::from(role.id().get()))).into()).unwrap();
        let setup = MtaSetup::new(&mut ots, &factors).unwrap();
        start::<Mta>(role, setup, &factors, ots)
    })
}

#[test]
fn runs_say_what_they_said() {
    assert_eq!(SUITES.map(pair_setup), ["142fca6adeba18e4", "5740c4eb899d1dbd"]);
    assert_eq!(SUITES.map(products), ["36b7518b676709d5", "1ddda67de0a9bba1"]);
    assert_eq!(pinned([1, 2, 3].map(|me| committee::honest(me, &[1, 2, 3]))), "0ab408ec1c0cb492");
}
