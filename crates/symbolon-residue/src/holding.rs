//! The half of a server handed to nodes, and the key put together again.

use crate::{
    Needles, leaving,
    members::{auth, holder, id, key, outputs, watch_keys},
    report::{Pass, Report},
    run::{Twist, play},
    secrets::{Recording, Secrets},
};
use std::collections::BTreeMap;
use symbolon::{
    DerivationPath, Identity, KeyId, Pair, PairFactor, Payload, Role, Setup, Storable, Threshold,
    backup::Expected,
    committee::{
        Change, ClientShare, Consent, Custody, Import, Imported, Imports, Nodes, QuorumRequest, Refreshes, Reshare,
    },
    wire::Reader,
};
use symbolon_backup::Backed;
use symbolon_core::{Group, Secp256k1, SecretScalar};
use symbolon_sharing::{exit_pair, import};

/// The share is the last that it encodes.
impl<G: Group> Secrets for Imported<G> {
    fn watch(&self) {
        let encoded = self.to_secret_bytes();
        let share = encoded.last_chunk().and_then(|share| G::scalar_from_bytes(share).ok());
        if let (Some(share), Some(_)) = (share, self.public_key()) {
            Needles::watch_scalar::<G>("an imported share", &share);
        }
    }
}

/// Runs them all.
pub fn all(reports: &mut Vec<Report>, only: Option<&str>) {
    Report::add(reports, only, "split custody", custody);
    Report::add(reports, only, "both factors", factors);
}

fn custody(r: &mut Report) {
    watch_keys(r);
    let mut both = leaving::shares(r, 0);
    let (client, server) = (both.pop().expect("two"), both.pop().expect("two"));
    let custody = Custody::of(&server, id(2)).expect("two of two");
    let half = r.entry("Custody::server_half", || custody.server_half(&server)).expect("the server's");
    let of_client = custody.clone();
    let kept = r.entry("Custody::client_share", || of_client.client_share(&client)).expect("the client's");
    if r.pass == Pass::Learn {
        half.0.watch();
        kept.secret().watch();
    }
    let encoded = r.entry("ClientShare::to_secret_bytes", || kept.to_secret_bytes());
    let again =
        r.entry("ClientShare::decode", || Reader::new(&encoded).whole(<ClientShare<Secp256k1> as Storable>::decode));
    r.entry("drop", || drop((again.expect("it decodes"), encoded)));

    // the server deals its half
    let nodes = [id(3), id(4), id(5)];
    let plan = custody.plan(holder(1), (3..=5).map(holder).collect(), Threshold::TWO).expect("other nodes");
    let copy = (SecretScalar::new(*half.0.expose()), half.1);
    let other = Import { public_key: *server.public_key(), ..plan.clone() };
    let refused = r.entry("sharing::import: another key", || import(id(1), Some(copy), other).is_err());
    assert!(refused);
    let mut half = Some(half);
    let (mut setups, mut sources) = (Vec::new(), Vec::new());
    for me in [id(1), nodes[0], nodes[1], nodes[2]] {
        let (dealt, plan) = (half.take(), plan.clone());
        let (setup, source) = r.entry("sharing::import", || import(me, dealt, plan)).expect("the plan");
        setups.push(setup);
        sources.push(source);
    }
    let parties = setups.into_iter().zip(&sources).map(|(setup, source)| {
        let me = setup.roster().me();
        (setup, source, (), auth(me))
    });
    let imported = outputs(play::<Reshare<Secp256k1, Imports>>(r, parties.collect(), Twist::Honest, 90));
    r.entry("drop", || drop(sources));
    // the nodes refresh it
    let (mut setups, mut sources) = (Vec::new(), Vec::new());
    for node in &nodes {
        let ready = r.entry("Imported::refresh", || imported[node].refresh(&nodes[..2], 1));
        let (setup, source) = ready.expect("a member");
        setups.push(setup);
        sources.push(source);
    }
    let parties = setups.into_iter().zip(&sources).map(|(setup, source)| {
        let me = setup.roster().me();
        (setup, source, (), auth(me))
    });
    let made = outputs(play::<Reshare<Secp256k1, Refreshes>>(r, parties.collect(), Twist::Honest, 91));
    r.entry("drop", || drop(sources));
    let mut words = BTreeMap::new();
    for (node, made) in &made {
        let (share, own) = (made.share.as_ref().expect("a member"), key(*node));
        let word = r.entry("KeyHealth::confirmation", || made.health.confirmation(share, &own));
        words.insert(*node, word.expect("its share"));
        r.entry("drop", || drop(own));
    }
    // the client signs with them
    let of = Nodes::of(made[&nodes[0]].share.as_ref().expect("a member"));
    let (payload, path) = (Payload::personal_message("pay"), "m/0/5".parse::<DerivationPath>().expect("a path"));
    let request = QuorumRequest::custody(&custody, &of, None, &nodes[..2], payload, path).expect("these nodes");
    let signer = r.entry("QuorumRequest::client", || request.client(&kept)).expect("the client");
    // the server erases its share
    let consent = Consent::new([Change::Retires(server.key_id(), server.epoch())]);
    let (own, health) = (&imported[&id(1)], &made[&nodes[0]].health);
    let gone = r.entry("Custody::retire", || custody.retire(server, own, health, &words, &consent));
    assert!(gone.is_ok());
    r.entry("drop", || drop((signer, kept, client, imported, made)));
}

fn factors(r: &mut Report) {
    let rng = &mut Recording::new(92);
    let (a, b) = (SecretScalar::<Secp256k1>::random(rng), SecretScalar::<Secp256k1>::random(rng));
    if r.pass == Pass::Learn {
        a.watch();
        b.watch();
        SecretScalar::<Secp256k1>::new(*a.expose() * b.expose()).watch();
    }
    let (points, whole) = ([a.public(), b.public()], Secp256k1::mul(&b.public(), a.expose()));
    let name = KeyId::from_bytes([3; 16]);
    let names = [Identity::name("the server"), Identity::name("the client")];
    let mut side = |role: Role, own: SecretScalar<Secp256k1>, peer| {
        let pair = Pair::new(role, names[0], names[1]).expect("two names");
        r.entry("PairFactor::new", || PairFactor::new(pair, name, 2, own, peer, whole, [5; 32])).expect("a factor")
    };
    let (server, client) = (side(Role::Server, a, points[1]), side(Role::Client, b, points[0]));
    for factor in [&server, &client] {
        r.entry("PairFactor::points", || factor.points());
        r.entry("header", || factor.header());
        r.entry("Expected::live", || Expected::live(factor));
    }
    let consent = Consent::new([Change::Exits(name)]);
    let exit = r.entry("exit_pair", || exit_pair(&server, &client, &consent)).expect("both sides");
    r.entry("exit_pair", || exit_pair(&server, &server, &consent).is_err());
    r.entry("drop", || drop((exit, server, client)));
}
