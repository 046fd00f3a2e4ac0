"""Messages only one browser can read, and the proof of who sends them. Pure.

Sources: RFC 8291 (Message Encryption for Web Push), RFC 8188 (aes128gcm), RFC 8292 (VAPID).
"""

import base64
import binascii
import os
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from quintet.kernel.clock import Instant
from quintet.kernel.secrets import Secrets

RECORD_BYTES: Final = 4096
MOST_MESSAGE_BYTES: Final = RECORD_BYTES - 16 - 1  # the tag and the delimiter of the one record
_CURVE: Final = ec.SECP256R1()
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_TOKEN_LIVES: Final = timedelta(hours=12)  # RFC 8292 allows 24


def vapid_key(secrets: Secrets) -> ec.EllipticCurvePrivateKey:
    """The server's key for push services, derived from a secret of the database: all nodes have the same."""
    wide = secrets.mac("push", "vapid 1") + secrets.mac("push", "vapid 2")
    return ec.derive_private_key(int.from_bytes(wide) % (_ORDER - 1) + 1, _CURVE)


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as the 65 bytes of an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def is_point(data: bytes) -> bool:
    """Whether the bytes are an uncompressed point of the curve."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, data)
    except ValueError:
        return False
    return len(data) == 65


def text_of(data: bytes) -> str:
    """Base64url without padding, as the Push API has it."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text: str) -> bytes | None:
    """Base64 or base64url, padded or not; None where it is neither."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data


def encrypted(
    message: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    own_key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a push: `message` (up to 4,079 bytes) in one record, for the browser's keys alone.

    `salt` (16 bytes) and `own_key` are fresh each time; they are parameters for the example of the RFC.
    """
    if len(message) > MOST_MESSAGE_BYTES:
        raise ValueError("a push is one record")
    salt = salt or os.urandom(16)
    own_key = own_key or ec.generate_private_key(_CURVE)
    own_point = point_of(own_key.public_key())
    shared = own_key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh))
    secret = _derived(auth, shared, b"WebPush: info\0" + p256dh + own_point, 32)
    key = _derived(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(salt, secret, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD_BYTES.to_bytes(4) + bytes([len(own_point)]) + own_point
    return head + AESGCM(key).encrypt(nonce, message + b"\2", None)  # 2 ends the last record


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, issuer: str, now: Instant) -> str:
    """The Authorization header that tells a push service who sends (RFC 8292)."""
    parts = urlsplit(endpoint)
    claims: dict[str, object] = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now + _TOKEN_LIVES).timestamp()),
    }
    if issuer.startswith("https://"):
        claims["sub"] = issuer  # whom the push service may ask when something is wrong
    token = jwt.encode(claims, key, algorithm="ES256")
    return f"vapid t={token}, k={text_of(point_of(key.public_key()))}"


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
