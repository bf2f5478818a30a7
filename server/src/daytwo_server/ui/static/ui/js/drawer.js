/* Looking at a row without leaving its list: what stands at the row's address comes into {% drawer %}, and `?open=ERR-12`
   says so in the list's own address, so that Back closes it and the address can be shared. A list opts in by
   `data-drawer` beside `data-rows`, its rows by an id; a link anywhere by data-drawer="ERR-12". Without this script, and
   whenever something is wrong, the link leads to the page itself. */
const ROWS = "[data-drawer] .row[id], [data-drawer] > tr[id]";
const PARAM = "open";
const drawer = document.getElementById("drawer");
const part = drawer.querySelector("[data-part]");
const waiting = drawer.querySelector("[data-waiting]");
const title = drawer.querySelector("h2");
const page = drawer.querySelector("[data-drawer-page]");
let changed = false;
let asked = 0;

const rows = () => [...document.querySelectorAll(ROWS)];
const linkOf = (row) => row?.querySelector("[data-row-link], a[href]");
const opened = () => new URL(location).searchParams.get(PARAM) ?? "";
const address = (ref) => {
  const url = new URL(location);
  if (ref) url.searchParams.set(PARAM, ref);
  else url.searchParams.delete(PARAM);
  return url;
};

const busy = (on) => {
  drawer.setAttribute("aria-busy", on);
  waiting.hidden = !on;
};

const fill = async (href) => {
  const mine = ++asked;
  part.replaceChildren();
  busy(true);
  try {
    const answer = await fetch(href, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
    const text = await answer.text();
    if (mine !== asked) return;
    // Signed out, gone, not allowed: the page itself says it best.
    if (!answer.ok || answer.redirected) location.href = href;
    else await window.htmx.swap({ target: part, sourceElement: part, swap: "innerMorph", text, request: { method: "GET" } });
    drawer.scrollTop = 0;
  } catch {
    drawer.close();
    const detail = { text: "The server did not answer.", level: "error", retry: () => show(href, title.textContent) };
    document.dispatchEvent(new CustomEvent("ui:toast", { detail }));
  } finally {
    if (mine === asked) busy(false);
  }
};

/* `how` is "push" for what somebody opened, "replace" for the next row, and empty when the address says it already. */
const show = (href, ref, how = "push") => {
  if (how) history[`${how}State`](how === "push" ? { drawer: true } : history.state, "", address(ref));
  title.textContent = ref;
  page.href = href;
  for (const one of drawer.querySelectorAll("[data-drawer-step]")) one.hidden = !document.getElementById(ref)?.matches(ROWS);
  if (!drawer.open) drawer.showModal();
  return fill(href);
};

const showRow = (row, how) => linkOf(row) && show(linkOf(row).href, row.id, how);

const step = (by) => {
  const all = rows();
  const next = all[all.findIndex((row) => row.id === opened()) + by];
  if (next) showRow(next, "replace");
};

const follow = () => {
  const ref = opened();
  const row = ref && document.getElementById(ref);
  if (!ref) drawer.close();
  else if (row?.matches(ROWS)) showRow(row, "");
  else if (drawer.dataset.open === ref) show(drawer.dataset.url, ref, "");
};

/* The list is asked anew once the drawer is closed and the answer is there, whichever comes last. */
const tell = () => {
  if (changed) window.htmx.trigger(document.body, "stale");
  changed = false;
};

drawer.addEventListener("close", () => {
  asked += 1;
  const row = document.getElementById(title.textContent);
  linkOf(row)?.focus({ preventScroll: true });
  if (opened()) {
    if (history.state?.drawer) history.back();
    else history.replaceState(history.state, "", address(""));
  }
  tell();
});

drawer.addEventListener("click", ({ target }) => {
  const by = target.closest("[data-drawer-step]")?.dataset.drawerStep;
  if (by) step(Number(by));
  else if (target === drawer || target.closest("[data-drawer-close]")) drawer.close();
});

document.addEventListener("htmx:after:request", ({ detail }) => {
  const { request, sourceElement } = detail.ctx;
  if (request.method !== "POST" || !drawer.contains(sourceElement)) return;
  changed = true;
  if (!drawer.open) tell();
});

document.addEventListener("ui:row", ({ detail }) => {
  if (detail === "look") showRow(document.activeElement?.closest(ROWS));
});
document.addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a[data-drawer]");
  const peek = event.target.closest("[data-look]");
  if (link) {
    event.preventDefault();
    show(link.href, link.dataset.drawer);
  } else if (peek) showRow(peek.closest(ROWS));
});
addEventListener("popstate", follow);
follow();
