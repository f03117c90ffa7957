#!/usr/bin/env python3
"""Reads a share backup of version 1 without the library: docs/backup.md in Python 3.9 or later.

Needs the packages of requirements.txt; `mnemonic` only for a phrase (it brings the word list and its checksum, which nobody
should have to look for in an emergency). Prints one JSON object and returns 0. On failure it prints the outcome, in the words of
docs/backup.md, and returns 1 (2: usage).

Its arithmetic is meant to be read and is not constant-time: run it where nobody can measure it.
"""

import argparse
import base64
import hashlib
import hmac
import io
import json
import sys
import unicodedata
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Optional, Tuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

Fields = Dict[str, Any]
KINDS = {1: "pair factor", 2: "key share"}
SCHEMES = {1: "ecdsa", 2: "frost"}
SLOTS = {(1, 1): "password", (2, 1): "phrase", (3, 1): "device", (3, 2): "xwing"}  # type, suite
MARKS = {1: "imported", 2: "exported", 4: "factor kept"}
MAX_LEN = 65536
MIB = 1 << 20


class Refused(Exception):
    """One of the outcomes of docs/backup.md."""


def refuse(outcome: str) -> NoReturn:
    raise Refused(outcome)


def take(data: io.BytesIO, size: int) -> bytes:
    found = data.read(size)
    return found if len(found) == size else refuse("malformed")


def number(data: io.BytesIO, size: int) -> int:
    return int.from_bytes(take(data, size), "big")


# Curves. A point is (x, y), the neutral element of secp256k1 None.

Point = Optional[Tuple[int, int]]
P_K, P_ED = 2**256 - 2**32 - 977, 2**255 - 19
D = -121665 * pow(121666, -1, P_ED) % P_ED


class Curve(NamedTuple):
    name: str
    size: int  # of an encoded point
    endian: Any  # of an encoded scalar
    order: int
    zero: Point
    base: Point
    add: Callable[[Point, Point], Point]
    decode: Callable[[bytes], Point]


def add_secp256k1(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P_K == 0:
        return None
    slope = 3 * a[0] ** 2 * pow(2 * a[1], -1, P_K) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P_K)
    x = (slope**2 - a[0] - b[0]) % P_K
    return x, (slope * (a[0] - x) - a[1]) % P_K


def decode_secp256k1(data: bytes) -> Point:
    if len(data) != 33 or data[0] not in (2, 3):
        refuse("malformed")
    x = int.from_bytes(data[1:], "big")
    y = pow(x**3 + 7, (P_K + 1) // 4, P_K)
    if x >= P_K or (y * y - x**3 - 7) % P_K:
        refuse("malformed")
    return x, (y if y % 2 == data[0] % 2 else P_K - y)


def add_ed25519(a: Point, b: Point) -> Point:
    assert a is not None and b is not None
    k = D * a[0] * b[0] * a[1] * b[1]
    inverse = pow(1 - k * k, -1, P_ED)
    x, y = a[0] * b[1] + a[1] * b[0], a[1] * b[1] + a[0] * b[0]
    return x * (1 - k) * inverse % P_ED, y * (1 + k) * inverse % P_ED


def decode_ed25519(data: bytes) -> Point:
    sign, y = divmod(int.from_bytes(data, "little"), 2**255)
    if len(data) != 32 or y >= P_ED:
        refuse("malformed")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P_ED) % P_ED
    x = pow(square, (P_ED + 3) // 8, P_ED)
    if (x * x - square) % P_ED:
        x = x * pow(2, (P_ED - 1) // 4, P_ED) % P_ED
    if (x * x - square) % P_ED or (x == 0 and sign):
        refuse("malformed")
    point = (x if x % 2 == sign else P_ED - x, y)
    # neither the neutral element nor a point with a part of small order
    if point == ED25519.zero or times(ED25519, ED25519.order, point) != ED25519.zero:
        refuse("malformed")
    return point


SECP256K1 = Curve(
    "secp256k1", 33, "big", 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141, None,
    (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8), add_secp256k1, decode_secp256k1)
ED25519 = Curve(
    "ed25519", 32, "little", 2**252 + 27742317777372353535851937790883648493, (0, 1),
    (0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A, 4 * pow(5, -1, P_ED) % P_ED),
    add_ed25519, decode_ed25519)
CURVES = {1: SECP256K1, 2: ED25519}


def times(curve: Curve, k: int, point: Point) -> Point:
    total = curve.zero
    while k:
        if k & 1:
            total = curve.add(total, point)
        point, k = curve.add(point, point), k >> 1
    return total


def interpolate(curve: Curve, points: List[Tuple[int, Point]], at: int) -> Point:
    """The value at `at` of the polynomial through these points, by Lagrange."""
    total = curve.zero
    for i, point in points:
        factor = 1
        for j, _ in points:
            if j != i:
                factor = factor * (at - j) * pow(i - j, -1, curve.order) % curve.order
        total = curve.add(total, times(curve, factor, point))
    return total


# Keys, HPKE (RFC 9180): base mode, DHKEM(X25519, HKDF-SHA256) or X-Wing, HKDF-SHA256, AES-256-GCM. No output has more than one
# block.

KEM, HPKE = b"KEM\0\x20", b"HPKE\0\x20\0\x01\0\x02"
HPKE_XWING = b"HPKE\x64\x7a\0\x01\0\x02"


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(ikm: bytes, salt: bytes, info: bytes) -> bytes:
    return mac(mac(salt, ikm), info + b"\x01")


def extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return mac(salt, b"HPKE-v1" + suite + label + ikm)


def expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int = 32) -> bytes:
    return mac(prk, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01")[:size]


def private_key(kind: str, secret: bytes, slot: Fields) -> bytes:
    """The private key that this secret gives in this slot."""
    if kind in ("device", "xwing"):
        return secret
    if kind == "password":
        ikm = Scrypt(slot["salt"], 32, 1 << slot["log_n"], slot["r"], slot["p"]).derive(secret)
    else:
        ikm = hkdf(secret, slot["salt"], b"symbolon/backup/1/phrase")
    return expand(KEM, extract(KEM, b"", b"dkp_prk", ikm), b"sk", b"")


def xwing_keys(seed: bytes) -> Tuple[MLKEM768PrivateKey, bytes]:
    """The two private keys of X-Wing."""
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]


def public_of(private: bytes, kind: str = "device") -> bytes:
    if kind == "xwing":
        ml_kem, x25519 = xwing_keys(private)
        return ml_kem.public_key().public_bytes_raw() + public_of(x25519)
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def exchange(private: bytes, public: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # all zeros: a point of low order
        refuse("malformed")


def decrypt(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        refuse("forged")


def decapsulate(private: bytes, enc: bytes) -> bytes:
    prk = extract(KEM, b"", b"eae_prk", exchange(private, enc))
    return expand(KEM, prk, b"shared_secret", enc + public_of(private))


def decapsulate_xwing(private: bytes, enc: bytes) -> bytes:
    ml_kem, x25519 = xwing_keys(private)
    shared = ml_kem.decapsulate(enc[:1088]) + exchange(x25519, enc[1088:])
    return hashlib.sha3_256(shared + enc[1088:] + public_of(x25519) + rb"\./" + b"/^\\").digest()


def hpke_open(kind: str, private: bytes, enc: bytes, info: bytes, sealed: bytes) -> bytes:
    hpke, kem = (HPKE_XWING, decapsulate_xwing) if kind == "xwing" else (HPKE, decapsulate)
    context = b"\0" + extract(hpke, b"", b"psk_id_hash", b"") + extract(hpke, b"", b"info_hash", info)
    secret = extract(hpke, kem(private, enc), b"secret", b"")
    key, nonce = expand(hpke, secret, b"key", context), expand(hpke, secret, b"base_nonce", context, 12)
    return decrypt(key, nonce, sealed, b"")


# The file: text, halves, container, slots.


def from_text(text: bytes) -> bytes:
    """The bytes of a PEM text; other bytes as they are."""
    if not text.startswith(b"-----BEGIN"):
        return text
    lines = text.replace(b"\r\n", b"\n").split(b"\n")
    lines = lines[:-1] if lines[-1] == b"" else lines
    try:
        data = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except ValueError:
        refuse("not the text form")
    coded = base64.b64encode(data)
    label = b" SYMBOLON SHARE BACKUP-----"
    once = [b"-----BEGIN" + label, *(coded[i : i + 64] for i in range(0, len(coded), 64)), b"-----END" + label]
    return data if lines == once and len(text) <= MAX_LEN * 3 // 2 else refuse("not the text form")


def content(data: bytes, magic: bytes) -> io.BytesIO:
    """What stands before the hash, with the magic of a container, read up to the kind."""
    if not 39 <= len(data) <= MAX_LEN:
        refuse("not a backup")
    rest, found = data[7:-32], data[:7] == magic
    intact = hashlib.sha256(magic + rest).digest() == data[-32:]
    if not (intact and found):
        refuse("damaged" if intact or found else "not a backup")
    if rest[:1] not in (b"", b"\x01"):
        refuse("unsupported")
    body = io.BytesIO(b"SYMBKUP" + rest)
    take(body, 8)
    return body


def read_clear(body: io.BytesIO) -> Fields:
    kind = number(body, 1)
    if kind not in KINDS:
        refuse("never backed up" if kind in (3, 4, 5) else "unsupported")
    curve, scheme = number(body, 1), number(body, 1)
    if scheme not in SCHEMES:
        refuse("unsupported")
    clear: Fields = {"kind": kind, "curve": curve, "scheme": scheme}
    clear.update(key_id=take(body, 16), sharing_id=take(body, 16), epoch=number(body, 4), generation=number(body, 4))
    clear.update(index=number(body, 2) or refuse("malformed"), threshold=number(body, 2), parties=number(body, 2))
    for name in ("public_key", "public_point"):
        clear[name] = take(body, number(body, 1))
        (CURVES.get(curve) or refuse("unsupported")).decode(clear[name])
    if not 2 <= clear["threshold"] <= clear["parties"]:
        refuse("malformed")
    return {**clear, "clear": body.getvalue()[: body.tell()]}


def check_key(name: str, key: bytes) -> None:
    """X25519's half is reduced and not of low order, ML-KEM's is reduced."""
    x25519, ml_kem = key[-32:], key[:-32]
    # only points of low order become zero, whatever the key
    if int.from_bytes(x25519, "little") >= P_ED or not exchange(bytes(32), x25519):
        refuse("malformed")
    if name == "public_key" and ml_kem:
        try:
            MLKEM768PublicKey.from_public_bytes(ml_kem)
        except ValueError:
            refuse("malformed")


def read_slot(body: io.BytesIO) -> Fields:
    kind, slot_body = number(body, 1), io.BytesIO(take(body, number(body, 2)))
    if kind not in (1, 2, 3):
        refuse("unsupported")
    slot: Fields = {"type": SLOTS.get((kind, number(slot_body, 1))) or refuse("unsupported")}
    if kind == 1:
        slot.update(log_n=number(slot_body, 1), r=number(slot_body, 4), p=number(slot_body, 4))
    if kind != 3:
        slot["salt"] = take(slot_body, 32)
    fields = (("public_key", 1, 32), ("enc", 2, 32), ("data_key", 2, 48))
    if slot["type"] == "xwing":
        fields = (("public_key", 2, 1216), ("enc", 2, 1120), ("data_key", 2, 48))
    for name, width, size in fields:
        if number(slot_body, width) != size:
            refuse("malformed")
        slot[name] = take(slot_body, size)
        if name != "data_key":
            check_key(name, slot[name])
    return slot if slot_body.read() == b"" else refuse("malformed")


def read_slots(body: io.BytesIO) -> Fields:
    """The slots and the MAC, and what is under it."""
    count = number(body, 1)
    slots = [read_slot(body) for _ in range(count)] if 1 <= count <= 8 else refuse("malformed")
    if all(slot["type"] == "xwing" for slot in slots):
        refuse("malformed")
    authenticated = body.getvalue()[: body.tell()]
    return {"slots": slots, "authenticated": authenticated, "mac": take(body, 32)}


def read_sealed(body: io.BytesIO) -> Fields:
    sealed: Fields = {"nonce": take(body, 12), "sealed": take(body, number(body, 4))}
    return sealed if len(sealed["sealed"]) >= 16 and body.read() == b"" else refuse("malformed")


def read_container(data: bytes) -> Fields:
    body = content(data, b"SYMBKUP")
    return {**read_clear(body), **read_slots(body), **read_sealed(body)}


def join(store: bytes, share: bytes) -> Fields:
    """The container from its two halves."""
    body = content(store, b"SYMBKUS")
    backup = {**read_clear(body), **read_slots(body)}
    if body.read():
        refuse("malformed")
    body, of_store = content(share, b"SYMBKUE"), hashlib.sha256(body.getvalue()).digest()
    clear, named = read_clear(body), take(body, 32)
    sealed = read_sealed(body)
    if any(clear[name] != backup[name] for name in ("key_id", "public_key")):
        refuse("another key")
    return {**backup, **sealed} if named == of_store and clear["clear"] == backup["clear"] else refuse("another backup")


# Opening.


def read_secret(kind: str, path: str) -> bytes:
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read().rstrip("\r\n")
    if kind == "password":
        secret = unicodedata.normalize("NFKC", text).encode()
        return secret if len(text.encode()) <= 1024 >= len(secret) else refuse("wrong password")
    name = "device" if kind == "xwing" else kind
    try:
        if name == "device":
            secret = bytes.fromhex(text)
        else:
            from mnemonic import Mnemonic

            secret = bytes(Mnemonic("english").to_entropy(text.lower().split()))
    except (ValueError, LookupError):
        refuse("wrong " + name)
    return secret if len(secret) == 32 else refuse("wrong " + name)


def check_work(slots: List[Fields]) -> None:
    """Before any of it is done, for a file may ask for it in every slot."""
    total = 0
    for log_n, r, p in ((slot["log_n"], slot["r"], slot["p"]) for slot in slots):
        if log_n > 20 or r > 16 or p > 4 or 128 * r << log_n > 256 * MIB:
            refuse("excessive work")
        if log_n < 14 or r == 0 or p == 0:
            refuse("weak work")
        total += 128 * r * p << log_n
        if total > 2048 * MIB:
            refuse("excessive work")


def open_payload(backup: Fields, kind: str, secret: bytes) -> bytes:
    slots = [slot for slot in backup["slots"] if slot["type"] == kind] or refuse("no slot")
    if kind == "password":
        check_work(slots)
    for slot in slots:
        private = private_key(kind, secret, slot)
        if hmac.compare_digest(public_of(private, kind), slot["public_key"]):
            break
    else:
        refuse("wrong " + ("device" if kind == "xwing" else kind))
    data_key = hpke_open(kind, private, slot["enc"], b"symbolon/backup/1" + backup["clear"], slot["data_key"])
    mac_key = hkdf(data_key, b"", b"symbolon/backup/1/header")
    if not hmac.compare_digest(mac(mac_key, backup["authenticated"]), backup["mac"]):
        refuse("forged")
    key = hkdf(data_key, b"", b"symbolon/backup/1/payload")
    return decrypt(key, backup["nonce"], backup["sealed"], backup["clear"])


def require(fact: bool) -> None:
    if not fact:
        refuse("wrong share")


def holder(payload: io.BytesIO) -> Tuple[int, bytes]:
    """Index and identity."""
    index, found = number(payload, 2), take(payload, 33)
    require(found[0] in (1, 2))
    return index, found


def read_payload(backup: Fields, data: bytes) -> Fields:
    """The share, after every check against its public data."""
    payload, curve = io.BytesIO(data), CURVES[backup["curve"]]
    require(take(payload, 10) == b"SYMBOLON\x01" + bytes([backup["kind"]]) and number(payload, 1) == backup["curve"])
    share: Fields = {"scheme": 1, "sharing_id": bytes(16), "epoch": 0, "generation": 0, "threshold": 2, "parties": 2}
    points: List[Tuple[int, Point]] = []
    if backup["kind"] == 2:
        share.update(scheme=number(payload, 1), key_id=take(payload, 16), sharing_id=take(payload, 16))
        require(share["scheme"] == 2 or backup["curve"] == 1)
        share["epoch"], marks = number(payload, 4), number(payload, 1)
        share.update(threshold=number(payload, 2), index=number(payload, 2), parties=number(payload, 2))
        require(2 <= share["threshold"] <= share["parties"] <= 255)
        identities = set()
        for _ in range(share["parties"]):
            index, name = holder(payload)
            require(index > (points[-1][0] if points else 0) and (name[0] == 1 or share["parties"] == 2))
            identities.add(name)
            points.append((index, curve.decode(take(payload, curve.size))))
        require(len(identities) == share["parties"])
    else:
        share["index"], (server, one), (client, other) = number(payload, 2), holder(payload), holder(payload)
        require(0 < server < client and one != other and share["index"] in (server, client))
        share.update(key_id=take(payload, 16), generation=number(payload, 4))
        marks, peer = number(payload, 1), curve.decode(take(payload, 33))
    share["public_key"], chain_code, secret = take(payload, curve.size), take(payload, 32), take(payload, 32)
    require(marks <= 7 and payload.read() == b"" and all(backup[name] == value for name, value in share.items()))
    scalar, public_key = int.from_bytes(secret, curve.endian), curve.decode(share["public_key"])
    own = times(curve, scalar, curve.base)
    require(0 < scalar < curve.order and own == curve.decode(backup["public_point"]))
    if backup["kind"] == 2:
        some, rest = points[: share["threshold"]], points[share["threshold"] :]
        require(any(point == (share["index"], own) for point in points))
        require(interpolate(curve, some, 0) == public_key != interpolate(curve, some[1:], 0))
        require(all(interpolate(curve, some, index) == point for index, point in rest))
    else:
        require(times(curve, scalar, peer) == public_key and peer != own)
    return {"marks": [name for bit, name in MARKS.items() if marks & bit], "chain_code": chain_code, "secret": secret}


def read(args: argparse.Namespace) -> Fields:
    files = []
    for path in [args.file] if args.file else [args.store, args.share]:
        with open(path, "rb") as file:
            files.append(file.read(2 * MAX_LEN))
    backup = read_container(from_text(files[0])) if args.file else join(*files)
    shown = {name: backup[name] for name in ("epoch", "generation", "index", "threshold", "parties")}
    shown.update(kind=KINDS[backup["kind"]], curve=CURVES[backup["curve"]].name, scheme=SCHEMES[backup["scheme"]])
    shown.update((name, backup[name].hex()) for name in ("key_id", "sharing_id", "public_key", "public_point"))
    shown["slots"] = [slot["type"] for slot in backup["slots"]]
    if backup["kind"] == 1 and backup["curve"] != 1:
        refuse("another kind")
    if args.public_key is not None and args.public_key != backup["public_key"]:
        refuse("another key")
    if args.epoch > backup["generation" if backup["kind"] == 1 else "epoch"]:
        refuse("old epoch")
    if args.public_share is not None and args.public_share != backup["public_point"]:
        refuse("another share")
    for kind in SLOTS.values():
        path = getattr(args, kind)
        if path is not None:
            payload = open_payload(backup, kind, read_secret(kind, path))
            try:
                share = read_payload(backup, payload)
            except Refused:
                refuse("wrong share")
            # without the caller's word anybody may have made a share that fits
            right = None not in (args.public_key, args.public_share)
            shown.update(marks=share["marks"], chain_code=any(share["chain_code"]), share_matches=right)
            if args.secret:
                shown.update(secret=share["secret"].hex(), chain_code_secret=share["chain_code"].hex())
    return shown


def main(argv: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="Reads a share backup (docs/backup.md). What a backup says of itself proves "
                                     "nothing until it was opened and its public key and public share are the "
                                     "expected ones.")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the backup, bytes or text")
    parser.add_argument("--store", metavar="F", help="one half: the secret store")
    parser.add_argument("--share", metavar="F", help="the other half: the encrypted share")
    unlock = parser.add_mutually_exclusive_group()
    unlock.add_argument("--password-file", dest="password", metavar="F", help="UTF-8; line ends at its end do not count")
    unlock.add_argument("--phrase-file", dest="phrase", metavar="F", help="24 English words")
    unlock.add_argument("--device-key-file", dest="device", metavar="F", help="an X25519 private key in hex")
    unlock.add_argument("--xwing-key-file", dest="xwing", metavar="F", help="an X-Wing private key (32 bytes) in hex")
    parser.add_argument("--public-key", type=bytes.fromhex, metavar="HEX", help="the expected public key")
    parser.add_argument("--public-share", type=bytes.fromhex, metavar="HEX",
                        help="the expected public point of the share, which every holder of the key knows")
    parser.add_argument("--epoch", type=int, default=0, metavar="N", help="refuse backups of an earlier epoch (generation)")
    parser.add_argument("--secret", action="store_true", help="print the secret and the chain code")
    args = parser.parse_args(argv)
    if (args.file is None) == (args.store is None) or (args.store is None) != (args.share is None):
        parser.error("give either FILE, or --store and --share")
    try:
        print(json.dumps(read(args)))
    except Refused as outcome:
        print(outcome)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
