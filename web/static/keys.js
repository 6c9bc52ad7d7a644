// Keys for hands that stay on the keyboard. Everything here can also be done without.

const find = () => document.querySelector("main [data-find]") ?? document.querySelector("[data-find]");
const hits = () => [...document.querySelectorAll("[data-hit] :is(h2, h3) a")];

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function step(by) {
  const links = hits();
  if (!links.length) return;
  const at = links.findIndex((link) => link.closest("[data-hit]").contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
  links[next].focus();
  links[next].closest("[data-hit]").scrollIntoView({ block: "nearest" });
}

const actions = {
  "/": () => { find()?.focus(); find()?.select(); },
  j: () => step(1),
  k: () => step(-1),
  "?": () => { location.href = "/about#keys"; },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
