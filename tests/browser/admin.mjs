// Walks the admin pages in a real browser, as a warehouse admin would: from the first sign-in to the first invoice, what
// is held and what failed, searching, people and their limits, mistakes and what they are answered. Then every page in both
// languages, light and dark, wide and as narrow as a phone, and for whoever may less: nothing scrolls sideways, axe-core
// finds no barrier of WCAG 2.2 A or AA, and no link leads to a refusal.
//
//     node admin.mjs <executable of Qantara> <executable of Chromium>

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { sendAllWrongly } from "./forms.mjs";
import { DOMAIN, OWNER, SECRET, house, order } from "./house.mjs";
import { checkNotice, faults, looked, pages, speak } from "./look.mjs";
import { tell } from "./tell.mjs";

const [, , executable, executablePath] = process.argv;
const PATIENCE = 30_000;
const PHONE = { bypassCSP: true, viewport: { width: 360, height: 740 } };
const LANGUAGES = ["en", "ar"];
const MARKUP = `<img src=x onerror="document.title='taken'">`;

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
const STAFF = { username: "staff", password: "a long enough one" };
const HAND = { username: "hand", password: "another long one" };

/** A page as somebody else's script would send a form to it: by the browser's own form, with these fields. */
async function post(page, path, fields) {
  const sent = page.evaluate(([path, fields]) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: path });
    for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("textarea"), { name, value }));
    document.body.append(form);
    form.submit();
  }, [path, fields]);
  const answers = page.waitForResponse((answer) => answer.request().method() === "POST");
  const [answer] = await Promise.all([answers, page.waitForEvent("load"), sent]);
  return answer;
}

/** Waits for words to appear on a page that nobody loads again. */
async function appears(page, change, locator) {
  await page.evaluate(() => { window.isTheSame = true; });
  assert.equal(await locator.count(), 0, "it is not there before");
  await change();
  await locator.first().waitFor();
  assert(await page.evaluate(() => window.isTheSame), "without a reload");
}

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

  async "a server with no merchant says on every page what to do next"() {
    const found = [];
    for (const language of LANGUAGES) {
      await speak(admin, language);
      const page = await visitor(OWNER, PHONE);
      await page.open("/");
      const menu = await page.locator("nav a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
      assert.equal(menu.length, 11);
      for (const path of [...menu, "/me", "/merchants/new", "/attention/again?cause=locked"]) {
        assert.equal((await page.open(path)).status(), 200, path);
        found.push(...(await faults(page, `${path} (${language}, empty)`)));
        const rows = await page.locator("tbody tr, form[method=post] .field").count();
        const empty = (await page.locator(".empty, .banner").allInnerTexts()).join(" ");
        assert(rows > 0 || empty.split(/[.؟:]\s/).length > 1, `${path}: nothing is there, and it says only "${empty}"`);
      }
      for (const path of ["/", "/merchants"]) {
        await page.open(path);
        assert.equal(await page.locator("main a[href='/merchants/new']").count(), 1, `${path} leads to the first step`);
      }
      await page.context().close();
    }
    await speak(admin, "en");
    assert.deepEqual(found, []);
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
    const planned = new URL(admin.url()).pathname;
    const found = [];
    const narrow = await visitor(OWNER, PHONE);
    for (const language of LANGUAGES) {
      await speak(narrow, language);
      for (const path of ["/", "/log?status=shadow", planned, "/merchants", "/merchants/wadi-home", "/merchants/wadi-home/live"]) {
        await narrow.open(path);
        found.push(...(await faults(narrow, `${path} in shadow (${language})`)));
      }
    }
    await speak(narrow, "en");
    await narrow.context().close();
    assert.deepEqual(found, []);
  },

  async "live: an order is an invoice, and its page tells why"() {
    await admin.open("/merchants/wadi-home/live");
    await press(admin, "Look in Daftra now");
    await until(admin, "nobody else invoiced its orders", () => has(admin, "None was found."));
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
    const late = await visitor(OWNER);
    await late.open("/attention");
    await late.getByRole("link", { name: "Look again at all of them" }).first().click();
    await admin.getByRole("link", { name: "Choose the product" }).first().click();
    await field(admin, "Search in Daftra").fill("مصباح");
    await press(admin, "Search");
    await admin.getByRole("button", { name: /It is this one/ }).first().click();
    await admin.open("/log?q=1004");
    await until(admin, "it is invoiced", () => inRow(admin, "Success"));
    await admin.open("/attention");
    await until(admin, "nothing is held any more", () => has(admin, "Nothing needs a person"));
    assert.equal((await invoices()).length, 3);
    await press(late, "Look at them again (2)");
    assert(await has(late, "This cannot be done"), "somebody was faster");
    assert.equal(await checkNotice(late, 422, "en"), "/attention");
    await late.context().close();
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
    const narrow = await visitor(OWNER, PHONE);
    await narrow.open("/me");
    await field(narrow, "What it is for").fill("a look");
    await press(narrow, "Make a token");
    await narrow.getByRole("link", { name: "Back to my account" }).waitFor();
    assert.deepEqual(await faults(narrow, "a token that is shown once"), []);
    await narrow.open("/me");
    await narrow.getByRole("button", { name: /^Revoke/ }).first().click();
    await narrow.context().close();
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

  async "what comes in shows on the pages that are open"() {
    await admin.open("/log");
    await appears(admin, () => here.deliver("wadi-home", "orders/create", order(1010, "WH-2040")), admin.getByRole("link", { name: "#1010" }));
    await admin.open("/");
    const orders = async () => Number(await admin.locator(".figures dd").first().innerText());
    const before = await orders();
    const more = admin.locator(".figures dd").first().filter({ hasText: String(before + 1) });
    await appears(admin, () => here.deliver("wadi-home", "orders/create", order(1011, "WH-2040")), more);
    await admin.open("/log?q=1010");
    await until(admin, "it is invoiced", () => inRow(admin, "Success"));
    await admin.getByRole("link", { name: "#1010" }).first().click();
    const edited = order(1010, "WH-2040", { units: 2 });
    await appears(admin, () => here.deliver("wadi-home", "orders/updated", edited), admin.locator(".badge", { hasText: "Updated" }));
    assert(await has(admin, "698.00"));
    await admin.open("/log?q=1011");
    await until(admin, "it is invoiced", () => inRow(admin, "Success"));
    await admin.open("/attention");
    const unknown = order(1012, "LAMP-Z");
    await appears(admin, () => here.deliver("wadi-home", "orders/create", unknown), admin.getByRole("link", { name: "#1012" }));
    const plain = await visitor(OWNER, { javaScriptEnabled: false });
    for (const path of ["/", "/log", "/attention", "/orders/1"]) assert((await plain.open(path)).ok(), path);
    await plain.context().close();
  },

  async "locked and in doubt: each with its choices, and the button"() {
    const [first] = (await invoices()).sort((one, other) => one.id - other.id);
    await here.hand({ do: "accept_e_invoice", document: first.id });
    assert.equal(await here.deliver("wadi-home", "orders/updated", order(1002, "WH-2040", { units: 3 })), 200);
    await here.fault({ kind: "lose_answer", method: "POST", times: 1 });
    assert.equal(await here.deliver("wadi-home", "orders/create", order(1013, "WH-2040")), 200);
    await admin.open("/attention");
    const locked = admin.locator("#locked article");
    const doubt = admin.locator("#doubt article");
    await until(admin, "both are told", async () => (await locked.count()) === 1 && (await doubt.count()) === 1);
    for (const part of [locked, doubt]) assert.equal(await part.getByRole("listitem").count(), 3, "three choices");
    assert.match(await locked.innerText(), /#1002.*-order/s);
    assert.match(await doubt.innerText(), /#1013.*-order.*Looked for again at/s);
    await locked.getByRole("button", { name: "Try again" }).click();
    await admin.waitForURL(/\/orders\/\d+\?said=looks_again$/);
    assert(await has(admin, "The order is looked at again."));
  },

  async "a viewer limited to one merchant sees that one, and changes nothing"() {
    here.qantara(["merchant", "add", here.write("najd.json", JSON.stringify({
      slug: "najd", name: "Najd Oud", time_zone: "Asia/Riyadh", mode: "paused", shop: { domain: "najd-oud.myshopify.com" },
      daftra: { url: "", store_id: 0, client_id: 0 }, lines: { vendors: [] },
    }))]);
    await admin.open("/users");
    await field(admin, "Name").fill(STAFF.username);
    await admin.getByLabel("Role").first().selectOption("viewer");
    await field(admin, "Password").fill(STAFF.password);
    await press(admin, "Add a user");
    await admin.getByRole("radio", { name: "Only these" }).check();
    await admin.getByRole("checkbox", { name: "Najd Oud" }).check();
    await press(admin, "Save");
    const staff = await visitor(STAFF);
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

  async "a merchant ends, and comes back"() {
    const shown = async (...paths) => {
      const found = [];
      for (const language of LANGUAGES) {
        await speak(admin, language);
        const page = await visitor(OWNER, PHONE);
        for (const path of paths) {
          assert.equal((await page.open(path)).status(), 200, path);
          found.push(...(await faults(page, `${path} (${language})`)));
        }
        await page.context().close();
      }
      await speak(admin, "en");
      assert.deepEqual(found, []);
    };
    await admin.open("/merchants/najd");
    assert(await has(admin, "None yet"), "it never had a delivery");
    await admin.locator("summary").click();
    await field(admin, "Type the short name").fill("nadj");
    await press(admin, "Close this merchant");
    assert(await has(admin, "nothing was closed"));
    await field(admin, "Type the short name").fill("najd");
    await press(admin, "Close this merchant");
    assert(await has(admin, "This merchant is closed"));
    assert.equal(await admin.locator("main nav").count(), 0, "what is closed has no steps");
    await shown("/merchants/najd", "/merchants", "/", "/log?merchant=najd", "/attention?merchant=najd", "/deliveries?merchant=najd");
    assert.equal((await admin.open("/merchants/najd/vendors")).status(), 404);
    await checkNotice(admin, 404, "en");
    await admin.open("/merchants/najd");
    await press(admin, "Open again");
    await admin.open("/merchants/najd");
    assert.equal(await admin.locator("h1 .badge").innerText(), "Being set up");
    await shown("/merchants/najd");
    await admin.open("/merchants/wadi-home");
    await press(admin, "Pause");
    assert.match(await admin.locator("h1 .badge").innerText(), /^Paused/);
    await shown("/merchants/wadi-home", "/merchants/wadi-home/live", "/");
    await admin.open("/merchants/wadi-home");
    await press(admin, "Resume");
  },

  async "whoever guesses passwords waits"() {
    const statuses = [];
    for (let at = 0; at < 8; at += 1) {
      const guess = basic({ username: "somebody", password: `guess ${at}` });
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

  async "every refusal is a page with a cause, a next step and a way on"() {
    const found = [];
    await speak(admin, "en");
    await admin.open("/users");
    await field(admin, "Name").fill(HAND.username);
    await admin.getByLabel("Role").first().selectOption("operator");
    await field(admin, "Password").fill(HAND.password);
    await admin.locator("#add button").click();
    for (const language of LANGUAGES) {
      const browserOf = { ...PHONE, locale: language };
      const seen = async (page, answer, status, leadsTo) => {
        assert.equal(answer.status(), status, page.url());
        assert.equal(await checkNotice(page, status, language), leadsTo, `${page.url()} (${status})`);
        found.push(...(await faults(page, `${page.url()} (${status}, ${language})`)));
      };
      // Without a box to fill in, this browser shows no page to whoever gives no name at all.
      const guesser = await visitor({ username: `guesser ${language}`, password: "no" }, browserOf);
      let answer = await guesser.open("/log");
      await seen(guesser, answer, 401, "/log");
      while (answer.status() === 401) answer = await guesser.open("/log");
      await seen(guesser, answer, 429, "/log");
      const hand = await visitor(HAND, browserOf);
      await speak(hand, language);
      for (const [path, status, leadsTo] of [
        ["/users", 403, "/"], ["/merchants/wadi-home/daftra", 403, "/merchants/wadi-home"], ["/nowhere", 404, "/"],
        ["/orders/999999", 404, "/"], ["/merchants/nobody", 404, "/merchants"], ["/orders/1/note", 405, "/orders/1"],
      ]) await seen(hand, await hand.open(path), status, leadsTo);
      const about = "/orders/1";
      await hand.open(about);
      await seen(hand, await post(hand, `${about}/note`, { note: "without its mark" }), 403, about);
      await hand.open(about);
      await seen(hand, await post(hand, `${about}/note`, { note: "x".repeat(1_100_000) }), 413, about);
      for (const page of [guesser, hand]) await page.context().close();
    }
    assert.deepEqual(found, []);
  },

  async "every form, empty and full of nonsense, comes back with its complaint"() {
    const reader = await visitor(OWNER, PHONE);
    const paths = await pages(reader);
    for (const language of LANGUAGES) {
      await speak(reader, language);
      const { refused, found } = await sendAllWrongly(reader, paths, language);
      assert.deepEqual(found, []);
      assert(refused >= 18, `only ${refused} were refused`);
      console.log(`        ${refused} refused (${language})`);
    }
    await reader.context().close();
  },

  async "without a script everything still works"() {
    const plain = await visitor(OWNER, { javaScriptEnabled: false });
    for (const path of await pages(plain)) assert((await plain.open(path)).ok(), path);
    await plain.context().close();
  },

  // Any two of language, light and width meet on every page; all three at once would only take twice as long.
  async "every page, both languages, light and dark, wide and narrow: no barrier, nothing sideways"() {
    const found = [];
    for (const language of LANGUAGES) {
      // What fades from one colour to the next has neither of them meanwhile.
      const page = await visitor(OWNER, { bypassCSP: true, reducedMotion: "reduce" });
      await speak(page, language);
      const widths = language === "en" ? { light: 1280, dark: 360 } : { light: 360, dark: 1280 };
      for (const path of await pages(page)) {
        await page.open(path);
        for (const [colorScheme, width] of Object.entries(widths)) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 800 });
          found.push(...(await faults(page, `${path} (${language}, ${colorScheme}, ${width})`)));
        }
      }
      await page.context().close();
    }
    assert.deepEqual(found, []);
  },

  async "whoever may less sees no way to what is refused"() {
    const found = [];
    for (const [who, language] of [[HAND, "en"], [STAFF, "ar"]]) {
      const page = await visitor(who, PHONE);
      await speak(page, language);
      for (const path of await pages(page)) {
        await page.open(path);
        found.push(...(await faults(page, `${path} (${who.username}, ${language})`)));
      }
      await page.context().close();
    }
    assert.deepEqual(found, []);
    console.log(`        ${looked()} looks`);
  },
};

const failed = await tell(stories, () => browser.contexts().flatMap((context) => context.pages()), "admin");
await browser.close();
await here.leave();
process.exitCode = failed === 0 ? 0 : 1;
