//! Every byte of honest runs, pinned.

use crate::*;
use symbolon_testkit::pinned;

const ROLES: [Role; 2] = [Role::Server, Role::Client];

#[test]
fn runs_say_what_they_said() {
    let seed = |role: Role| 40 + u64::from(role.id().get());
    assert_eq!(pinned(ROLES.map(|role| (role.id(), preprocess(role, 2, seed(role))))), "10014fd6f282c54c");
    assert_eq!(pinned(ROLES.map(|role| (role.id(), online(role, 41)))), "0f58120edbc853a8");
    assert_eq!(pinned(ROLES.map(|role| (role.id(), full(role, seed(role))))), "aed5d120e05656ab");
}
