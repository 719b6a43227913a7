// Sends every form empty and filled with nonsense, as a hurried person or a broken browser would. What is not taken comes
// back as a page: the complaint beside its field, which has the focus, and all that was typed still there, but no secret.

import assert from "node:assert/strict";
import { faults } from "./look.mjs";

/** What these do is for stories of their own, or cannot be wrong. */
const BUTTONS = /\/(retry|release|revoke|replay|dismiss|import|renew|leave|pause|resume|open|disable|enable|forget|live|language)$/;
/** Longer than any name, and markup. */
const NONSENSE = `"><b>§ ${"nonsense ".repeat(150)}`;
/** In milliseconds. */
const FOCUS_WITHIN = 2_000;
/** Not typed: they say themselves what may be chosen. */
const CHOSEN = new Set(["hidden", "radio", "checkbox", "submit", "search"]);

const kind = (action) => action.replaceAll(/\/(\d+)(?=\/|$)/g, "/{id}");

/** The forms that can be sent wrongly, one of each kind, and the page of each. */
async function wrongable(page, paths) {
  const found = new Map();
  for (const path of paths) {
    await page.open(path);
    const forms = await page.locator("form[method=post]").evaluateAll((all) =>
      all.map((form) => ({
        action: form.getAttribute("action"),
        types: [...form.querySelectorAll("input, textarea")].map((one) => one.type),
      })));
    for (const { action, types } of forms) {
      if (BUTTONS.test(action) || types.every((type) => CHOSEN.has(type))) continue;
      if (!found.has(kind(action))) found.set(kind(action), { action, path });
    }
  }
  return [...found.values()];
}

/** Types the same into every field, presses the button, and says what each field had. */
async function send(page, action, text) {
  const comesBack = page.waitForEvent("load");
  const sent = page.locator(`form[method=post][action="${action}"]`).first().evaluate((form, text) => {
    form.noValidate = true;
    for (const details of document.querySelectorAll("details")) details.open = true;
    const typed = [];
    for (const field of form.querySelectorAll("input, textarea")) {
      if (["hidden", "radio", "checkbox", "file", "search"].includes(field.type)) continue;
      field.removeAttribute("maxlength");
      field.value = text;
      typed.push([field.name, field.type, field.value]);
    }
    form.requestSubmit();
    return typed;
  }, text);
  const answers = page.waitForResponse((answer) => answer.request().method() === "POST");
  const [answer, typed] = await Promise.all([answers, sent, comesBack]);
  return { status: answer.status(), typed };
}

/** Which forms came back, each with what is wrong with how. */
export async function sendAllWrongly(page, paths, language) {
  const found = [];
  let refused = 0;
  for (const { action, path } of await wrongable(page, paths)) {
    for (const text of ["", NONSENSE]) {
      const place = `${action} (${language}, ${text ? "nonsense" : "empty"})`;
      await page.open(path);
      const { status, typed } = await send(page, action, text).catch((error) => assert.fail(`${place}: ${error.message}`));
      if (status === 303) continue;
      assert.equal(status, 422, place);
      refused += 1;
      found.push(...(await unsaid(page, place, action, typed, language)));
      if (text) found.push(...(await faults(page, place)));
    }
  }
  return { refused, found };
}

async function unsaid(page, place, action, typed, language) {
  const found = [];
  // A browser gives the focus with the first frame after the page is there; what never gets it is told below.
  const hasFocus = () => document.activeElement?.getAttribute("aria-invalid") === "true";
  await page.waitForFunction(hasFocus, undefined, { timeout: FOCUS_WITHIN }).catch(() => {});
  const complaint = page.locator("main [role=alert]");
  if ((await complaint.count()) !== 1) return [`${place}: ${await complaint.count()} complaints`];
  const said = await complaint.innerText();
  const letters = language === "ar" ? /[\u0600-\u06FF]{3}/ : /[a-z]{3}/;
  if (!letters.test(said)) found.push(`${place}: the complaint is "${said}"`);
  const shown = await page.locator(`form[method=post][action="${action}"]`).first().evaluate((form) => {
    const marked = form.querySelector("[aria-invalid=true]");
    const { top, bottom } = marked?.getBoundingClientRect() ?? {};
    return {
      values: Object.fromEntries([...form.querySelectorAll("input, textarea")].map((field) => [field.name, field.value])),
      told: marked && document.getElementById(marked.getAttribute("aria-describedby"))?.innerText,
      hasFocus: marked === document.activeElement,
      active: document.activeElement?.outerHTML.slice(0, 120),
      isInView: top >= 0 && bottom <= innerHeight,
    };
  });
  for (const [name, type, value] of typed) {
    const wanted = type === "password" ? "" : value.trim();
    const isKept = type === "datetime-local" || shown.values[name]?.trim() === wanted;
    if (!isKept) found.push(`${place}: ${name} says "${shown.values[name]?.slice(0, 30)}" after "${value.slice(0, 30)}" was typed`);
  }
  if (shown.told !== said) found.push(`${place}: no field points at "${said}"`);
  else if (!shown.hasFocus) found.push(`${place}: the field that is wrong has no focus, but ${shown.active}`);
  else if (!shown.isInView) found.push(`${place}: the field that is wrong is out of view`);
  return found;
}
