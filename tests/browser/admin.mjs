// Walks the admin pages in a real browser, as a warehouse admin would: from the first sign-in to the first invoice, what
// is held and what failed, searching, people and their limits. Then every page in both languages, light and dark, wide and
// as narrow as a phone: nothing scrolls sideways, and axe-core finds no barrier of WCAG 2.2 A or AA.
//
//     node admin.mjs <executable of Qantara> <executable of Chromium>

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { DOMAIN, OWNER, SECRET, house, order } from "./house.mjs";
import { tell } from "./tell.mjs";

const [, , executable, executablePath] = process.argv;
const PATIENCE = 30_000;
const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const MARKUP = `<img src=x onerror="document.title='taken'">`;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const here = await house(executable);
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args });

/** A browser of its own, signed in by the browser's own box as people are. */
async function visitor(httpCredentials, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...options, httpCredentials });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  return Object.assign(page, { open: (path) => page.goto(here.address + path) });
}

/** Loads the page until it says so: what Qantara does meanwhile is its own affair. */
async function until(page, what, look) {
  const end = Date.now() + PATIENCE;
  while (!(await look())) {
    assert(Date.now() < end, `it never came to this: ${what}; the page says: ${await page.locator("main").innerText()}`);
    await page.reload();
  }
}

const has = async (page, text) => (await page.locator("main").innerText()).includes(text);
/** The counters above a table have the same words. */
const inRow = async (page, text) => (await page.locator("tbody tr", { hasText: text }).count()) > 0;
const field = (page, name) => page.getByLabel(name, { exact: false }).first();
const press = (page, name) => page.getByRole("button", { name, exact: true }).first().click();
const basic = ({ username, password }) => ({ Authorization: `Basic ${btoa(`${username}:${password}`)}` });
const invoices = async () => (await here.books()).invoices;

let admin;
const stories = {
  async "nobody without a name, and a wrong password is told"() {
    const bare = await fetch(`${here.address}/`, { headers: { "Accept-Language": "ar" } });
    assert.equal(bare.status, 401);
    assert.match(bare.headers.get("www-authenticate"), /^Basic /);
    assert.match(await bare.text(), /dir="rtl"/);
    const wrong = await fetch(`${here.address}/`, { headers: basic({ ...OWNER, password: "not this one" }) });
    assert.equal(wrong.status, 401);
    admin = await visitor(OWNER);
    assert.equal((await admin.open("/")).status(), 200);
    assert.equal(await admin.locator("h1").innerText(), "Overview");
  },

  async "from nothing to the first invoice in the shadow, by five typed values"() {
    await admin.open("/");
    await admin.getByRole("link", { name: "Merchants", exact: true }).first().click();
    await admin.getByRole("link", { name: "Add a merchant" }).click();
    await field(admin, "Permanent domain").fill("www.wadi-home.com");
    await field(admin, "Webhook secret").fill(SECRET);
    await press(admin, "Save");
    assert(await has(admin, "This is an address for customers"), "the vanity domain is told from the permanent one");
    await field(admin, "Permanent domain").fill(DOMAIN);
    await field(admin, "Webhook secret").fill(SECRET);
    await press(admin, "Save");

    await admin.waitForURL(/\/webhooks(\?|$)/);
    assert.match(await admin.locator("input[readonly]").inputValue(), /\/webhook\/wadi-home$/, "the address to copy");
    assert(await has(admin, "orders/create"), "the topics");
    assert(await has(admin, "Waiting for the first signed delivery"));
    assert.equal(await here.deliver("wadi-home", "orders/create", order(1001, "WH-2040"), "another app's secret"), 401);
    assert.equal(await here.deliver("wadi-home", "orders/create", order(1001, "WH-2040")), 200);
    await admin.getByText("Deliveries arrive and prove themselves").waitFor();

    await admin.goto(`${here.address}/merchants/wadi-home/daftra`);
    await field(admin, "Daftra address").fill(here.daftra.daftra);
    await field(admin, "API key").fill("not the key");
    await press(admin, "Connect and try");
    assert(await has(admin, "Daftra does not accept this key"));
    await field(admin, "API key").fill(here.daftra.key);
    await press(admin, "Connect and try");
    await admin.locator("#places").getByRole("button", { name: "Save" }).click();

    await admin.waitForURL(/\/vendors(\?|$)/);
    await admin.getByRole("checkbox", { name: "Wadi Home" }).check();
    await admin.getByRole("radio", { name: /Only lines of these vendors/ }).check();
    await press(admin, "Save");

    await admin.waitForURL(/\/codes(\?|$)/);
    assert(await has(admin, "wh-2040"), "what is looked for now");
    await press(admin, "Save");
    await admin.waitForURL(/\/taxes(\?|$)/);
    await press(admin, "Save");
    await admin.open("/merchants/wadi-home/live");
    await press(admin, "Start in shadow");
    await admin.open("/log?merchant=wadi-home");
    await until(admin, "the order is planned in shadow", () => inRow(admin, "Shadow"));
    await admin.getByRole("link", { name: "#1001" }).first().click();
    assert(await has(admin, "349.00"), "what the invoice would say");
    assert.deepEqual(await invoices(), [], "and nothing was written");
  },

  async "live: an order is an invoice, and its page tells why"() {
    await admin.open("/merchants/wadi-home/live");
    await press(admin, "Go live");
    assert(await has(admin, "Live: invoices are created in Daftra"));
    assert.equal(await here.deliver("wadi-home", "orders/create", order(1002, "WH-2040")), 200);
    await admin.open("/log?q=1002");
    await until(admin, "it is invoiced", () => inRow(admin, "Success"));
    await admin.getByRole("link", { name: "#1002" }).first().click();
    assert(await has(admin, "found by product code wh-2040"), "the decision names the code");
    assert.equal((await invoices()).length, 1);
  },

  async "an unknown code is mapped, and the orders that waited for it go on"() {
    for (const number of [1003, 1004]) {
      const strange = order(number, "LAMP-X", { title: `Lamp ${MARKUP}` });
      assert.equal(await here.deliver("wadi-home", "orders/create", strange), 200);
    }
    await admin.open("/attention");
    await until(admin, "both are held", () => has(admin, "2 orders"));
    await admin.getByRole("link", { name: "Choose the product" }).first().click();
    await field(admin, "Search in Daftra").fill("مصباح");
    await press(admin, "Search");
    await admin.getByRole("button", { name: /It is this one/ }).first().click();
    await admin.open("/log?q=1004");
    await until(admin, "it is invoiced", () => inRow(admin, "Success"));
    await admin.open("/attention");
    await until(admin, "nothing is held any more", () => has(admin, "Nothing needs a person"));
    assert.equal((await invoices()).length, 3);
  },

  async "a file of many codes is taken in, and handed out again"() {
    await admin.open("/merchants/wadi-home/mapping");
    const file = (text) => admin.getByLabel("File").setInputFiles({ name: "codes.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await file("code,product,note\nLAMP-Y,none,\n");
    await press(admin, "Take the file in");
    assert(await has(admin, "Nothing was changed"), "row and column are named");
    await file("code,product,note\nLAMP-Y,2,by file\n");
    await press(admin, "Take the file in");
    assert(await has(admin, "lamp-y"));
    const [saved] = await Promise.all([admin.waitForEvent("download"), admin.getByRole("link", { name: "Save the file" }).click()]);
    assert.match(readFileSync(await saved.path(), "utf8"), /lamp-y,2,by file/);
  },

  async "deliveries, and why some prove nothing"() {
    await admin.open("/deliveries");
    assert(await has(admin, "orders/create"));
    assert(await has(admin, "Wadi Home"), "the one that another app signed is counted");
    await field(admin, "Topic").selectOption("orders/create");
    await press(admin, "Show");
    await admin.getByRole("link", { name: "#1002" }).first().waitFor();
  },

  async "a script reads by a token, which is shown once"() {
    await admin.open("/me");
    await field(admin, "What it is for").fill("nightly export");
    await press(admin, "Make a token");
    const token = /qa_[\w-]{43}/.exec(await admin.locator("main").innerHTML())[0];
    const ask = () => fetch(`${here.address}/api/v1/orders?limit=1`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal((await (await ask()).json()).items.length, 1);
    await admin.open("/me");
    assert(!(await admin.content()).includes(token), "never again");
    await admin.getByRole("button", { name: /^Revoke/ }).first().click();
    assert.equal((await ask()).status, 401);
  },

  async "what failed is tried again"() {
    await here.fault({ kind: "error_before_saving", method: "GET" });
    assert.equal(await here.deliver("wadi-home", "orders/create", order(1005, "WH-3300", { price: "15.75" })), 200);
    await admin.open("/attention");
    await until(admin, "it was given up", () => has(admin, "Failed orders"));
    await here.fault(null);
    await admin.getByRole("link", { name: /Try all of them again/ }).first().click();
    assert(await has(admin, "What the button does"));
    await admin.getByRole("button", { name: /\(1\)/ }).click();
    await admin.open("/log?q=1005");
    await until(admin, "it is invoiced", () => inRow(admin, "Success"));
    assert.equal((await invoices()).length, 4);
  },

  async "search, filters and files"() {
    const last = (await invoices()).reduce((one, other) => (one.id > other.id ? one : other));
    for (const [words, name] of [["1005", "#1005"], [last.no, "#1005"], ["LAMP-X", "#1004"]]) {
      await admin.open("/log");
      await field(admin, "Search").fill(words);
      await field(admin, "Search").press("Enter");
      await admin.getByRole("link", { name, exact: true }).first().waitFor();
      assert.equal(await admin.getByRole("link", { name: "#1002", exact: true }).count(), 0, `${words} finds only its own`);
    }
    for (const [link, starts] of [["Save as CSV", "\uFEFF"], ["Save as JSON", '{"rows":[']]) {
      const [file] = await Promise.all([admin.waitForEvent("download"), admin.getByRole("link", { name: link }).click()]);
      const text = readFileSync(await file.path(), "utf8");
      assert(text.startsWith(starts), JSON.stringify(text.slice(0, 80)));
      assert(text.includes("#1004") && !text.includes("#1002"), "the file has the rows of the filter");
    }
  },

  async "what others wrote stays text"() {
    await admin.open("/log?q=1003");
    await admin.getByRole("link", { name: "#1003" }).first().click();
    assert(await has(admin, MARKUP), "the markup is shown as it stands");
    assert.notEqual(await admin.title(), "taken");
  },

  async "a viewer limited to one merchant sees that one, and changes nothing"() {
    here.qantara(["merchant", "add", here.write("najd.json", JSON.stringify({
      slug: "najd", name: "Najd Oud", time_zone: "Asia/Riyadh", mode: "paused", shop: { domain: "najd-oud.myshopify.com" },
      daftra: { url: "", store_id: 0, client_id: 0 }, lines: { vendors: [] },
    }))]);
    await admin.open("/users");
    await field(admin, "Name").fill("staff");
    await admin.getByLabel("Role").first().selectOption("viewer");
    await field(admin, "Password").fill("a long enough one");
    await press(admin, "Add a user");
    await admin.getByRole("radio", { name: "Only these" }).check();
    await admin.getByRole("checkbox", { name: "Najd Oud" }).check();
    await press(admin, "Save");
    const staff = await visitor({ username: "staff", password: "a long enough one" });
    await staff.open("/merchants");
    assert(await has(staff, "Najd Oud"));
    assert(!(await has(staff, "Wadi Home")));
    for (const [path, status] of [["/merchants/wadi-home", 404], ["/orders/1", 404], ["/users", 403], ["/merchants/new", 403]]) {
      assert.equal((await staff.open(path)).status(), status, path);
    }
    await staff.open("/");
    assert.equal(await staff.getByRole("link", { name: "Users" }).count(), 0, "no entry that leads nowhere");
    await staff.context().close();
  },

  async "whoever guesses passwords waits"() {
    const statuses = [];
    for (let at = 0; at < 8; at += 1) {
      const guess = basic({ username: "staff", password: `guess ${at}` });
      statuses.push((await fetch(`${here.address}/`, { headers: guess })).status);
    }
    assert.equal(statuses[0], 401);
    assert.equal(statuses.at(-1), 429, statuses.join(" "));
    assert.equal((await admin.open("/")).status(), 200, "the owner is not locked out with the guesser");
  },

  async "everybody reads their own language"() {
    await speak(admin, "ar");
    assert.equal(await admin.locator("html").getAttribute("dir"), "rtl");
    await admin.open("/");
    assert.equal(await admin.locator("h1").innerText(), "نظرة عامة");
  },

  async "without a script everything still works"() {
    const plain = await visitor(OWNER, { javaScriptEnabled: false });
    for (const path of await pages(plain)) assert((await plain.open(path)).ok(), path);
    await plain.context().close();
  },

  async "every page, both languages, light and dark, wide and narrow: no barrier, nothing sideways"() {
    const faults = [];
    let looks = 0;
    for (const language of ["en", "ar"]) {
      const reader = await visitor(OWNER, { bypassCSP: true });
      await speak(reader, language);
      const every = await pages(reader);
      for (const colorScheme of ["light", "dark"]) {
        for (const width of [1280, 360]) {
          const page = await visitor(OWNER, { bypassCSP: true, colorScheme, viewport: { width, height: 800 } });
          for (const path of every) {
            await page.open(path);
            looks += 1;
            const place = `${path} (${language}, ${colorScheme}, ${width})`;
            const [scroll, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
            if (scroll > inner) faults.push(`${place}: ${scroll} wide in a window of ${inner}`);
            await page.evaluate(axe);
            const { violations } = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), LEVELS);
            for (const { id, help, nodes } of violations) faults.push(`${place}: ${id}, ${help}: ${nodes[0].html}`);
          }
          await page.context().close();
        }
      }
      await reader.context().close();
    }
    assert.deepEqual(faults, []);
    console.log(`        ${looks} looks`);
  },
};

/** The language of the owner. */
async function speak(page, language) {
  await page.open("/me");
  const form = page.locator("form", { has: page.locator("[name=language]") });
  const select = form.locator("select");
  if (await select.count()) await select.selectOption(language);
  else await form.locator(`input[value=${language}]`).check();
  await form.getByRole("button").click();
}

/** Every page there is, found as people find them: by following links, one of each kind. */
async function pages(page) {
  const found = new Map([["/", "/"]]);
  for (const [kind, path] of found) {
    const answer = await page.open(path);
    assert(answer.ok(), `${kind} leads to ${path}, which answers ${answer.status()}`);
    for (const link of await page.locator("a[href^='/']").evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
      const url = new URL(link, here.address);
      const next = `${url.pathname.replaceAll(/\/(\d+)(?=\/|$)/g, "/{id}")}?${[...url.searchParams.keys()].sort().join("&")}`;
      if (!/\.(csv|json)$/.test(url.pathname) && !found.has(next)) found.set(next, link);
    }
  }
  return [...found.values()];
}

const failed = await tell(stories, () => browser.contexts().flatMap((context) => context.pages()), "admin");
await browser.close();
await here.leave();
process.exitCode = failed === 0 ? 0 : 1;
