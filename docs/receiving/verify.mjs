import { createHmac, timingSafeEqual } from "node:crypto";

const sign = (key, content) => createHmac("sha256", key).update(content).digest("base64");

function isEqual(a, b) {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

// headers has names in lower case, and body is a Buffer of the bytes as they came.
export function verify(headers, body, secret, now = Date.now() / 1000) {
  const id = headers["webhook-id"], timestamp = headers["webhook-timestamp"];
  if (!(Math.abs(now - Number(timestamp)) <= 300)) return false;
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  const wanted = "v1," + sign(key, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]));
  return (headers["webhook-signature"] ?? "").split(" ").some((one) => isEqual(one, wanted));
}

export function verifyDecsys(headers, body, secret) {
  return isEqual(headers["x-decsys-signature"] ?? "", sign(secret, body));
}
