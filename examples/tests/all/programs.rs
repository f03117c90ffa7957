//! The example programs do what they say, with small numbers.

use std::{
    io::{ErrorKind, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};
use symbolon::{Channel, Payload};
use symbolon_examples::{blame, server, two_parties};

#[test]
fn two_parties_sign_over_tcp() {
    let (address, signature) = two_parties::run("test").unwrap();
    let key = signature.recover(&Payload::personal_message("test").digest()).unwrap();
    assert_eq!(symbolon::EthereumAddress::from_public_key(&key), address);
}

#[test]
fn the_tcp_channel_keeps_borders_and_limits() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut far = two_parties::TcpChannel::new(listener.accept().unwrap().0, Duration::from_millis(200)).unwrap();

    near.write_all(&[0, 0, 0, 2, 7, 8, 0, 0, 0, 0]).unwrap();
    assert_eq!(far.receive().unwrap(), [7, 8]);
    assert!(far.receive().unwrap().is_empty());

    near.write_all(&[0, 0x10, 0, 1]).unwrap(); // one byte more than allowed is announced
    assert_eq!(far.receive().unwrap_err().kind(), ErrorKind::InvalidData);
    near.write_all(&[0, 0, 0, 9, 1]).unwrap(); // a frame that is never finished
    assert!(matches!(far.receive().unwrap_err().kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
}

#[test]
fn the_server_survives_and_signs() {
    let mut out = Vec::new();
    let done = server::run(2, 25, &mut out).unwrap();
    assert_eq!((done.signatures, done.open, done.ignored), (25, 25, 3));
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.matches("crashed between `Prepared` and `Done`").count(), 2, "{out}");
    assert!(out.contains("25 of 25 signed, 0 sessions open"), "{out}");
}

#[test]
fn blame_falls_on_the_liar_only() {
    let mut out = Vec::new();
    blame::run(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let [altered, message, path, cheat, garbage] = sections(&out);

    assert!(altered.contains("without a valid signature"), "{altered}");
    assert!(altered.contains("The client finished") && altered.contains("The server finished"), "{altered}");
    for differ in [message, path] {
        assert!(!differ.contains("is to blame:") && !differ.contains("finished"), "{differ}");
    }
    assert!(path.contains("did not ask for the same") && path.contains("Compare what both sides"), "{path}");
    assert!(
        cheat.contains("The client is to blame: what it used in the signature is not what it had committed to. 1 pair"),
        "{cheat}"
    );
    assert!(cheat.contains("the same two parties have signed"), "{cheat}");
    assert!(garbage.contains("no frame of this version"), "{garbage}");
    assert!(garbage.contains("The client reads: The server is to blame"), "{garbage}");
}

/// The parts that begin with "1. " to "5. ".
fn sections(out: &str) -> [&str; 5] {
    let at = [1, 2, 3, 4, 5].map(|n| out.find(&format!("{n}. ")).unwrap());
    [&out[at[0]..at[1]], &out[at[1]..at[2]], &out[at[2]..at[3]], &out[at[3]..at[4]], &out[at[4]..]]
}
