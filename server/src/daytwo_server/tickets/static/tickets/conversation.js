/* A conversation: it begins at its end, knows what was seen of it, and sends by Ctrl and Enter. */
const pane = document.getElementById("conversation");
const composer = () => document.getElementById("composer");
const fields = () => [...(composer()?.querySelectorAll("textarea") ?? [])];

/* What is sent says which message was the last one seen. A new one counts once it was really on the screen. */
const seen = new IntersectionObserver((entries) => {
  const box = composer()?.querySelector("[data-seen]");
  for (const { isIntersecting, target } of box ? entries : []) {
    if (isIntersecting && !document.hidden) box.value = Math.max(box.value, target.dataset.message);
  }
});
const watch = () => {
  const last = Number(composer()?.querySelector("[data-seen]")?.value);
  for (const one of pane.querySelectorAll("[data-message]")) if (one.dataset.message > last) seen.observe(one);
};

const write = () => fields().find((field) => field.checkVisibility())?.focus();
/* `#draft-note` leads to a field that may be hidden behind the other one. */
const follow = () => {
  const field = fields().find((one) => `#${one.id}` === location.hash);
  if (!field) return;
  composer().querySelector(`[name="kind"][value="${field.name}"]`).checked = true;
  field.focus();
};

document.addEventListener("change", ({ target }) => {
  if (target.name === "kind") write();
  if (target.name === "files") target.form.querySelector("[data-chosen]").textContent = [...target.files].map((file) => file.name).join(", ");
});
/* A key that presses what is chosen already changes nothing, and leads there all the same: at once, as the next key is a
   letter of the text; and once more, as a mouse leaves the focus on what it pressed. */
composer()?.querySelector('[role="radiogroup"]')?.addEventListener("click", ({ target }) => {
  if (!target.closest("label")) return;
  write();
  setTimeout(write);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !fields().includes(event.target)) return;
  event.preventDefault();
  event.target.form.requestSubmit(event.target.form.querySelector("[data-send]"));
});

/* A saved reply goes where the cursor is. */
const insert = (given) => {
  if (!given) return;
  const field = given.closest("form").querySelector("textarea");
  field.setRangeText(given.content.textContent, field.selectionStart, field.selectionEnd, "end");
  given.remove();
  field.closest("form").querySelector("details").open = false;
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

/* The menu of saved replies is for the keyboard: it begins in its search, and Enter takes the first one. */
document.addEventListener("toggle", ({ target }) => target.open && target.querySelector('[name="words"]')?.focus(), true);
document.addEventListener("keydown", ({ key, target }) => {
  if (key === "Enter" && target.name === "words") target.closest(".menu__panel").querySelector("#offered button")?.click();
});

/* Whoever reads the end of a conversation stays at its end while it grows. */
let atEnd = true;
document.addEventListener("htmx:before:swap", () => {
  atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
});
document.addEventListener("htmx:after:swap", ({ detail }) => {
  if (atEnd && detail.ctx?.target?.id === "after") pane.scrollTop = pane.scrollHeight;
  watch();
  insert(composer()?.querySelector("[data-insert]"));
  const refused = composer()?.querySelector("[data-refused] [data-version]");
  if (!refused) return;
  refused.closest("form").querySelector("textarea").dataset.version = refused.dataset.version;
  refused.removeAttribute("data-version");
  // What was said meanwhile comes to stand above.
  if ("stale" in refused.dataset) window.htmx.trigger(document.body, "stale");
});

document.querySelector(".queue [aria-current]")?.scrollIntoView({ block: "nearest" });
pane.scrollTop = pane.scrollHeight;
watch();
follow();
addEventListener("hashchange", follow);
