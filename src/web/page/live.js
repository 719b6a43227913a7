// Comfort only: shows what is new without a reload, and sends small forms without leaving the page. Every page and every
// form works without it. Parts of class "live" are replaced by the same part (by id) of a newer page; what a reader
// opened stays open, what has the focus keeps it, and nothing is replaced that somebody presses, types into or selects.
"use strict";

const known = new Map();
const address = () => location.origin + location.pathname + location.search;

function replace(old, part) {
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  const targets = (of) => [...of.querySelectorAll("a, button, input, select, summary")];
  const focus = targets(old).indexOf(document.activeElement);
  const scrolled = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  old.replaceWith(part);
  part.querySelectorAll("details").forEach((one, at) => { one.open = open[at] ?? one.open; });
  part.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = scrolled[at] ?? 0; });
  targets(part)[focus]?.focus({ preventScroll: true });
}

function isInUse(part) {
  const marked = getSelection();
  const typed = (one) => one.value !== one.defaultValue;
  return part.matches(":active") || part.querySelector("select:focus, input:focus, textarea:focus") !== null
    || [...part.querySelectorAll("input, textarea")].some(typed)
    || (marked.type === "Range" && part.contains(marked.anchorNode));
}

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const old of document.querySelectorAll(".live")) {
    const part = fresh.getElementById(old.id);
    if (!part || part.outerHTML === known.get(old.id) || isInUse(old)) continue;
    known.set(old.id, part.outerHTML);
    replace(old, document.adoptNode(part));
  }
  // A page that has come to rest says so, and is left alone.
  document.body.dataset.liveMs = fresh.body.dataset.liveMs ?? "";
}

async function ask(request) {
  const answer = await fetch(...request);
  // Anything but the page, such as a sign-in that has ended, wants the browser's own way.
  if (!answer.ok) throw new Error(answer.statusText);
  show(await answer.text());
}

async function look() {
  try {
    if (!document.hidden) await ask([address()]);
    document.body.classList.remove("lost");
  } catch {
    document.body.classList.add("lost");
  }
  const wait = Number(document.body.dataset.liveMs);
  if (wait) setTimeout(look, wait);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.classList.contains("quiet")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const action = event.submitter?.hasAttribute("formaction") ? event.submitter.formAction : form.action;
  ask([action, { method: "POST", body }]).then(() => form.reset(), () => document.body.classList.add("lost"));
});

for (const part of document.querySelectorAll(".live")) known.set(part.id, part.outerHTML);
setTimeout(look, Number(document.body.dataset.liveMs));
