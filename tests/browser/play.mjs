// Plays the playground in a real browser, as a visitor would: what is bought appears on all three sites, and whatever is
// broken, there is one invoice in the end. Looks at what is visible, waits for it within limits, never for a time.
//
//     node play.mjs <executable of Qantara> <executable of Chromium>

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { tell } from "./tell.mjs";

const [, , executable, executablePath] = process.argv;
const PATIENCE = 30_000;

const demo = spawn(executable, ["demo", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
const about = JSON.parse(await once(createInterface(demo.stdout), "line").then(([line]) => line));
// Root has no sandbox of Chromium's; elsewhere it stays.
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args });
const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
context.setDefaultTimeout(PATIENCE);

const shop = await context.newPage();
const daftra = await context.newPage();
await shop.goto(about.shop);
await daftra.goto(about.daftra);
const line = shop.locator("#line");

/** Waits until it is so; says what it saw last. */
async function until(what, look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const seen = await look();
    if (seen.ok) return;
    assert(Date.now() < end, `it never came to this: ${what}; last seen: ${seen.last}`);
    await shop.evaluate(() => new Promise(requestAnimationFrame));
  }
}

const says = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

/** Buys one thing and gives the card of its order. */
async function buy(title) {
  return newOrder(() => shop.getByRole("button", { name: `Buy one: ${title}` }).first().click());
}

/** Does something that places an order, and gives its card once the open page shows it. */
async function newOrder(place) {
  const before = await shop.locator(".order").count();
  await place();
  await until("one more order", async () => {
    const last = await shop.locator(".order").count();
    return { ok: last === before + 1, last };
  });
  return shop.locator(`#${await shop.locator(".order").first().getAttribute("id")}`);
}

const remote = async (card) => (await card.getAttribute("id")).replace("order-", "");
const invoices = async (card) => daftra.locator("#invoices tbody tr", { hasText: `-${await remote(card)}-order` });
const trouble = (name) => shop.locator(".trouble button", { hasText: name });

/** One invoice of this total, on all three sites; `story` is Qantara's page, which was not reloaded. */
async function oneInvoice(card, total, story) {
  await says(card.locator(".journey li"), /: invoice \d{6}.* in Daftra/);
  await card.getByText("in doubt").waitFor({ state: "detached" });
  const rows = await invoices(card);
  await says(rows, total);
  assert.equal(await rows.count(), 1, "one invoice and no more");
  const page = story ?? (await open(card));
  await says(page.locator("h1"), "Settled");
  await says(page.locator("h3"), /Invoice \d{6}: posted/);
  await says(page.locator("dd"), total);
  await page.close();
}

/** Follows the link to the order's story in a tab of its own, signing in by the address as a visitor does. */
async function open(card) {
  const page = await context.newPage();
  await page.goto(await card.getByRole("link", { name: "story in Qantara" }).first().getAttribute("href"));
  return page;
}

const stories = {
  async "somebody has been here before"() {
    await says(line, "2 orders · 3 invoices · 0 held · 0 missing · 0 twice · killed 0 times");
  },

  async "what is bought is an invoice, and out of stock"() {
    const card = await buy("Coffee & date tray");
    await oneInvoice(card, "15.75 SAR");
    const tray = daftra.locator("#stock tr", { hasText: "WH-3300" }).locator("td").nth(1);
    await says(tray, "999 (1000)");
  },

  async "several things by keyboard"() {
    const count = shop.getByRole("spinbutton", { name: /How many: Coffee/ }).first();
    await count.fill("2");
    await count.press("Enter");
    const card = shop.locator(".order").first();
    await says(card, "2 × Coffee & date tray");
    await oneInvoice(card, "31.50 SAR");
    await card.getByRole("button", { name: /^One more/ }).click();
    await says(card, "3 × Coffee & date tray");
    await says(await invoices(card), "47.25 SAR");
    await says(await invoices(card), "replaced 1×");
    await card.getByRole("button", { name: "Refund one" }).click();
    await says(daftra.locator("#receipts tbody tr"), "15.75 SAR");
    await card.getByRole("button", { name: "Cancel order" }).click();
    await says(card, "Cancelled");
    await says(daftra.locator("#receipts tbody tr"), "31.50 SAR");
  },

  async "a lost answer is in doubt, then found"() {
    await trouble("Lose the next answer").click();
    await says(trouble("Lose the next answer"), "on: call it off");
    const card = await buy("مصباح طاولة خشبي");
    await says(card, "in doubt");
    const story = await open(card);
    await says(story.locator("h3"), "Invoice: in doubt");
    assert.equal(await trouble("Lose the next answer").getByText("call it off").count(), 0, "it hit once");
    await oneInvoice(card, "349.00 SAR", story);
  },

  async "saved, and said to have failed"() {
    await trouble("Save it and answer 500").click();
    const card = await buy("كتاب العطور");
    await says(card, "in doubt");
    await oneInvoice(card, "60.00 SAR");
  },

  async "killed during the call: in doubt, then found"() {
    await trouble("kill -9 during the next call").click();
    const card = await buy("مصباح طاولة خشبي");
    await says(card, "in doubt");
    const story = await open(card);
    await says(story.locator("h3"), "Invoice: in doubt");
    await oneInvoice(card, "349.00 SAR", story);
    await says(line, "killed 1 time");
  },

  async "killed now: the page that was open goes on"() {
    const card = await buy("Coffee & date tray");
    const story = await open(card);
    await trouble("kill -9 now").click();
    await says(line, "killed 2 times");
    await says(story.frameLocator("iframe.playground").locator("#line"), "killed 2 times");
    await card.getByRole("button", { name: /^One more/ }).click();
    await says(story.locator("dd"), "31.50 SAR");
    await oneInvoice(card, "31.50 SAR", story);
  },

  async "three times each: one invoice"() {
    await trouble("Send everything three times").click();
    await says(trouble("Send everything three times"), "on: call it off");
    const card = await buy("دهن عود كمبودي");
    await says(card, "(12 deliveries)");
    await oneInvoice(card, "420.50 SAR");
    await trouble("Send everything three times").click();
  },

  async "Daftra down: waits, and goes on"() {
    await trouble("Daftra down").click();
    await says(trouble("Daftra down"), "on: call it off");
    const card = await buy("Coffee & date tray");
    await says(card, "kept");
    const story = await open(card);
    await says(story.locator("h1"), /Waiting|In work|New/);
    assert.equal(await (await invoices(card)).count(), 0);
    await trouble("Daftra down").click();
    await oneInvoice(card, "15.75 SAR", story);
  },

  async "what Daftra does not know is held, and not missing"() {
    const card = await buy("Surprise box");
    await says(card, "held");
    await says(line, "1 held · 0 missing · 0 twice");
  },

  async "dinars have three digits"() {
    await oneInvoice(await buy("بخور معمول <فاخر>"), "4.338 KWD");
  },

  async "the same line on all three sites, and the way between them"() {
    const text = await line.textContent();
    await says(daftra.locator("#line"), text);
    const qantara = await context.newPage();
    await qantara.goto(about.shop);
    await qantara.getByRole("link", { name: "Qantara", exact: true }).click();
    await says(qantara.locator("h1"), "Overview");
    const frame = qantara.frameLocator("iframe.playground");
    await says(frame.locator("#line"), text);
    await frame.getByRole("link", { name: "Daftra" }).click();
    await says(qantara.locator("h1"), "Invoices");
    await qantara.close();
  },

  async "without a script"() {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    plain.setDefaultTimeout(PATIENCE);
    const page = await plain.newPage();
    await page.goto(about.shop);
    const card = await newOrder(async () => {
      await page.getByRole("button", { name: "Buy one: Coffee & date tray" }).first().click();
      await says(page.locator(".said"), "is placed, and on its way to Qantara");
    });
    await plain.close();
    await oneInvoice(card, "15.75 SAR");
  },
};

let failed = await tell(stories, () => context.pages(), "play");
await browser.close();
demo.kill("SIGINT");
const [code] = await once(demo, "exit");
if (code !== 0 || existsSync(about.folder)) {
  failed += 1;
  console.log(`FAILED  Ctrl-C: code ${code}, folder left: ${existsSync(about.folder)}`);
}
process.exitCode = failed === 0 ? 0 : 1;
