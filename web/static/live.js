// Pages of running jobs look at themselves again: the part marked data-live is fetched anew until nothing is busy.

const WAIT_MS = 2000;
const MOST_MS = 30000;
let wait = WAIT_MS;

async function look() {
  const shown = document.querySelector("[data-live]");
  if (!shown?.hasAttribute("data-busy")) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (answer.ok && fresh) {
      // keep the focus of somebody who is reading here with the keyboard
      const focused = shown.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      shown.replaceWith(fresh);
      if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
      if (!fresh.hasAttribute("data-busy") && page.title) return location.reload();
      wait = WAIT_MS;
    }
  } catch {
    wait = Math.min(wait * 2, MOST_MS);
  }
  setTimeout(look, wait);
}

setTimeout(look, wait);
