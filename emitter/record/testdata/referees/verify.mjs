// Verifies the attempts that it reads from stdin, as one JSON array, with the
// libraries that receivers use, and checks that none of them takes an attempt
// that was tampered with. It prints what each library does and fails with 1.
//
// An attempt is {name, format, secrets, publicKeys, headers, body, event}: body in
// base64, as it came over the socket; publicKeys those of secrets that have one.
import { createHmac, createPublicKey, verify as verifySignature } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { HTTP } from "cloudevents";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

const require = createRequire(import.meta.url);
const locked = require("./package-lock.json").packages;
const versionOf = (name) => `${name} ${locked[`node_modules/${name}`].version}`;

let failed = 0;

function report(ok, library, attempt, text) {
  console.log(`${ok ? "ok  " : "FAIL"} ${library.padEnd(24)} ${attempt.padEnd(30)} ${text}`);
  if (!ok) failed++;
}

const takes = (fn) => {
  try {
    return fn() !== false;
  } catch {
    return false;
  }
};

// forgeries are an attempt with one thing changed that a signature covers.
function forgeries({ headers, body }) {
  const flipped = Buffer.from(body);
  flipped[flipped.length >> 1] ^= 1;
  const with_ = (name, value) => ({ headers: { ...headers, [name]: value }, body });
  return {
    "a changed body": { headers, body: flipped },
    "a longer body": { headers, body: Buffer.concat([body, Buffer.from(" ")]) },
    "another id": with_("webhook-id", headers["webhook-id"] + "x"),
    "another time": with_("webhook-timestamp", String(Number(headers["webhook-timestamp"]) + 1)),
    "an old time": with_("webhook-timestamp", String(Number(headers["webhook-timestamp"]) - 3600)),
    "no signature": with_("webhook-signature", "v1,"),
  };
}

// judge checks that one library accepts an attempt and refuses its forgeries.
function judge(library, attempt, what, accepts, forged = forgeries(attempt)) {
  report(takes(() => accepts(attempt)), library, attempt.name, `takes it with ${what}`);
  const taken = Object.keys(forged).filter((name) => takes(() => accepts(forged[name])));
  report(taken.length === 0, library, attempt.name,
    taken.length === 0 ? `refuses ${Object.keys(forged).length} forgeries` : `takes ${taken.join(", ")}`);
}

const isEncoded = (secret) => secret.startsWith("whsec_");

function judgeSignatures(attempt) {
  attempt.secrets.forEach((secret, i) => {
    const what = `secret ${i + 1} of ${attempt.secrets.length}`;
    if (secret.startsWith("whsk_")) return;
    const options = isEncoded(secret) ? undefined : { format: "raw" };
    const standard = new StandardWebhook(secret, options);
    judge(versionOf("standardwebhooks"), attempt, what, ({ headers, body }) => standard.verify(body.toString(), headers) !== undefined);
    const svix = new SvixWebhook(secret, options);
    judge(versionOf("svix"), attempt, what, ({ headers, body }) => svix.verify(body.toString(), headers) !== undefined);
  });
  const stranger = new StandardWebhook("whsec_" + Buffer.alloc(32, 7).toString("base64"));
  report(!takes(() => stranger.verify(attempt.body.toString(), attempt.headers)), versionOf("standardwebhooks"), attempt.name, "refuses it with a stranger's secret");
}

// judgeEd25519 needs no library: none verifies v1a yet.
function judgeEd25519(attempt) {
  for (const text of attempt.publicKeys) {
    const raw = Buffer.from(text.replace(/^whpk_/, ""), "base64");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
    const accepts = ({ headers, body }) => {
      const message = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
      return headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"))
        .some((one) => verifySignature(null, message, key, Buffer.from(one.slice(4), "base64")));
    };
    judge(`node:crypto ${process.versions.node}`, attempt, "its Ed25519 key", accepts);
  }
}

// judgeDecsys does what receivers of Decsys' own webhooks do.
function judgeDecsys(attempt) {
  const accepts = ({ headers, body }) =>
    headers["x-decsys-signature"] === createHmac("sha256", attempt.secrets[0]).update(body).digest("base64");
  const { "a changed body": changed, "a longer body": longer } = forgeries(attempt);
  judge(`node:crypto ${process.versions.node}`, attempt, "X-Decsys-Signature", accepts, { "a changed body": changed, "a longer body": longer });
}

function judgeCloudEvent(attempt) {
  const without = (name) => {
    const event = JSON.parse(attempt.body);
    delete event[name];
    return { headers: attempt.headers, body: Buffer.from(JSON.stringify(event)) };
  };
  const accepts = ({ headers, body }) => {
    const event = HTTP.toEvent({ headers, body: body.toString() });
    event.validate();
    const { specversion, type, source, subject, id, time, datacontenttype } = event;
    const got = { specversion, type, source, subject, id, time, datacontenttype, data: event.data };
    return JSON.stringify(got) === JSON.stringify(attempt.event);
  };
  judge(versionOf("cloudevents"), attempt, `type ${attempt.event.type}`, accepts, {
    "no id": without("id"), "no source": without("source"), "no type": without("type"),
    "plain JSON": { headers: { ...attempt.headers, "content-type": "application/json" }, body: attempt.body },
    "half of it": { headers: attempt.headers, body: attempt.body.subarray(0, attempt.body.length >> 1) },
  });
}

const attempts = JSON.parse(readFileSync(0, "utf8"));
for (const attempt of attempts) {
  attempt.body = Buffer.from(attempt.body, "base64");
  judgeSignatures(attempt);
  judgeEd25519(attempt);
  if (attempt.format === "decsys") judgeDecsys(attempt);
  if (attempt.format === "cloudevents") judgeCloudEvent(attempt);
}
console.log(failed === 0 ? `${attempts.length} attempts verified` : `${failed} checks failed`);
process.exit(failed === 0 && attempts.length > 0 ? 0 : 1);
