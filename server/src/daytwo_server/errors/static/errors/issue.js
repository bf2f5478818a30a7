/* One error, on its page and in a drawer: what is open stays open, and it is copied as Markdown. */

/* A change of the issue brings the page again; what somebody has opened to read, or closed, stays so. */
const parts = () => [...document.querySelectorAll("[data-part] details:not(.menu)")];
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
