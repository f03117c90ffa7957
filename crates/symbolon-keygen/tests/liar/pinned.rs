//! Every byte of honest runs, pinned.

use crate::*;
use symbolon_keygen::{Convert, ConvertSetup, PairRefresh, RefreshSetup};
use symbolon_testkit::pinned;

const ROLES: [Role; 2] = [Role::Server, Role::Client];

fn both<P: Protocol + 'static>(sessions: [Started<P>; 2]) -> String {
    pinned(ROLES.into_iter().zip(sessions).map(|(role, started)| (role.id(), started)))
}

#[test]
fn runs_say_what_they_said() {
    let seed = |role: Role| 40 + u64::from(role.id().get());
    assert_eq!(
        both(ROLES.map(|role| start::<Keygen>(role, KeygenSetup::new(pair(role)), &(), (), seed(role)))),
        "06b3af6c182f0721"
    );
    let factors = factors(1);
    let refresh = [0, 1].map(|i| {
        let setup = RefreshSetup::new(&factors[i], 3).unwrap();
        start::<PairRefresh>(ROLES[i], setup, &factors[i], (), seed(ROLES[i]))
    });
    assert_eq!(both(refresh), "6c906ac5686c4025");
    let [server, client] = pair_setups(2);
    let mut setups = [Some(server), Some(client)];
    let convert = [0, 1].map(|i| {
        let mut ots = setups[i].take().unwrap();
        let setup = ConvertSetup::new(&factors[i], &mut ots, 4).unwrap();
        start::<Convert>(ROLES[i], setup, &factors[i], ots, seed(ROLES[i]))
    });
    assert_eq!(both(convert), "ececd01890227dcf");
}
