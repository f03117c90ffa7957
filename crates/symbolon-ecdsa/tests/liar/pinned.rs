//! Every byte of honest runs, pinned.

use crate::*;
use symbolon_testkit::pinned;

const ROLES: [Role; 2] = [Role::Server, Role::Client];

#[test]
fn runs_say_what_they_said() {
    let seed = |role: Role| 40 + u64::from(role.id().get());
    assert_eq!(pinned(ROLES.map(|role| (role.id(), preprocess(role, 2, seed(role))))), "6053aef698928895");
    assert_eq!(pinned(ROLES.map(|role| (role.id(), online(role, 41)))), "2749baa1d5c4ec57");
    assert_eq!(pinned(ROLES.map(|role| (role.id(), full(role, seed(role))))), "e7e36c01bba9cf49");
}
