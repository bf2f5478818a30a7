/* Lists. `data-rows` on a <tbody> or a list of `.row` is enough for moving about; a form around it with `data-ticks` lets
   people select rows and act on them together.

     form[data-ticks]       checkboxes inside its [data-rows] select rows; `.bulk` ({% bulk %}) shows while one is ticked
     data-ticked            says how many are
     data-tick-all          a checkbox that ticks every row of the page
     data-tick-every="214"  a checkbox that means all 214 rows of the list, on whatever page
     template[data-actions]  buttons that each row gets into its `.act` or last cell: once in the page, not fifty times;
                            a row with data-act="x" gets those of [data-actions="x"]
     data-list="/path"      remembers the order of the rows for the pages behind them (neighbours.js)

   keys.js asks for `ui:row`. */
const ROWS = "[data-rows] .row, tbody[data-rows] > tr";
const TICK = 'input[type="checkbox"]';
const ARRIVE = "ui.arrive";

/* Private windows may refuse to store anything; then nothing is remembered. */
const store = (key, value) => {
  try {
    sessionStorage.setItem(key, value);
  } catch {}
};

/* ---- Moving ---- */
let lastRow = -1;

const rows = () => [...document.querySelectorAll(ROWS)].filter((row) => row.checkVisibility());
const currentRow = () => document.activeElement?.closest(ROWS);
const linkOf = (row) =>
  row.matches("a") ? row : row.querySelector("[data-row-link]") ?? [...row.querySelectorAll("a[href]")].find((link) => link.checkVisibility());

const focusRow = (row) => {
  const link = linkOf(row);
  if (!link) row.tabIndex = -1;
  (link ?? row).focus();
  row.scrollIntoView({ block: "nearest" });
};

/* The link to the neighbouring page gets the focus first, so that nobody runs past the end by holding a key down. */
const turn = (step) => {
  const pager = document.querySelector(`.pager a[rel="${step > 0 ? "next" : "prev"}"]`);
  if (!pager) return;
  if (pager !== document.activeElement) return pager.focus();
  store(ARRIVE, step > 0 ? "first" : "last");
  pager.click();
};

const move = (step) => {
  const all = rows();
  const at = all.indexOf(currentRow());
  const pager = document.activeElement?.closest(".pager a[rel]");
  // A row that was just dealt with is gone and its place is taken by the next one, so j stays where it was.
  let to = at >= 0 ? at + step : Math.max(0, step > 0 ? lastRow : lastRow - 1);
  if (pager) to = pager.rel === "next" ? all.length + Math.min(step, 0) : Math.max(step, 0) - 1;
  if (!all[to]) return turn(step);
  lastRow = to;
  focusRow(all[to]);
};

const arrive = () => {
  let where;
  try {
    where = sessionStorage.getItem(ARRIVE);
    sessionStorage.removeItem(ARRIVE);
  } catch {}
  const row = where && rows().at(where === "first" ? 0 : -1);
  if (row) focusRow(row);
};

/* ---- Selecting ---- */
const boxOf = (row) => row?.querySelector(TICK);
const boxes = (form) => [...form.querySelectorAll("[data-rows] :is(.row, tr)")].map(boxOf).filter(Boolean);
const lists = () => document.querySelectorAll("form[data-ticks]");

const count = (form) => {
  const all = boxes(form);
  const ticked = all.filter((box) => box.checked).length;
  const every = form.querySelector("[data-tick-every]");
  if (every && ticked < all.length) every.checked = false;
  const word = form.querySelector("[data-ticked]");
  if (word) word.textContent = every?.checked ? every.dataset.tickEvery : ticked;
  const head = form.querySelector("[data-tick-all]");
  if (!head) return;
  head.checked = ticked > 0 && ticked === all.length;
  head.indeterminate = ticked > 0 && !head.checked;
};

/* Shift and a click tick everything between the last box that was clicked and this one. */
let last = null;
document.addEventListener("click", (event) => {
  const box = event.target.closest?.(TICK);
  const form = box?.closest("form[data-ticks]");
  if (!form || !box.closest(ROWS)) return;
  const all = boxes(form);
  const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
  if (event.shiftKey && from >= 0) for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  last = box;
  count(form);
});

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-ticks]");
  if (!form) return;
  if (target.matches("[data-tick-all]")) for (const box of boxes(form)) box.checked = target.checked;
  count(form);
});

document.addEventListener("reset", ({ target }) => {
  if (target.matches("form[data-ticks]")) setTimeout(count, 0, target);
});

/* Enter on a box would press the first button of the form: of the first row, whichever row the box is in. */
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(`form[data-ticks] ${TICK}`)) event.preventDefault();
});

const press = (box, shiftKey = false) =>
  box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));

const tick = (row) => {
  const box = boxOf(row);
  if (box && !box.checked) press(box);
};

const ACTS = {
  next: () => move(1),
  previous: () => move(-1),
  tick: () => press(boxOf(currentRow())),
  range: () => press(boxOf(currentRow()), true),
  "tick next": () => (tick(currentRow()), move(1), tick(currentRow())),
  "tick previous": () => (tick(currentRow()), move(-1), tick(currentRow())),
};
document.addEventListener("ui:row", ({ detail }) => ACTS[detail]?.());

/* ---- Acting: what was asked for is shown at once, and taken back when the server refuses ---- */
document.addEventListener("submit", ({ target, submitter, defaultPrevented }) => {
  const own = (submitter ?? target).closest(ROWS);
  const ticked = target.matches("[data-ticks]") ? boxes(target).filter((box) => box.checked).map((box) => box.closest(ROWS)) : [];
  for (const row of own ? [own] : ticked) row.setAttribute("aria-busy", "true");
});
const restore = () => {
  for (const row of document.querySelectorAll("[data-rows] [aria-busy]")) row.removeAttribute("aria-busy");
};
document.addEventListener("htmx:finally:request", ({ detail }) => detail.ctx.request.method === "POST" && restore());
addEventListener("pageshow", ({ persisted }) => persisted && restore());

const giveActions = (form) => {
  for (const row of form.querySelectorAll(ROWS)) {
    const cell = row.querySelector(".act") ?? row.lastElementChild;
    const act = row.dataset.act ?? cell.dataset.act ?? "";
    const buttons = form.querySelector(`template[data-actions="${CSS.escape(act)}"]`);
    if (!buttons || cell.firstElementChild) continue;
    cell.append(buttons.content.cloneNode(true));
    for (const button of cell.children) {
      if (button.value) button.value += boxOf(row)?.value ?? "";
      button.setAttribute("aria-label", `${button.title} ${row.id}`);
    }
  }
};

/* ---- A list that has just come ---- */
const remember = () => {
  const list = document.querySelector("[data-list]");
  if (!list) return;
  const links = [...list.querySelectorAll(ROWS)].map((row) => linkOf(row)?.getAttribute("href"));
  store("ui.list", JSON.stringify({ url: list.dataset.list, links }));
};

const ready = () => {
  for (const form of lists()) {
    giveActions(form);
    count(form);
  }
  remember();
};

document.addEventListener("htmx:after:swap", ({ detail }) => {
  const { request, target } = detail.ctx;
  // What was dealt with is not to be dealt with again; but a piece that came by itself takes no tick away.
  if (request?.method === "POST") for (const form of target?.querySelectorAll?.("form[data-ticks]") ?? []) for (const box of boxes(form)) box.checked = false;
  ready();
});

/* An address that is short enough to read and to share: a filter that is not set is not in it. */
document.addEventListener("formdata", ({ target, formData }) => {
  if (target.method === "get") for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

ready();
arrive();
document.addEventListener("ui:restored", () => lists().forEach(count));
