// A mail server for tests: node server.mjs [plain | ascii | starttls | tls]; ascii is plain without SMTPUTF8. Its first line on stdout is {"port", "authority"}, where
// authority is the certificate to trust; then a line for each mail: {"from", "to", "secure", "user", "data"}.
// What an address begins with is what becomes of it: nobody (550 5.1.1), blocked (550 5.7.1), later (451, once), slow
// (taken, after three seconds).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";

const mode = process.argv[2] ?? "plain";
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

function certificate() {
  const folder = mkdtempSync(join(tmpdir(), "smtp-server-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  try {
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
      "-keyout", key, "-out", cert,
    ], { stdio: "ignore" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function refusal(code, text) {
  const error = new Error(text);
  error.responseCode = code;
  return error;
}

const postponed = new Set();
const bare = mode === "plain" || mode === "ascii";
const pair = bare ? {} : certificate();
const server = new SMTPServer({
  ...pair,
  secure: mode === "tls",
  hideSTARTTLS: mode !== "starttls",
  hideSMTPUTF8: mode === "ascii",
  authOptional: bare,
  logger: false,
  onAuth({ username, password }, _session, done) {
    done(password === "pass word" ? null : refusal(535, "5.7.8 wrong password"), { user: username });
  },
  onRcptTo({ address }, _session, done) {
    if (address.startsWith("nobody")) return done(refusal(550, "5.1.1 nobody of that name here"));
    if (address.startsWith("blocked")) return done(refusal(550, "5.7.1 we do not want this"));
    if (address.startsWith("slow")) return setTimeout(done, 3000);
    if (address.startsWith("later") && !postponed.has(address)) {
      postponed.add(address);
      return done(refusal(451, "4.3.0 not now"));
    }
    done();
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      tell({
        from: session.envelope.mailFrom.address,
        to: session.envelope.rcptTo.map(({ address }) => address),
        secure: session.secure,
        user: session.user ?? null,
        data: Buffer.concat(chunks).toString("utf8"),
      });
      done();
    });
  },
});
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => {
  tell({ port: server.server.address().port, authority: pair.cert?.toString() ?? null });
});
// Whoever started it holds its input; it ends with them.
process.stdin.resume().on("end", () => process.exit(0));
