// Looks at a page as it is shown: does anything lie beyond its edge, and does axe-core find a barrier of WCAG 2.2 A or AA?

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let looks = 0;
/** How many pages were looked at so far. */
export const looked = () => looks;

/** What is wrong with the page that is open, each fault with its place. */
export async function faults(page, place) {
  looks += 1;
  const found = [];
  const [scroll, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  if (scroll > inner) found.push(`${place}: ${scroll} wide in a window of ${inner}`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), LEVELS);
  for (const { id, help, nodes } of violations) found.push(`${place}: ${id}, ${help}: ${nodes[0].html}`);
  return found;
}

/** The language of whoever is signed in. */
export async function speak(page, language) {
  await page.open("/me");
  const form = page.locator("form", { has: page.locator("[name=language]") });
  await form.locator(`input[value=${language}]`).check();
  await form.getByRole("button").click();
}

/** Every page there is, found as people find them: by following links, one of each kind. No link leads nowhere. */
export async function pages(page, start = "/") {
  const found = new Map([[start, start]]);
  for (const [kind, path] of found) {
    const answer = await page.open(path);
    assert(answer.ok(), `${kind} leads to ${path}, which answers ${answer.status()}`);
    for (const link of await page.locator("a[href^='/']").evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
      const url = new URL(link, page.url());
      const next = `${url.pathname.replaceAll(/\/(\d+)(?=\/|$)/g, "/{id}")}?${[...url.searchParams.keys()].sort().join("&")}`;
      if (!/\.(csv|json)$/.test(url.pathname) && !found.has(next)) found.set(next, link);
    }
  }
  return [...found.values()];
}

/** A problem is a page of its own: a heading, what to do, and one way on that is there. */
export async function checkNotice(page, status, language) {
  const place = `${page.url()} (${status}, ${language})`;
  const main = page.locator("main");
  assert.equal(await page.locator("html").getAttribute("lang"), language, `${place}: the language`);
  assert.equal(await main.locator("h1").count(), 1, `${place}: one heading`);
  assert((await main.locator("p").first().innerText()).length > 10, `${place}: what to do`);
  const letters = language === "ar" ? /[\u0600-\u06FF]{3}/ : /[a-z]{3}/;
  for (const text of await main.locator("h1, p").allInnerTexts()) assert.match(text, letters, `${place}: ${text}`);
  const links = await main.locator("a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  assert.equal(links.length, 1, `${place}: one way on, ${links}`);
  return links[0];
}
