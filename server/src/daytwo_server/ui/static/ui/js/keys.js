/* Keyboard. What a page offers is written in its markup, and `shortcuts()` reads it: one list that the key handler
   runs and the `?` sheet shows, so the sheet can never promise a key that does nothing here.

     data-key="e"       on a button or link: `e` presses it. Inside a row of [data-rows] it acts on the current row.
     data-key-label     what the sheet calls it, when the element's own text is not enough
     data-go="t"        on a navigation link: `g` then `t` follows it
     data-rows          on a list or table body: the keys of rows.js
     data-drawer        beside it: o and Space look at the row, see drawer.js
     data-search        on an input: `/` goes there

   Nothing fires while somebody types (WCAG 2.1.4), nor with data-keys="off" on the root element. In an open drawer only
   its own keys work, in any other dialog none. The words are those of ui/shortcuts.py. */
const TYPING = `input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"], [type="range"]),
  textarea, select, [contenteditable]:not([contenteditable="false"])`;
const ROWS = "[data-rows] .row, tbody[data-rows] > tr";
const CHORD = 1000;

const currentRow = () => document.activeElement?.closest(ROWS);

/* ---- The registry ---- */
const named = (el) => (el.dataset.keyLabel || el.getAttribute("aria-label") || el.textContent).trim().replace(/\s+/g, " ");
// An undo stays possible for a while after its toast is out of sight.
const usable = (el) => el.closest(".toast") || el.checkVisibility();
// rows.js and drawer.js do what is asked for here.
const row = (act) => () => document.dispatchEvent(new CustomEvent("ui:row", { detail: act }));

const shortcuts = (scope) => {
  const found = new Map();
  const add = (keys, label, run, group = "On this page") => found.set(keys, { keys, label, run, group });
  if (scope.querySelector("[data-rows]")) {
    add("j", "Next row", row("next"));
    add("k", "Previous row", row("previous"));
    add("Enter", "Open the row", null); // the row's link has the focus, so the browser does it
    if (scope.querySelector("[data-drawer]")) for (const key of ["o", "Space"]) add(key, "Look at the row", row("look"));
    if (scope.querySelector('[data-rows] input[type="checkbox"]')) {
      add("x", "Select the row", row("tick"));
      if (scope.querySelector("[data-ticks]")) {
        add("Shift x", "Select the rows up to this one", row("range"));
        add("Shift j", "Select the row and go to the next one", row("tick next"));
        add("Shift k", "Select the row and go to the previous one", row("tick previous"));
      }
    }
  }
  for (const el of scope.querySelectorAll("[data-key]")) {
    const { key } = el.dataset;
    if (el.closest(ROWS)) add(key, named(el), () => currentRow()?.querySelector(`[data-key="${CSS.escape(key)}"]`)?.click());
    else if (usable(el)) add(key, named(el), () => el.click()); // a later one, such as a newer undo, takes over
  }
  const search = scope.querySelector("[data-search]");
  if (search) add("/", "Search", () => search.focus());
  for (const el of scope.querySelectorAll("[data-go]")) {
    const label = el.querySelector("[data-go-label]") ?? el;
    add(`g ${el.dataset.go}`, named(label), () => el.click(), "Go to");
  }
  if (scope === document) add("?", "Show this list", openSheet);
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
  const all = [...shortcuts(document).values()];
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

const nameOf = ({ key, shiftKey }) => {
  if (key === " ") return "Space";
  // The shift key is part of the name of a letter, and caps lock is not.
  return /^[a-z]$/i.test(key) ? (shiftKey ? "Shift " : "") + key.toLowerCase() : key;
};

/* Where keys work now: nowhere in a dialog that asks something. */
const here = () => {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  return open ? open.matches(".drawer") && open : document;
};

document.addEventListener("keydown", (event) => {
  const plain = !(event.metaKey || event.ctrlKey || event.altKey || event.isComposing || event.defaultPrevented);
  if (!plain || document.documentElement.dataset.keys === "off" || event.target.closest?.(TYPING)) return;
  const scope = here();
  // Space presses what has the focus, unless that is a link.
  if (!scope || (event.key === " " && !event.target.closest?.("a"))) return;
  const chord = event.timeStamp < chordUntil;
  chordUntil = 0;
  if (event.key === "g" && !chord && scope === document) {
    chordUntil = event.timeStamp + CHORD;
    return;
  }
  const name = nameOf(event);
  const one = shortcuts(scope).get(chord ? `g ${name}` : name);
  if (!one?.run) return;
  // A key that is held down goes through the rows and stops at their end.
  if (event.repeat && (!"jk".includes(name) || event.target.closest(".pager"))) return;
  if (name === "Space" && !currentRow()) return;
  event.preventDefault();
  one.run();
});
