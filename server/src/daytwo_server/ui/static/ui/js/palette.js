/* The command palette: Ctrl-K or Cmd-K, or the search button of the top bar. Everything it offers is an option of a list
   box whose focus stays in the input (ARIA combobox). The server answers what can be found and opened; what the page
   itself can do is read from the elements that have a key, or only the name of a command (`data-command`). */
const dialog = document.getElementById("palette");
const [input, list, said] = ["input", ".palette__list", "[role=status]"].map((part) => dialog?.querySelector(part));
const ROW = "[data-rows] .row, tbody[data-rows] > tr";
const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector('[aria-selected="true"]');

const known = (option) => option?.href ?? option?.textContent;

const choose = (option) => {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
};

/* ---- What this page can do ---- */
let before; // had the focus when the palette opened: its row is the one that keys act on
let within; // an open drawer, or the page

const name = (el) => (el.dataset.command || el.dataset.keyLabel || el.getAttribute("aria-label") || el.textContent).trim().replace(/\s+/g, " ");
const here = (el) => {
  const row = el.closest(ROW);
  return !el.closest("dialog:not([open]), [data-palette]") && (row ? row.contains(before) : el.dataset.command || el.checkVisibility());
};

const actions = (text) => {
  const words = text.toLowerCase().split(/\s+/);
  const fits = (el) => words.every((word) => ` ${name(el).toLowerCase()}`.includes(` ${word}`));
  return [...within.querySelectorAll("[data-key], [data-command]")].filter((el) => here(el) && fits(el));
};

const make = (tag, attributes, ...children) => {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...children);
  return el;
};

const group = (found) =>
  make(
    "div",
    { role: "group", "aria-labelledby": "palette-here" },
    make("div", { class: "palette__group", id: "palette-here" }, "On this page"),
    ...found.map((el, place) => {
      const key = make("span", { class: "push" }, el.dataset.key ?? "");
      const option = make("div", { class: "palette__item", role: "option", "aria-selected": "false", id: `palette-here-${place}` }, el.querySelector("svg")?.cloneNode(true) ?? "", name(el), key);
      option.addEventListener("click", () => el.click());
      return option;
    }),
  );

/* ---- Asking ---- */
let asking; // of the last question; an answer to an earlier one is not wanted any more
let entered; // Enter came before the answer
let moved; // the option that arrows chose since the last word: it stays chosen when the answer comes

const ask = async () => {
  asking?.abort();
  const mine = (asking = new AbortController());
  entered = moved = null;
  const text = input.value.trim();
  let answer;
  try {
    answer = await fetch(`${dialog.dataset.url}?${new URLSearchParams({ q: text, at: location.pathname })}`, { signal: mine.signal });
    if (answer.redirected || !answer.ok) throw new Error(answer.status);
    answer = await answer.text();
  } catch {
    if (mine.signal.aborted) return;
    answer = "";
    said.textContent = "No answer. Type again, or reload the page.";
  }
  if (mine !== asking) return;
  asking = null;
  list.replaceChildren(...new DOMParser().parseFromString(answer, "text/html").body.children);
  const found = actions(text);
  // Without a word, where somebody was comes first; with one, what can be done here.
  if (found.length) list.insertBefore(group(found), text ? list.firstChild : (list.children[1] ?? null));
  const all = options();
  choose(all.find((option) => known(option) === known(moved)) ?? all[0]);
  if (answer || all.length) said.textContent = `${all.length || "No"} result${all.length === 1 ? "" : "s"}`;
  if (entered) run(entered);
};

const run = ({ ctrlKey, metaKey }) => {
  const option = chosen();
  if (option?.href && (ctrlKey || metaKey)) window.open(option.href);
  else option?.click();
};

const show = () => {
  before = document.activeElement;
  within = document.querySelector(".drawer[open]") ?? document;
  input.value = "";
  list.replaceChildren();
  choose();
  dialog.showModal();
  ask();
};

/* ---- Keys and clicks ---- */
const MOVES = { ArrowDown: 1, ArrowUp: -1 };
const opener = document.querySelector("[data-palette]");

if (dialog && opener) {
  if (/Mac|iP/.test(navigator.platform)) {
    for (const kbd of document.querySelectorAll("[data-palette] kbd, #palette kbd")) kbd.textContent = kbd.textContent.replace("Ctrl ", "⌘");
    opener.dataset.key = "⌘ k";
  }
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else if (!document.querySelector("dialog[open]:not(.drawer)")) show();
  });
  input.addEventListener("input", ask);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options();
    if (event.key in MOVES) {
      moved = all.at((all.indexOf(chosen()) + MOVES[event.key]) % all.length);
      choose(moved);
    } else if (event.key === "Enter" && asking) entered = event;
    else if (event.key === "Enter") run(event);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", ({ target }) => {
    // Closed first, so that the focus is back where it was when the action begins; Back then shows the page alone.
    if (target === dialog || target.closest("[data-close], [role=option]")) dialog.close();
  }, true);
  dialog.addEventListener("close", () => asking?.abort());

  /* Pages are only read when they are asked for, so this is what says that somebody was here. */
  const visit = document.querySelector("[data-visit]");
  if (visit) {
    const form = new FormData(document.getElementById("palette-post"));
    form.set("ref", visit.dataset.visit);
    fetch(dialog.dataset.visitUrl, { method: "POST", body: form, keepalive: true }).catch(() => {});
  }
}
