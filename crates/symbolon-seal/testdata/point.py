"""Makes point.txt: secrets sealed to a point, computed from the description in src/point.rs and nothing of the crate.

Curves over Python's integers, hashes of hashlib and hmac, AES-GCM of the `cryptography` package (OpenSSL).
One line each: curve, recipient's scalar as its standard encodes it, info, aad, secret, sealed bytes; hexadecimal.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def transcript(protocol, label, parts):
    tag = hashlib.sha256(f"symbolon/{protocol}/1/{label}".encode()).digest()
    return hashlib.sha256(tag + tag + b"".join(len(p).to_bytes(8, "little") + p for p in parts)).digest()


def hkdf(ikm, info, length):
    prk, out, block = hmac.digest(bytes(32), ikm, "sha256"), b"", b""
    for i in range(1, -(-length // 32) + 1):
        block = hmac.digest(prk, block + info + bytes([i]), "sha256")
        out += block
    return out[:length]


class Secp256k1:
    id, name = 1, b"secp256k1"
    p = 2**256 - 2**32 - 977
    g = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
         0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
    zero = None

    @classmethod
    def add(cls, a, b):
        if a is None or b is None:
            return a or b
        if a[0] == b[0] and (a[1] + b[1]) % cls.p == 0:
            return None
        slope = 3 * a[0] ** 2 * pow(2 * a[1], -1, cls.p) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, cls.p)
        x = (slope * slope - a[0] - b[0]) % cls.p
        return x, (slope * (a[0] - x) - a[1]) % cls.p

    encode = staticmethod(lambda a: bytes([2 + a[1] % 2]) + a[0].to_bytes(32, "big"))
    scalar = staticmethod(lambda k: k.to_bytes(32, "big"))


class Ed25519:
    id, name = 2, b"ed25519"
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    g = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, p) % p)
    zero = (0, 1)

    @classmethod
    def add(cls, a, b):
        t = cls.d * a[0] * a[1] * b[0] * b[1]
        return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + t, -1, cls.p) % cls.p,
                (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, cls.p) % cls.p)

    encode = staticmethod(lambda a: (a[1] | (a[0] & 1) << 255).to_bytes(32, "little"))
    scalar = staticmethod(lambda k: k.to_bytes(32, "little"))


def mul(curve, k, point):
    total = curve.zero
    for bit in bin(k)[2:]:
        total = curve.add(total, total)
        if bit == "1":
            total = curve.add(total, point)
    return total


def seal(curve, x, e, info, aad, secret):
    recipient, ephemeral = mul(curve, x, curve.g), mul(curve, e, curve.g)
    z = curve.encode(mul(curve, e, recipient))
    assert z == curve.encode(mul(curve, x, ephemeral))
    parts = [curve.name, curve.encode(ephemeral), curve.encode(recipient), info]
    okm = hkdf(z, transcript("seal", "point", parts), 44)
    ciphertext = AESGCM(okm[:32]).encrypt(okm[32:], secret, aad)
    return bytes([curve.id]) + curve.encode(ephemeral) + len(ciphertext).to_bytes(4, "big") + ciphertext


def main():
    for curve in (Secp256k1, Ed25519):
        for i, (info, aad, secret) in enumerate([(b"", b"", b""), (b"info", b"aad", bytes(range(32))), (b"i" * 100, b"", b"x" * 65)]):
            x, e = (int.from_bytes(hashlib.sha256(bytes([curve.id, i]) + who).digest(), "big") >> 4 for who in (b"x", b"e"))
            fields = (curve.scalar(x), info, aad, secret, seal(curve, x, e, info, aad, secret))
            print(curve.name.decode(), *(field.hex() or "-" for field in fields))


main()
