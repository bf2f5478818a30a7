/* Keyboard. What a page offers is written in its markup, and `shortcuts()` reads it: one list that the key handler
   runs and the `?` sheet shows, so the sheet can never promise a key that does nothing here.

     data-key="a"       on a button or link: `a` presses it. Inside a row of [data-rows] it acts on the current row.
     data-key-label     what the sheet calls it, when the element's own text is not enough
     data-go="t"        on a navigation link: `g` then `t` follows it
     data-rows          on a list or table body: j and k move, Enter opens, x selects
     data-search        on an input: `/` goes there

   Nothing fires while somebody types (WCAG 2.1.4), nor with data-keys="off" on the root element. */
const TYPING = `input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"], [type="range"]),
  textarea, select, [contenteditable]:not([contenteditable="false"])`;
const ROWS = "[data-rows] .row, tbody[data-rows] > tr";
const CHORD = 1000;

/* ---- Rows ---- */
let lastRow = -1;

const rows = () => [...document.querySelectorAll(ROWS)].filter((row) => row.checkVisibility());
const currentRow = () => document.activeElement?.closest(ROWS);

const move = (step) => {
  const all = rows();
  const here = all.indexOf(currentRow());
  // A row that was just dealt with is gone and its place is taken by the next one, so j stays where it was.
  const there = here >= 0 ? here + step : Math.max(0, step > 0 ? lastRow : lastRow - 1);
  const row = all[there];
  if (!row) {
    if (step > 0) document.querySelector('a[rel="next"]')?.focus();
    return;
  }
  lastRow = there;
  const link = row.matches("a") ? row : row.querySelector("[data-row-link], a[href]");
  if (!link) row.tabIndex = -1;
  (link ?? row).focus();
  row.scrollIntoView({ block: "nearest" });
};

const inRow = (selector) => currentRow()?.querySelector(selector)?.click();

/* ---- The registry ---- */
const named = (el) => (el.dataset.keyLabel || el.getAttribute("aria-label") || el.textContent).trim().replace(/\s+/g, " ");
// An undo stays possible for a while after its toast is out of sight.
const usable = (el) => el.closest(".toast") || el.checkVisibility();

const shortcuts = () => {
  const found = new Map();
  const add = (keys, label, run, group = "On this page") => found.set(keys, { keys, label, run, group });
  if (document.querySelector("[data-rows]")) {
    add("j", "Next row", () => move(1));
    add("k", "Previous row", () => move(-1));
    add("Enter", "Open the row", null); // the row's link has the focus, so the browser does it
    if (document.querySelector('[data-rows] input[type="checkbox"]')) add("x", "Select the row", () => inRow('input[type="checkbox"]'));
  }
  for (const el of document.querySelectorAll("[data-key]")) {
    const { key } = el.dataset;
    if (el.closest(ROWS)) add(key, named(el), () => inRow(`[data-key="${CSS.escape(key)}"]`));
    else if (usable(el)) add(key, named(el), () => el.click()); // a later one, such as a newer undo, takes over
  }
  const search = document.querySelector("[data-search]");
  if (search) add("/", "Search", () => search.focus());
  for (const el of document.querySelectorAll("[data-go]")) {
    const label = el.querySelector("[data-go-label]") ?? el;
    add(`g ${el.dataset.go}`, named(label), () => el.click(), "Go to");
  }
  add("?", "Show this list", openSheet);
  return found;
};

/* ---- The sheet ---- */
const make = (tag, className = "", ...children) => {
  const el = document.createElement(tag);
  if (className) el.className = className;
  el.append(...children);
  return el;
};

const line = ({ keys, label }) => {
  const caps = keys.split(" ").flatMap((key) => [make("kbd", "", key), " "]);
  return make("div", "", make("span", "", label), make("span", "nowrap", ...caps.slice(0, -1)));
};

const openSheet = () => {
  document.getElementById("shortcuts")?.remove();
  const title = make("h2", "", "Keyboard shortcuts");
  title.id = "shortcuts-title";
  const close = make("button", "button button--quiet button--small", "Close");
  const body = make("div", "dialog__body stack", make("div", "between", title, close));
  const all = [...shortcuts().values()];
  for (const group of new Set(all.map((one) => one.group))) {
    body.append(make("h3", "small", group), make("div", "shortcuts", ...all.filter((one) => one.group === group).map(line)));
  }
  const dialog = make("dialog", "dialog", body);
  dialog.id = "shortcuts";
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.addEventListener("click", ({ target }) => (target === dialog || target === close) && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
};

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-open-shortcuts]")) openSheet();
});

/* ---- The handler ---- */
let chordUntil = 0;

document.addEventListener("keydown", (event) => {
  const plain = !(event.metaKey || event.ctrlKey || event.altKey || event.isComposing || event.defaultPrevented);
  if (!plain || document.documentElement.dataset.keys === "off") return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  const chord = event.timeStamp < chordUntil;
  chordUntil = 0;
  if (event.key === "g" && !chord) {
    chordUntil = event.timeStamp + CHORD;
    return;
  }
  const one = shortcuts().get(chord ? `g ${event.key}` : event.key);
  if (!one?.run || (event.repeat && !"jk".includes(event.key))) return;
  event.preventDefault();
  one.run();
});
