import base64
import hashlib
import hmac
import time


def sign(key, content):
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())


# headers has names in lower case, and body is the bytes as they came.
def verify(headers, body, secret, now=None):
    prefix = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}."
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs((now or time.time()) - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    wanted = b"v1," + sign(key, prefix.encode() + body)
    return any(hmac.compare_digest(one.encode(), wanted) for one in headers.get("webhook-signature", "").split(" "))


def verify_decsys(headers, body, secret):
    return hmac.compare_digest(headers.get("x-decsys-signature", "").encode(), sign(secret.encode(), body))
