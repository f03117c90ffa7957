//! Every byte of honest runs, pinned.

use crate::dkg::{keygen, scheme, start};
use crate::net::*;
use crate::reshare::*;
use symbolon_core::{Ed25519, Group, Secp256k1, SecretScalar};
use symbolon_sharing::*;
use symbolon_testkit::pinned;

fn runs<G: Group>() -> [String; 5] {
    let dkg = [1, 2, 3].map(|me| start::<G>(me, 2, 3, 80));
    let old = keygen::<G>(2, 3, 81);
    let dealers = ids(&[1, 3]);
    let refresh = old.values().map(|share| started(refresh(share, &dealers, 4, Factors::Gone).unwrap(), 82));
    let batch = old.values().map(|share| started(refresh_batch(&[(share, 4, Factors::Gone)], &dealers).unwrap(), 83));
    let plan = plan_to(&old, &dealers, &[(1, 1), (2, 2), (4, 4)], 2);
    let hand_over = ready_all(&plan, &old).into_iter().map(|ready| started(ready, 84));
    let secret = SecretScalar::<G>::random(&mut rng(85));
    let plan = Import::<G> {
        dealer: members([2])[0],
        new: members([1, 2, 3]),
        threshold: th(2),
        scheme: scheme::<G>(),
        public_key: secret.public(),
    };
    let imports = [1, 2, 3].map(|me| {
        let key = (me == 2).then(|| (SecretScalar::new(*secret.expose()), [6; 32]));
        started(import(id(me), key, plan.clone()).unwrap(), 86)
    });
    [pinned(dkg), pinned(refresh), pinned(batch), pinned(hand_over), pinned(imports)]
}

#[test]
fn runs_say_what_they_said() {
    assert_eq!(
        runs::<Secp256k1>(),
        ["2ea6383ab3b442cb", "4ca60a8e6605338b", "db345c8b857ac65b", "b4fe770f50924d3e", "4ce4d1e65132a753"]
    );
    assert_eq!(
        runs::<Ed25519>(),
        ["27209e4a298820f3", "437f9c9498fdae6f", "c62ad9d953b1ca9a", "50b8858dffd14a6c", "5e1ae29e51636d3f"]
    );
}
