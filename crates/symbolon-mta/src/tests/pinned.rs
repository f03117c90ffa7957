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

#[test]
fn runs_say_what_they_said() {
    for (suite, of_setup, of_products) in [(Suite::Blake3, "", ""), (Suite::Aes, "", "")] {
        let terms = |role: Role| PairSetupTerms { pair: role.into(), suite, serial: 5 };
        assert_eq!(both(|role| start::<PairSetupRun>(role, terms(role), &(), ())), of_setup, "{suite:?}");
        let Both { client, server } = setup(suite, 7);
        let mut setups = [Some(server), Some(client)];
        let products = both(|role| {
            let mut ots = setups[usize::from(role == Role::Client)].take().unwrap();
            let factors = MtaFactors::new([3, 4].map(|n| scalar(n + u64::from(role.id().get()))).into()).unwrap();
            let setup = MtaSetup::new(&mut ots, &factors).unwrap();
            start::<Mta>(role, setup, &factors, ots)
        });
        assert_eq!(products, of_products, "{suite:?}");
    }
    assert_eq!(pinned([1, 2, 3].map(|me| committee::honest(me, &[1, 2, 3]))), "");
}
