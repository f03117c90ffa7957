#!/usr/bin/env python3
"""Makes fuzz/seeds from the vectors of the library: one file for each vector, and some for each way to build a text."""

import base64
import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent / "crates/symbolon-dero/testdata"
BACKUPS = HERE.parent / "crates/symbolon-backup/testdata/v1"


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def write(target, seeds):
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        # what runs have found stays: `fuzz/run --minimise` chooses it
        if not path.name.startswith("found-"):
            path.unlink()
    for name, data in seeds:
        path = folder / name
        assert not path.exists(), name
        path.write_bytes(data)
    print(f"{target}: {len(seeds)} seeds")


def piece(text):
    return bytes([len(text)]) + text.encode()


def addresses():
    keys = [bytes.fromhex(key["public_key"]) for key in load("signatures")["test_keys"]]
    seeds = [(v["name"], v["address"].encode()) for v in load("addresses")["vectors"]]
    for i, key in enumerate(keys):
        # the bytes after the first: as the functions of src/address.rs read them
        seeds.append((f"built-payload-{i}", b"\x01" + bytes([i % 2]) + b"\x01" + key))
        seeds.append((f"built-account-{i}", b"\x02" + bytes([i % 2]) + key))
        seeds.append((f"built-undamaged-{i}", b"\x04" + bytes([i % 2]) + key))
    # a comment and a port
    cbor = bytes.fromhex("a262435365") + b"hello" + bytes.fromhex("6244551b0000001234567890")
    seeds.extend((f"built-cbor-{i}", b"\x05" + bytes([i]) + cbor) for i in range(3))
    # each type once
    values = [piece("hello")] + [b"\xff\x80" + bytes(6) + b"\x00", b"\x7f" + bytes(7) + b"\x09"]
    values += [b"\x01" * 32 + b"\x07", bytes.fromhex("3fb999999999999a"), bytes.fromhex("3dcccccd")]
    values += [b"\x3e\x00", b"\x02" * 32, b"", bytes(4) + bytes.fromhex("69906280") + b"\x00"]
    chosen = [values[:5], values[5:]]
    for part, first in enumerate((0, 5)):
        items = b"".join(piece(f"n{i}") + bytes([first + i]) + value for i, value in enumerate(chosen[part]))
        seeds.append((f"built-arguments-{part}", b"\x06" + bytes([part, len(chosen[part])]) + items))
    seeds.append(("built-groups", b"\x03\x00" + groups(b"\x01" + keys[0])))
    # numbers of 16 bits: the smallest, the largest that is below the others, infinity
    for bits in ("0001", "03ff", "7c00"):
        seeds.append((f"built-half-{bits}", b"\x06\x00\x01" + piece("f") + b"\x06" + bytes.fromhex(bits)))
    nothing = piece("n") + b"\x00\x00"
    lists = {"none": b"\x00", "twice": b"\x02" + nothing * 2, "nameless": b"\x01\x00\x00\x00"}
    lists["nan"] = b"\x01" + piece("f") + b"\x06\x7e\x00"
    seeds.extend((f"refused-list-{name}", b"\x06\x00" + items) for name, items in lists.items())
    encodings = {
        "order": "a262624901" "62614901",
        "twice": "a262614901" "62614902",
        "long-number": "a16261491801",
        "long-head": "b80162614901",
        "long-key": "a1780261 4901",
        "long-float": "a1626146fb3ff8000000000000",
        "nan": "a1626146f97e00",
        "negative-zero": "a1626146f98000",
        "zeros": "a162614c420001",
        "indefinite": "bf62614901ff",
        "untagged-time": "a162615401",
        "more": "a16261490100",
        "less": "a262614901",
        "many": "bbffffffffffffffff",
    }
    seeds.extend((f"refused-cbor-{name}", b"\x05\x00" + bytes.fromhex(cbor)) for name, cbor in encodings.items())
    return seeds


def groups(data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return bytes(int(bits[i : i + 5], 2) for i in range(0, len(bits), 5))


def messages():
    vectors = [v for v in load("signatures")["vectors"] if v["pem_base64"] is not None]
    seeds = [(v["name"], base64.b64decode(v["pem_base64"])) for v in vectors]
    for length in (0, 1, 47, 48, 49, 200):
        numbers = bytes([0x11] * 64)
        message = bytes(i % 256 for i in range(length))
        seeds.append((f"built-printed-{length}", b"\x01\x01\x55\x55\x02" + numbers + b"\x00\x01" + message))
        seeds.append((f"built-signed-{length}", b"\x02\x06" + b"m" + bytes([length]) + bytes(8)))
    seeds.append(("built-changed", b"\x02\x00m\x20" + bytes(8) + b"\x02\x00\x30\x01\x00\x60\x02"))
    seeds.append(("built-fields", b"\x03\x00\x00" + piece("1") + piece("f" * 63) + b"message"))
    for width, name in ((63, "built-width-64"), (75, "refused-width-76"), (62, "refused-width-63")):
        seeds.append((name, b"\x05\x00" + bytes([width]) + bytes(100)))
    for name, number in (("zero", "0"), ("zeros", "01"), ("upper", "F"), ("long", "1" * 65), ("none", " ")):
        seeds.append((f"refused-number-{name}", b"\x03\x00\x00" + piece(number) + piece("1") + b"message"))
    seeds.append(("built-body", b"\x04\x05" + b"bWVzc2FnZQ==\n"))
    return seeds


def challenges():
    vectors = load("challenges")["vectors"]
    texts = {v["name"]: base64.b64decode(v["text_base64"]) for v in vectors}
    seeds = list(texts.items())
    seeds.append(("built-expected", b"\x01" + b"\x00\x00\x02\x02\x00\x01" + bytes(90) + texts["server-made"]))
    empty = [b"\x00"] * 9
    seeds.append(("built-fields", b"\x02" + b"".join(empty) + b"\x00\x00\x02\x02\x03\x1e\x03\xff"))
    statement = empty[:2] + [piece("Sign in to My App")] + empty[3:]
    seeds.append(("built-fields-statement", b"\x02" + b"".join(statement)))
    seeds.append(("built-made", b"\x03" + b"\x00\x00" + b"\x02\x03\xff" + b"\x00\x00" + piece("Sign in") + b"/path"))
    seeds.append(("built-made-testnet", b"\x03" + b"\x01\x01" + b"\x02\x03\x01" + b"\x00\x00\x00"))
    uris = {"space": "https://myapp.com/ ", "scheme": "ftp://myapp.com", "upper": "HTTPS://myapp.com"}
    for name, text in uris.items():
        seeds.append((f"refused-uri-{name}", b"\x02" + b"".join(empty[:3] + [piece(text)] + empty[4:])))
    for name, text in {"tab": "a\tb", "cr": "a\r", "del": "\x7f", "line": "a\nb"}.items():
        seeds.append((f"refused-statement-{name}", b"\x02" + b"".join(empty[:2] + [piece(text)] + empty[3:])))
    for name, text in {"dots": "a..b", "dot": "a.", "upper": "A", "port": "a:0", "zero": "a:01", "high": "a:65536"}.items():
        seeds.append((f"refused-domain-{name}", b"\x02" + b"".join([piece(text)] + empty[1:])))
    uris = {"path": "/a", "query": "?a", "fragment": "#a", "user": "@a.com", "more": ".a.com", "port": ":443"}
    for name, text in uris.items():
        uri = piece("https://myapp.com" + text)
        seeds.append((f"built-uri-{name}", b"\x02" + b"".join(empty[:3] + [uri] + empty[4:])))
    seeds.append(("built-domain-port", b"\x02" + b"".join([piece("a-b.c:65535")] + empty[1:])))
    for name, year, month, day in (("leap", 2000, 2, 29), ("first", 0, 1, 1), ("last", 9999, 12, 31)):
        date = year.to_bytes(2, "big") + bytes([month, day, 23, 59, 59])
        seeds.append((f"built-time-{name}", b"\x04" + date + b"\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09"))
    seeds.append(("refused-many-lines", texts["server-made"] + bytes([10]) * 400))
    return seeds


def hashed(content):
    return content + hashlib.sha256(content).digest()


def halves(file):
    """The two halves of docs/backup.md."""
    at = 57
    for _ in range(2):
        at += 1 + file[at]
    clear, slots = at, file[at]
    at += 1
    for _ in range(slots):
        at += 3 + int.from_bytes(file[at + 1 : at + 3], "big")
    at += 32
    joined = hashlib.sha256(file[:at]).digest()
    return hashed(b"SYMBKUS\x01" + file[8:at]), hashed(b"SYMBKUE\x01" + file[8:clear] + joined + file[at:-32])


def backups():
    files = sorted(BACKUPS.glob("*.bin")) + sorted(BACKUPS.glob("*.pem"))
    seeds = [(path.name, path.read_bytes()) for path in files]
    for path in files[:2]:
        file = path.read_bytes()
        store, share = halves(file)
        seeds += [(f"{path.stem}-store", store), (f"{path.stem}-share", share)]
        # the bytes after the first: as the functions of src/backup.rs read them
        seeds.append((f"built-file-{path.stem}", b"\x01" + file[8:-32]))
        seeds.append((f"built-store-{path.stem}", b"\x02" + store[8:-32]))
        seeds.append((f"built-share-{path.stem}", b"\x03" + share[8:-32]))
        for width in (1, 64, 65, 76):
            kind = "built" if width == 64 else "refused"
            seeds.append((f"{kind}-lines-{width}-{path.stem}", b"\x06" + bytes([width - 1]) + file[8:-32]))
    for which in range(5):
        seeds.append((f"built-unchanged-{which}", b"\x04" + bytes([which])))
        seeds.append((f"built-text-{which}", b"\x05" + bytes([which])))
        # a bit of the key id; a character
        seeds.append((f"built-changed-{which}", b"\x04" + bytes([which, 1, 0, 4, 1])))
        seeds.append((f"refused-text-{which}", b"\x05" + bytes([which, 1, 0, 60, 1])))
    # the number of slots, the length of P, the length of a slot, one byte more, cut
    for name, place in (("slots", 125), ("point", 57), ("slot", 127)):
        seeds.append((f"refused-{name}", b"\x04\x00\x01" + (place - 7).to_bytes(2, "big") + b"\xff"))
    seeds.append(("refused-more", b"\x04\x00\x00\x00more"))
    seeds.append(("refused-cut", b"\x04\x00\x00\x01\x02\x00"))
    return seeds


def keystores():
    """The two files of the definition, whose password is another and whose cost is too high; and cheap ones."""
    salt = "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"
    crypto = {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {"c": 262144, "dklen": 32, "prf": "hmac-sha256", "salt": salt},
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    }
    file = {"crypto": crypto, "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}
    seeds = [("pbkdf2", json.dumps(file).encode())]
    params = {"dklen": 32, "n": 262144, "p": 8, "r": 1, "salt": salt}
    file["crypto"] = crypto | {"kdf": "scrypt", "kdfparams": params}
    seeds.append(("scrypt", json.dumps(file, indent=2).encode()))
    for name, cost in (("scrypt", b"\x00\x00\x00"), ("scrypt-more", b"\x04\x01\x01"), ("pbkdf2", b"\x21")):
        seeds.append((f"built-{name}", b"\x01" + cost + b"\x00" + bytes([7] * 32) + bytes(16) + b"salt"))
        seeds.append((f"built-bare-{name}", b"\x01" + cost + b"\x01" + bytes([7] * 32) + bytes(16) + b"salt"))
        seeds.append((f"built-unchanged-{name}", b"\x02" + cost + b"\x07\x00"))
        seeds.append((f"refused-changed-{name}", b"\x02" + cost + b"\x07\x01\x00\xa0\x01"))
        seeds.append((f"refused-zero-{name}", b"\x01" + cost + b"\x00" + bytes(48)))
        seeds.append((f"refused-above-{name}", b"\x01" + cost + b"\x00" + bytes([255] * 32) + bytes(16)))
    seeds.append(("refused-work", b"\x01\x0e\x02\x02\x00" + bytes([7] * 48)))
    numbers = {"huge": "1" * 100, "exponent": "3e0", "negative": "-3", "text": '"3"', "deep": "[" * 100, "none": "null"}
    seeds.extend((f"refused-version-{name}", b"\x03" + piece(text)) for name, text in numbers.items())
    doubled = '"n":2,"n":2,"r":1,"p":1,"salt":""'
    seeds.append(("refused-twice", b"\x03" + bytes(6) + piece(doubled)))
    seeds.append(("refused-prf", b"\x03" + bytes(4) + piece('"pbkdf2"') + b"\x00" + piece('"c":1,"prf":"x","salt":""')))
    return seeds


def exports():
    request = b"SYMBEXQ\x01" + bytes(32) + bytes(32) + bytes(4) + b"\x09" + bytes(31) + bytes(8) + b"\x02" + bytes(32 + 64)
    seeds = [("request", request), ("built-request", b"\x01" + request[8:])]
    key = b"\x09" + bytes(31)
    for name, rest in {
        "zeros": b"\x00\x02\x00" + key + b"\x00\x00\x00\x40" + bytes(64),
        "length": b"\x00\x02\x00" + key + b"\xff\xff\xff\xff" + bytes(64),
        "low-order": b"\x00\x02\x00" + bytes(32) + b"\x00\x00\x00\x40" + bytes(64),
        "point": b"\x00\x02\x01\x02" + key + b"\x00\x00\x00\x40" + bytes(64),
    }.items():
        seeds.append((f"refused-answer-{name}", b"\x03" + rest))
    seeds.append(("built-unchanged-request", b"\x02"))
    seeds.append(("built-unchanged-answer", b"\x04"))
    # a bit of the receiver's key, the time, the signature; of the ciphertext; a byte less
    for place in (80, 115, 200):
        seeds.append((f"built-changed-request-{place}", b"\x02\x01" + place.to_bytes(2, "big") + b"\x01"))
    seeds.append(("refused-changed-answer", b"\x04\x01\x00\xa0\x01"))
    seeds.append(("refused-cut-answer", b"\x04\x00\x01"))
    return seeds


def edit(place, kind, *more):
    """One overwritten field, as `Bytes::overwrite` reads it; then nothing is cut."""
    return b"\x01" + place.to_bytes(2, "big") + bytes([kind, *more]) + b"\x00"


def cut(length):
    return b"\x00\x02" + length.to_bytes(2, "big")


def stored():
    """Way, kind, which: the kinds as src/stored.rs lists them."""
    seeds = []
    for kind in range(25):
        seeds.append((f"built-unchanged-{kind}", bytes([2, kind, 0])))
        seeds.append((f"refused-cut-{kind}", bytes([2, kind, 0]) + cut(20)))
        seeds.append((f"refused-empty-{kind}", bytes([1, kind])))
        seeds.append((f"refused-other-{kind}", bytes([3, kind, (kind + 1) % 25])))
    # magic, curve, a point, a scalar, the number of members
    for name, place, field in (("magic", 0, 5), ("curve", 10, 5), ("point", 120, 4), ("order", 170, 2), ("many", 53, 1)):
        more = (0xFF,) if field == 5 else (2,) if field == 1 else ()
        seeds.append((f"refused-{name}", bytes([2, 1, 0]) + edit(place, field, *more)))
    seeds.append(("built-envelope", b"\x00\x00" + bytes(8)))
    for name, place in (("magic", 0), ("version", 4), ("kind", 5), ("copy", 13), ("nonce", 29), ("tag", 60)):
        seeds.append((f"refused-envelope-{name}", b"\x00\x00" + bytes(8) + edit(place, 8, 1)))
    return seeds


def frames():
    """Case, member, how many frames before, way, said."""
    seeds = []
    for case in range(7):
        for member in (0, 1):
            due = bytes([case, member, 0])
            seeds.append((f"refused-honest-{case}-{member}", due + b"\x07\x00"))
            seeds.append((f"refused-short-{case}-{member}", due + b"\x00\x01" + b"\x01"))
            seeds.append((f"refused-past-{case}-{member}", bytes([case, member, 1]) + b"\x0f\x00\x00"))
    header = b"\x01" * 3 + b"\x00\x01" + bytes(34)
    seeds.append(("built-header", b"\x01" + header[1:] + bytes(4)))
    for case in (0, 1, 3):
        seeds.append((f"refused-field-{case}", bytes([case, 0, 0, 1, 0]) + edit(50, 8, 1)))
        seeds.append((f"either-lie-{case}", bytes([case, 0, 0, 3, 0]) + edit(5, 8, 1)))
        seeds.append((f"either-body-{case}", bytes([case, 0, 0, 4, 0]) + bytes(64)))
    return seeds


def on_both(seeds):
    return [(f"{name}-{curve}", bytes([data[0] | flag]) + data[1:]) for curve, flag in (("a", 0), ("b", 128)) for name, data in seeds]


GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
UNCOMPRESSED = GENERATOR[1:] + bytes.fromhex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
P = 2**256 - 2**32 - 977
# of the points of secp256k1 with a coordinate of 1
X_OF_ONE = 0x1FE1E5EF3FCEB5C135AB7741333CE5A6E80D68167653F6B2B24BCBCFAAAFF507
Y_OF_ONE = 0x4218F20AE6C646B363DB68605822FB14264CA8D2587FDD6FBC750D587E76A7EE
BASE = bytes.fromhex("58" + "66" * 31)
Q = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
L = 2**252 + 27742317777372353535851937790883648493


def proofs():
    seeds = [("built-generator", b"\x01" + GENERATOR), ("built-base", b"\x81" + BASE)]
    for tag in (0, 1, 4, 5, 6, 7, 255):
        seeds.append((f"refused-tag-{tag}", b"\x01" + bytes([tag]) + GENERATOR[1:]))
    seeds += [("refused-identity", b"\x01" + bytes(33)), ("refused-off", b"\x01\x02" + bytes(31) + b"\x05")]
    small = (1, 2**255 - 20, 0, 2**255 - 19, 2**255 - 18, 2**255 + 1, 2**255 - 1)
    seeds += [(f"refused-small-{i}", b"\x81" + y.to_bytes(32, "little")) for i, y in enumerate(small)]
    for name, number in (("last", Q - 1), ("zero", 0)):
        seeds.append((f"built-scalar-{name}", b"\x02" + number.to_bytes(32, "big")))
    for name, number in (("last", L - 1), ("one", 1)):
        seeds.append((f"built-scalar-{name}-b", b"\x82" + number.to_bytes(32, "little")))
    for name, number in (("q", Q), ("more", Q + 1)):
        seeds.append((f"refused-scalar-{name}", b"\x02" + number.to_bytes(32, "big")))
    for name, number in (("q", L), ("more", L + 1)):
        seeds.append((f"refused-scalar-{name}-b", b"\x82" + number.to_bytes(32, "little")))
    seeds.append(("built-uncompressed", b"\x01" + UNCOMPRESSED))
    for name, x, y in (("off", 5, 0), ("identity", 0, 0), ("x", P + 1, Y_OF_ONE), ("y", X_OF_ONE, P + 1)):
        seeds.append((f"refused-uncompressed-{name}", b"\x01" + x.to_bytes(32, "big") + y.to_bytes(32, "big")))
    for name, x, y in (("x", 1, Y_OF_ONE), ("y", X_OF_ONE, 1)):
        seeds.append((f"built-uncompressed-{name}", b"\x01" + x.to_bytes(32, "big") + y.to_bytes(32, "big")))
    seeds.append(("refused-uncompressed-other", b"\x01" + UNCOMPRESSED[:-1] + b"\xb9"))
    for point, long, flag, name in ((GENERATOR, UNCOMPRESSED, 0, "a"), (BASE, BASE, 128, "b")):
        for kind, data in enumerate((point, long, point * 2)):
            seeds.append((f"built-proof-{kind}-{name}", bytes([3 | flag, kind, 0]) + data + bytes(32)))
        seeds.append((f"built-feldman-{name}", bytes([3 | flag, 3, 0]) + point * 2))
        seeds.append((f"refused-feldman-{name}", bytes([3 | flag, 3, 1]) + point * 2))
        seeds.append((f"built-feldman-uncompressed-{name}", bytes([3 | flag, 5, 0]) + long * 2))
    way = b"\x00\x01" + b"\x00\x00\x00\x07"
    ways = [("built-schnorr", b"\x04" + way), ("built-batch", b"\x05\x00\x01\x02" + b"\x00\x00\x00\x07" * 3)]
    ways += [("refused-context", b"\x04" + way + b"\x02"), ("refused-changed", b"\x04" + way + b"\x00" + edit(40, 8, 1))]
    ways += [("built-dleq", b"\x06" + way + b"\x00\x00\x00\x05"), ("refused-dleq-identity", b"\x06" + way)]
    numbers = b"".join(bytes([0, 0, 0, i]) for i in range(1, 3))
    ways.append(("built-feldman-shares", b"\x07\x00" + numbers + b"\x00\x01\x00\x00\x02\x00\x00\x03\x00"))
    ways.append(("refused-feldman-zero", b"\x07\x00" + bytes(8)))
    ways += [("built-commitment", b"\x08" + bytes(4)), ("refused-commitment", b"\x08" + bytes(4) + edit(1, 8, 1))]
    return seeds + on_both(ways)


def signatures():
    half = Q // 2
    word = lambda number: number.to_bytes(32, "big")
    seeds = []
    for name, r, s in (("one", 1, 1), ("half", 5, half), ("last", Q - 1, 1)):
        seeds.append((f"built-compact-{name}", b"\x01" + word(r) + word(s) + b"\x01" + bytes(32)))
        seeds.append((f"built-rsv-{name}", b"\x02" + word(r) + word(s) + b"\x1c"))
    for name, r, s in (("zero-r", 0, 1), ("zero-s", 1, 0), ("high", 1, half + 1), ("q", Q, 1), ("q-s", 1, Q)):
        seeds.append((f"refused-compact-{name}", b"\x01" + word(r) + word(s) + b"\x00"))
        seeds.append((f"refused-rsv-{name}", b"\x02" + word(r) + word(s) + b"\x1b"))
    for v in (0, 26, 31):
        seeds.append((f"refused-v-{v}", b"\x02" + word(1) + word(1) + bytes([v])))
    for id in (2, 3):
        # x = r + q is below the prime
        seeds.append((f"built-reduced-{id}", b"\x01" + word(5) + word(7) + bytes([id]) + bytes(32)))
    ders = {"built": "3006020101020101", "refused-long": "308106020101020101", "refused-padded": "300702020001020101"}
    ders |= {"refused-negative": "3006020181020101", "refused-trailing": "300602010102010100", "refused-zero": "3006020100020101"}
    ders |= {"built-high-bit": "30070202008" + "1020101", "refused-short": "3006020101020102"[:-2], "refused-indefinite": "30800201010201010000"}
    seeds += [(f"{name}-der" if name == "built" else name, b"\x03\x00" + bytes.fromhex(der)) for name, der in ders.items()]
    seeds.append(("built-made", b"\x04\x00\x00\x00\x07" + bytes(32)))
    seeds.append(("refused-made-other", b"\x04\x00\x00\x00\x07" + bytes(32) + b"\x00\x01\x03"))
    seeds.append(("refused-made-id", b"\x04\x00\x00\x00\x07" + bytes(32) + b"\x01" + edit(64, 8, 0)))
    seeds.append(("built-point", b"\x05" + GENERATOR + word(half + 7)))
    seeds.append(("refused-point-zero", b"\x05" + GENERATOR + bytes(32)))
    for i, text in enumerate(("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")):
        seeds.append((f"built-address-{i}", text.encode()))
        for name, other in (("lower", text.lower()), ("upper", "0x" + text[2:].upper()), ("bare", text[2:]), ("0X", "0X" + text[2:])):
            seeds.append((f"refused-address-{name}-{i}", other.encode()))
    seeds.append(("built-checksum", b"\x06" + bytes(range(1, 21))))
    seeds.append(("built-hashed", b"\x07" + bytes(64) + bytes(32)))
    seeds.append(("refused-hashed", b"\x07" + bytes(64) + bytes(31)))
    return seeds


def derivations():
    seeds = []
    for i, text in enumerate(("m", "m/0", "m/0/5", "m/2147483647/1/10", "m" + "/0" * 255)):
        seeds.append((f"built-path-{i}", text.encode()))
    bad = ("", "m/", "/0", "M/0", "m//0", "m/-1", "m/+1", "m/00", "m/0'", "m/0h", "m/0H", "m/0''", "m/2147483648", "m/\u0661")
    bad += ("m/99999999999", "m" + "/0" * 256, "m" + "/1" * 300 + "'", "m/0/", "m/ 1")
    seeds += [(f"refused-path-{i}", text.encode()) for i, text in enumerate(bad)]
    seeds.append(("built-path", b"\x01\x00\x00\x01\x07\x00\x05\x01"))
    seeds.append(("refused-path", b"\x01\x00\x00\x01\x02\x00\x05\x01"))
    seeds.append(("built-children", b"\x02" + GENERATOR + bytes(32) + b"\x02" + bytes(4) + b"\xff" * 4))
    seeds.append(("built-words", b"\x03" + bytes(8)))
    seeds.append(("refused-words", b"\x03" + bytes(8) + b"\x01\x05\x06"))
    words = " ".join(["abandon"] * 23 + ["art"])
    seeds += [("built-phrase", words.encode()), ("built-phrase-upper", words.upper().encode())]
    seeds += [("refused-phrase-count", words[8:].encode()), ("refused-phrase-word", words.replace("art", "arts").encode())]
    seeds.append(("refused-phrase-checksum", words.replace("art", "about").encode()))
    seeds += [("built-label", b"\x04label"), ("refused-label", b"\x04"), ("refused-label-long", b"\x04" + bytes(257))]
    seeds += [("built-xprv", b"\x05" + bytes(31) + b"\x07" + bytes(32)), ("refused-xprv", b"\x05" + b"\xff" * 64)]
    return seeds


def frost_packages():
    names = {1: "commitments", 2: "share", 3: "list", 4: "signature", 5: "key"}
    seeds = [(f"built-{name}", bytes([way, 0, 0])) for way, name in names.items()]
    seeds += [(f"refused-cut-{name}", bytes([way, 0, 0]) + cut(31)) for way, name in names.items()]
    seeds += [(f"refused-none-{name}", bytes([way, 0, 1])) for way, name in names.items()]
    seeds += [("refused-identity", bytes([5, 0, 1]) + b"\x01" + bytes(31)), ("refused-zeros", bytes([5, 0, 1]) + bytes(33))]
    seeds += [("refused-order", bytes([2, 0, 0]) + edit(0, 1, 32)), ("refused-orders", bytes([3, 0, 0]) + edit(4, 8, 1))]
    seeds += [("built-share-zero", bytes([2, 0, 1]) + bytes(32)), ("built-list-none", bytes([3, 0, 1, 0, 0]))]
    seeds.append(("built-coordinated", bytes([6, 0])))
    seeds.append(("built-coordinated-again", bytes([6, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0])))
    # the share of another signer
    seeds.append(("refused-coordinated", bytes([6, 0, 0, 1, 0, 1, 0, 0])))
    seeds.append(("either-coordinated-changed", bytes([6, 0, 0, 1, 0, 0, 1, 6]) + edit(31, 8, 1)))
    seeds.append(("built-signer", bytes([7, 0, 3, 0, 1, 3, 0, 1, 2]) + b"another message"))
    seeds.append(("refused-signer-few", bytes([7, 0, 2, 0, 1])))
    seeds.append(("refused-signer-own", bytes([7, 0, 3, 0, 1, 3, 1, 1, 2])))
    return on_both(seeds)


def seals():
    small = {"zero": 0, "one": 1, "minus-one": 2**255 - 20, "prime": 2**255 - 19, "more": 2**255 - 18, "high": 2**255 + 9}
    seeds = [(f"refused-key-{name}", b"\x03" + number.to_bytes(32, "little")) for name, number in small.items()]
    eight = 325606250916557431795983626356110631294008115727848805560023387167927233504
    seeds.append(("refused-key-eight", b"\x03" + eight.to_bytes(32, "little")))
    seeds.append(("built-key", b"\x03\x09" + bytes(31)))
    for which in range(3):
        seeds.append((f"built-unchanged-{which}", b"\x02" + bytes([which])))
        seeds.append((f"built-changed-{which}", b"\x02" + bytes([which]) + edit(60, 8, 1)))
        seeds.append((f"refused-kind-{which}", b"\x02" + bytes([which]) + edit(0, 5, 9)))
        seeds.append((f"refused-length-{which}", b"\x02" + bytes([which]) + edit(35, 5, 255)))
    sealed = b"\x00\x09" + bytes(31) + b"\x00\x00\x00\x10" + bytes(16)
    seeds += [("built-sealed", sealed), ("built-limited", b"\x01\x00\x00" + sealed)]
    seeds.append(("refused-limited", b"\x01\x00\x00" + sealed[:36] + b"\x11" + bytes(17)))
    seeds.append(("built-parts", b"\x04\x09" + bytes(31) + bytes(16)))
    seeds.append(("refused-parts", b"\x04\x09" + bytes(31) + bytes(15)))
    seeds += [("built-hybrid-key", b"\x05"), ("refused-hybrid-number", b"\x05" + edit(0, 1, 3))]
    seeds.append(("refused-hybrid-low", b"\x05" + edit(1184, 0, 32)))
    seeds += [("built-hybrid", b"\x06\x00"), ("built-hybrid-changed", b"\x06\x00" + edit(5, 8, 1))]
    seeds.append(("refused-hybrid-cut", b"\x06\x00" + cut(1119)))
    seeds += [(f"built-own-{to}", b"\x07" + bytes([to]) + bytes(6) + b"secret") for to in range(4)]
    return seeds


def tokens():
    seeds = []
    for which in range(2):
        seeds.append((f"built-unchanged-{which}", b"\x01" + bytes([which])))
        seeds.append((f"refused-changed-{which}", b"\x01" + bytes([which, 1, 0, 60, 1])))
        seeds.append((f"built-claims-{which}", b"\x02" + bytes([which]) + b"\x07" * 8))
        seeds.append((f"built-later-{which}", b"\x02" + bytes([which]) + b"\x07" * 7 + b"\x00\x0e\x11"))
        for name, at in (("issuer", 0), ("audience", 1), ("subject", 2), ("chain", 3), ("nonce", 4)):
            fields = bytearray(b"\x07" * 8)
            # another text that is there, or none
            fields[at : at + 2] = b"\x02\x07" if at < 4 else b"\x00\x00"
            seeds.append((f"refused-{name}-{which}", b"\x02" + bytes([which]) + bytes(fields)))
        seeds.append((f"refused-expired-{which}", b"\x02" + bytes([which]) + b"\x07" * 7 + b"\x00\x1c\x20"))
        for field in range(10):
            for way, name in enumerate(("header", "body", "value")):
                seeds.append((f"refused-{name}-{field}-{which}", b"\x03" + bytes([which, way, field, 2]) + bytes(7) + b"\x01"))
        seeds.append((f"refused-header-none-{which}", b"\x03" + bytes([which, 3]) + piece('{"alg":"none"}')))
        seeds.append((f"refused-space-{which}", b"\x03" + bytes([which, 5, 0, 1]) + piece(" ")))
    seeds.append(("refused-key-small", b"\x04\x01" + bytes(31)))
    seeds.append(("built-key", b"\x04" + BASE))
    seeds.append(("refused-none", b"eyJhbGciOiJub25lIn0.e30."))
    return seeds


def numbers():
    keys = [bytes.fromhex(key["public_key"]) for key in load("signatures")["test_keys"]]
    seeds = [(f"built-key-{i}", b"\x01" + key) for i, key in enumerate(keys)]
    prime = bytes.fromhex("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47")
    order = bytes.fromhex("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001")
    seeds += [("refused-key-prime", b"\x01" + prime + b"\x00"), ("refused-key-flag", b"\x01" + keys[0][:32] + b"\x02")]
    seeds += [("refused-key-off", b"\x01" + bytes(31) + b"\x04\x00"), ("refused-secret-zero", b"\x02" + bytes(32))]
    seeds += [("built-secret", b"\x02" + bytes(31) + b"\x05message"), ("refused-secret-order", b"\x02" + order)]
    last = (int.from_bytes(order, "big") - 1).to_bytes(32, "big")
    seeds.append(("built-secret-last", b"\x02" + last + b"message"))
    seeds.append(("refused-any", b"\x03" + keys[0] + bytes(31) + b"\x05" + bytes(31) + b"\x06" + b"\x02message"))
    seeds.append(("refused-nonce-identity", b"\x03" + keys[0] + bytes(31) + b"\x05" + bytes(32) + b"\x00\x00message"))
    seeds.append(("refused-numbers-order", b"\x03" + keys[0] + order + order + b"\x01message"))
    seeds.append(("refused-numbers-zero", b"\x03" + keys[0] + bytes(32) + order + b"\x01message"))
    seeds += [("built-unchanged", b"\x04\x07data"), ("refused-changed", b"\x04\x07data\x01\x62\x01")]
    seeds += [("built-detached", b"\x05abcabc"), ("refused-detached", b"\x05abcabd")]
    return seeds


def invitations():
    seeds = []
    for way in (1, 2):
        seeds.append((f"built-plan-{way}", bytes([way, 1])))
        seeds.append((f"refused-plan-none-{way}", bytes([way, 0])))
        seeds.append((f"refused-plan-threshold-{way}", bytes([way, 1]) + edit(12, 8, 1)))
    for way in (3, 4):
        seeds.append((f"built-package-{way}", bytes([way, 0])))
        seeds.append((f"refused-package-{way}", bytes([way, 1]) + edit(100, 8, 1)))
        seeds.append((f"refused-missing-{way}", bytes([way, 2, 0, 0])))
        seeds.append((f"refused-key-{way}", bytes([way, 4])))
    seeds += [("built-confirmation", b"\x05\x00"), ("refused-confirmation", b"\x05\x01" + edit(45, 8, 1))]
    seeds += [("built-pieces", b"\x06\x04"), ("built-piece-changed", b"\x06\x01" + edit(5, 8, 1))]
    seeds += [("built-health", b"\x07\x02"), ("refused-health", b"\x07\x02" + edit(5, 8, 1)), ("refused-health-who", b"\x07\x00")]
    seeds += [("built-custody", b"\x08"), ("refused-custody", b"\x08" + edit(10, 5, 1))]
    return seeds


def sessions(protocols):
    """A calm run of each protocol, and some in which much happens."""
    seeds = []
    for which in range(protocols):
        seeds.append((f"built-calm-{which}", bytes([which])))
        for length in (16, 96, 256):
            noise = b"".join(hashlib.sha256(bytes([which, i])).digest() for i in range(8))
            seeds.append((f"either-{length}-{which}", bytes([which]) + noise[:length - 1]))
    return seeds


# the adversary delivers the first frame of another run, and then once more: the judge took that for a lie of the session
once = {"pair": [("either-first-frame-twice", b"\xff\xff\xff" + b"\x58" * 56 + bytes.fromhex("fffffffffffffff600fff600f6f6f6f6f978"))]}
for family, protocols in [("pair", 5), ("wallet", 5), ("committee", 8), ("quorum", 4), ("frost", 6)]:
    write(f"session_{family}", sessions(protocols) + once.get(family, []))
write("stored", stored())
write("frame", frames())
write("proofs", proofs())
write("signature", signatures())
write("derivation", derivations())
write("frost_package", frost_packages())
write("seal", seals())
write("dero_token", tokens())
write("dero_signature", numbers())
write("invitation", invitations())
write("dero_address", addresses())
write("dero_pem", messages())
write("dero_challenge", challenges())
write("backup", backups())
write("backup_keystore", keystores())
write("backup_export", exports())
