/* The error list: ticking many rows at once, and remembering the order of the list for the pages behind it. */
const form = () => document.getElementById("list");
const boxes = () => [...(form()?.querySelectorAll('tbody input[name="issue"]') ?? [])];

const count = () => {
  const word = form()?.querySelector("[data-ticked]");
  const all = form()?.querySelector("[data-tick-all]");
  const ticked = boxes().filter((box) => box.checked).length;
  if (word) word.textContent = `${ticked} `;
  if (!all) return;
  all.checked = ticked > 0 && ticked === boxes().length;
  all.indeterminate = ticked > 0 && !all.checked;
};

/* Shift and a click tick everything between the last box that was clicked and this one. */
let last = null;
document.addEventListener("click", (event) => {
  const box = event.target.closest?.('#list tbody input[name="issue"]');
  if (!box) return;
  const all = boxes();
  const from = all.indexOf(last);
  if (event.shiftKey && from >= 0) {
    const to = all.indexOf(box);
    for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
  }
  last = box;
  count();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.closest("#list")) count();
});

/* An issue's page leads to its neighbours in the list that somebody came from (issue.js). */
const remember = () => {
  const list = form();
  if (!list) return;
  try {
    sessionStorage.setItem("errors.list", JSON.stringify({ url: list.dataset.list, ids: boxesOrRows(list) }));
  } catch {
    // Private windows may refuse to store anything; then there are no neighbours.
  }
};
const boxesOrRows = (list) => [...list.querySelectorAll("tbody > tr")].map((row) => row.id.replace("issue-", ""));

/* A swapped list keeps ticks of rows that are still there; what was dealt with is not to be dealt with again. */
document.addEventListener("htmx:after:swap", () => {
  for (const box of boxes()) box.checked = false;
  count();
  remember();
});

remember();
count();
