// A real server, a fake Daftra beside it, and a shop that signs: what the stories of the admin pages take place in.

import { execFileSync, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const OWNER = { username: "owner", password: "correct horse battery" };
export const SECRET = "the shop's own secret";
export const DOMAIN = "wadi-home.myshopify.com";

const firstLine = async (process) => (await once(createInterface(process.stdout), "line"))[0];

/** Server and Daftra with nothing in them but one owner. */
export async function house(executable) {
  const folder = mkdtempSync(join(tmpdir(), "qantara-browser-"));
  const sandbox = spawn(executable, ["sandbox", "--listen", "127.0.0.1:0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const daftra = JSON.parse(await firstLine(sandbox));
  const env = {
    ...process.env,
    QANTARA__DATA__FOLDER: folder,
    QANTARA__VAULT__KEY_FILE: join(folder, "key"),
    QANTARA__HTTP__LISTEN: "127.0.0.1:0",
    QANTARA__OUTGOING__ALLOW: "127.0.0.0/8",
    // A test has no hours: it gives up after two failures.
    QANTARA__ENGINE__MAX_FAILURES: "2",
    QANTARA__ENGINE__RETRY_FIRST_MS: "50",
    QANTARA__ENGINE__BREAKER_AFTER: "1000",
    QANTARA__DAFTRA__PACE_MS: "1",
    QANTARA__LOG__FILTER: "off",
  };
  const qantara = (args, input) => execFileSync(executable, args, { env, input, encoding: "utf8" });
  const server = spawn(executable, ["serve"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const address = /listens on (\S+);/.exec(await firstLine(server))[1];
  qantara(["user", "add", OWNER.username, "--role", "owner", "--password-file", "-"], OWNER.password);
  return {
    address: `http://${address}`,
    daftra,
    qantara,
    /** What everything in Daftra's books is at the moment. */
    books: () => fetch(`${daftra.control}/books`).then((answer) => answer.json()),
    /** A bad day in Daftra; `null` ends all of them. */
    fault: (fault) =>
      fault === null
        ? fetch(`${daftra.control}/faults`, { method: "DELETE" })
        : fetch(`${daftra.control}/fault`, { method: "POST", body: JSON.stringify(fault) }),
    /** What a person does in Daftra's own screens. */
    hand: (what) => fetch(`${daftra.control}/hand`, { method: "POST", body: JSON.stringify(what) }),
    /** What the shop says, signed over its raw bytes; the status of the answer. */
    async deliver(slug, topic, order, secret = SECRET) {
      const body = JSON.stringify(order);
      const headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Webhook-Id": randomUUID(),
        "X-Shopify-Hmac-Sha256": createHmac("sha256", secret).update(body).digest("base64"),
      };
      return (await fetch(`http://${address}/webhook/${slug}`, { method: "POST", body, headers })).status;
    },
    /** Ends both processes and removes what they left. */
    async leave() {
      for (const process of [server, sandbox]) {
        const ended = once(process, "exit");
        if (process.exitCode === null) {
          process.kill("SIGINT");
          await ended;
        }
      }
      rmSync(folder, { recursive: true });
    },
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
  };
}

/** An order of one line, fifteen percent of tax inside its price. */
export function order(number, sku, more = {}) {
  const { price = "349.00", units = 1 } = more;
  const total = (Number(price) * units).toFixed(2);
  const tax = ((Number(total) * 15) / 115).toFixed(2);
  const at = new Date().toISOString();
  const { vendor = "Wadi Home", title = "Table lamp" } = more;
  return {
    id: 5_379_000_000_000 + number,
    admin_graphql_api_id: `gid://shopify/Order/${5_379_000_000_000 + number}`,
    name: more.name ?? `#${number}`,
    order_number: number,
    created_at: at,
    updated_at: at,
    processed_at: at,
    currency: "SAR",
    taxes_included: true,
    financial_status: "paid",
    total_price: total,
    total_tax: tax,
    refunds: [],
    line_items: [
      {
        id: number * 10,
        variant_id: 11,
        sku,
        vendor,
        name: title,
        quantity: units,
        current_quantity: units,
        price,
        discount_allocations: [],
        tax_lines: [{ title: "VAT", rate: 0.15, price: tax }],
      },
    ],
    shipping_lines: [],
  };
}
