/* Back brings a list as it was left: scrolled to where it was, the same row focused, the same rows ticked. A form that
   leads back to its own page (an undo, a button in a row) keeps the place too. Forms say autocomplete="off", because a
   browser restores ticks by their position, and rows may have moved since. */
const KEY = "ui.back";
const KEEP = 20;
const here = () => location.pathname + location.search;
const ticks = () => document.querySelectorAll('form[data-ticks] [data-rows] input[type="checkbox"]');
let posted = false;

const load = () => {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
  } catch {
    return new Map();
  }
};

document.addEventListener("submit", ({ target }) => {
  posted ||= target.method === "post";
});

addEventListener("pagehide", () => {
  if (!document.querySelector("[data-rows]")) return;
  const left = load();
  left.delete(here());
  left.set(here(), {
    y: scrollY,
    link: document.activeElement?.closest("[data-rows] :is(a, tr)")?.querySelector("a")?.href ?? document.activeElement?.href,
    ticks: [...ticks()].filter((box) => box.checked).map((box) => box.value),
    every: document.querySelector("[data-tick-every]")?.checked,
    posted,
  });
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...left].slice(-KEEP)));
  } catch {
    // Nothing can be stored here; the browser's own scrolling is what remains.
  }
});

const found = load().get(here());
const back = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
if (found && (back || found.posted) && !document.querySelector("form [autofocus]")) {
  for (const box of ticks()) box.checked = back && found.ticks.includes(box.value);
  const every = document.querySelector("[data-tick-every]");
  if (every && back) every.checked = found.every;
  document.dispatchEvent(new CustomEvent("ui:restored"));
  for (const link of found.link ? document.querySelectorAll("[data-rows] a") : []) {
    if (link.href === found.link) {
      link.focus({ preventScroll: true });
      break;
    }
  }
  scrollTo(0, found.y);
}
