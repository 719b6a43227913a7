// A mail server for trials: smtp-server takes the mails, mailparser reads them, and each is told as one line of JSON.
// node server.mjs certificate.pem key.pem: STARTTLS on a free port, login sara / open sesame. Who is written to decides:
// later@… is put off once, refused@… never taken, lost@… taken and not answered once; busy@… finds the server closing once,
// cut@… and silent@… end once while the mail is handed over, by a cut and by no answer at all; slow@… is answered late.

import { readFileSync } from "node:fs";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

const [certificate, key] = process.argv.slice(2).map((path) => readFileSync(path));
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const once = new Set();
const first = (what) => !once.has(what) && Boolean(once.add(what));

function no(code, words) {
  return Object.assign(new Error(words), { responseCode: code });
}

const server = new SMTPServer({
  cert: certificate,
  key,
  authMethods: ["PLAIN", "LOGIN"],
  hideSTARTTLS: false,
  onAuth: ({ username, password }, session, done) =>
    username === "sara" && password === "open sesame" ? done(null, { user: username }) : done(no(535, "5.7.8 Who are you?")),
  onRcptTo: ({ address }, session, done) => {
    if (address.startsWith("refused@")) return done(no(550, `5.1.1 <${address}> is nobody here`));
    if (address.startsWith("later@") && first("later")) return done(no(451, "4.7.1 Greylisted, come again"));
    if (address.startsWith("busy@") && first("busy")) return done(no(421, "4.3.2 Closing, come again"));
    return done();
  },
  onData: async (stream, session, done) => {
    const to = session.envelope.rcptTo.map(({ address }) => address);
    if (to[0].startsWith("cut@") && first("cut")) {
      await new Promise((begun) => stream.once("data", begun));
      for (const connection of server.connections) connection._socket.destroy();
      return undefined;
    }
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    if (to[0].startsWith("silent@") && first("silent")) return undefined;
    const raw = Buffer.concat(chunks);
    const mail = await simpleParser(raw);
    say({
      from: session.envelope.mailFrom.address,
      to,
      secure: session.secure,
      user: session.user,
      message_id: mail.messageId,
      subject: mail.subject,
      sender: mail.from.text,
      text: mail.text,
      html: mail.html,
      attachments: mail.attachments.length,
      longest_line: Math.max(...raw.toString("latin1").split("\r\n").map((line) => line.length)),
      is_ascii: raw.every((byte) => byte < 128),
    });
    if (to[0].startsWith("lost@") && first("lost")) {
      for (const connection of server.connections) connection._socket.destroy();
      return undefined;
    }
    if (to[0].startsWith("slow@")) await new Promise((awake) => setTimeout(awake, 300));
    return done();
  },
});
server.on("error", (error) => say({ error: error.message }));
server.listen(0, "127.0.0.1", () => say({ port: server.server.address().port }));
// It ends with whoever started it.
process.stdin.resume().on("end", () => process.exit(0));
