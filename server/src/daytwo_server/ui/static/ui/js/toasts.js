/* Toasts. Those of the server are in the page already; others arrive as an event,

     document.dispatchEvent(new CustomEvent("ui:toast", { detail: { text, level, undo } }))

   which a server answer to htmx can cause with the header `HX-Trigger: {"ui:toast": {...}}` (ui/toasts.py).
   `undo` is a path to post to. An error stays until it is dismissed; everything else leaves after six seconds,
   but never under a pointer or the focus, and `z` still undoes for a minute. */
const STAY = 6000;
const UNDOABLE = 60000;
const tray = document.querySelector(".toasts");
const blank = document.querySelector("template#toast");

const retire = (toast) => {
  if (!toast.querySelector("form")) {
    toast.remove();
    return;
  }
  toast.hidden = true;
  setTimeout(() => toast.remove(), UNDOABLE - STAY);
};

const arm = (toast) => {
  if (toast.hasAttribute("data-stay")) return;
  let timer;
  const pause = () => clearTimeout(timer);
  const run = () => {
    pause();
    if (!toast.matches(":hover, :focus-within")) timer = setTimeout(() => retire(toast), STAY);
  };
  toast.addEventListener("pointerenter", pause);
  toast.addEventListener("focusin", pause);
  toast.addEventListener("pointerleave", run);
  // The focus is still inside while it leaves.
  toast.addEventListener("focusout", () => setTimeout(run));
  run();
};

const show = ({ text, level = "success", undo = "", retry = null }) => {
  if (!tray || !blank) return;
  const toast = blank.content.firstElementChild.cloneNode(true);
  toast.querySelector(".toast__text").textContent = text;
  const form = toast.querySelector("form");
  // A path of our own only: the answer of a server that was talked into something must not aim a form elsewhere.
  if (/^\/(?![/\\])/.test(undo)) form.setAttribute("action", undo);
  else form.remove();
  const again = toast.querySelector("[data-retry]");
  if (retry) {
    again.hidden = false;
    again.addEventListener("click", () => {
      toast.remove();
      retry();
    });
  }
  if (level === "error") toast.setAttribute("data-stay", "");
  else toast.querySelector("[data-dismiss]").remove();
  tray.append(toast);
  arm(toast);
};

for (const toast of tray?.children ?? []) arm(toast);
document.addEventListener("ui:toast", (event) => show(event.detail));
document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast").remove());
