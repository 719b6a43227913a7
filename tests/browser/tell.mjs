// Tells stories one after the other until one fails, says how long each took, and keeps pictures of what was open then.

import { mkdirSync } from "node:fs";

const pictures = new URL("pictures/", import.meta.url).pathname;

/** How many failed; `pages` are those that are open. */
export async function tell(stories, pages, title) {
  for (const [name, story] of Object.entries(stories)) {
    const began = Date.now();
    try {
      await story();
      console.log(`ok      ${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s  ${name}`);
    } catch (error) {
      console.log(`FAILED  ${name}\n${error.stack}`);
      mkdirSync(pictures, { recursive: true });
      for (const [at, page] of pages().entries()) {
        await page.screenshot({ path: `${pictures}${title}-${at}.png`, fullPage: true }).catch(() => {});
      }
      console.log(`Pictures are in ${pictures}`);
      return 1;
    }
  }
  return 0;
}
