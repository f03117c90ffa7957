#!/usr/bin/env python3
"""Makes fuzz/seeds from the vectors of the library: one file for each vector, and some for each way to build a text."""

import base64
import hashlib
import json
import pathlib
import shutil

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent / "crates/symbolon-dero/testdata"
BACKUPS = HERE.parent / "crates/symbolon-backup/testdata/v1"


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def write(target, seeds):
    folder = HERE / "seeds" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
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


write("dero_address", addresses())
write("dero_pem", messages())
write("dero_challenge", challenges())
write("backup", backups())
write("backup_keystore", keystores())
write("backup_export", exports())
