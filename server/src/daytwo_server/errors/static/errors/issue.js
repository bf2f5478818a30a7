/* The page of one error: its neighbours in the list that somebody came from, and copying it as Markdown. */
const list = () => {
  try {
    return JSON.parse(sessionStorage.getItem("errors.list") ?? "null");
  } catch {
    return null;
  }
};

const lead = (link, url) => {
  link.href = url;
  link.hidden = !url;
};

const showNeighbours = () => {
  const group = document.querySelector("[data-neighbours]");
  const known = list();
  const place = known?.ids?.indexOf(group?.dataset.issue) ?? -1;
  if (place < 0) return;
  const url = (id) => (id ? group.dataset.url.replace(/0$/, id) : "");
  lead(group.querySelector("[data-previous]"), url(known.ids[place - 1]));
  lead(group.querySelector("[data-next]"), url(known.ids[place + 1]));
  group.querySelector("[data-place]").textContent = `${place + 1} of ${known.ids.length}`;
  group.hidden = false;
  // A path of our own only.
  if (/^\/(?!\/)/.test(known.url)) document.querySelector("[data-list-link]").href = known.url;
};

/* A change of the issue brings the page again; what somebody has opened to read, or closed, stays so. */
const parts = () => [...document.querySelectorAll("#issue details:not(.menu)")];
let opened = [];
document.addEventListener("htmx:before:swap", () => {
  opened = parts().map((part) => part.open);
});
document.addEventListener("htmx:after:swap", () => {
  const now = parts();
  if (now.length === opened.length) now.forEach((part, place) => (part.open = opened[place]));
});

/* Without this script the button is a link to the same text. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy-from]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || !navigator.clipboard?.write) return;
  event.preventDefault();
  const say = (text, level) => document.dispatchEvent(new CustomEvent("ui:toast", { detail: { text, level } }));
  try {
    const text = fetch(link.href).then((answer) => {
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      return answer.blob();
    });
    // Handed over as a promise: Safari allows writing only within the click itself.
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((blob) => new Blob([blob], { type: "text/plain" })) })]);
    say("Copied as Markdown", "success");
  } catch {
    location.href = link.href;
  }
});

showNeighbours();
