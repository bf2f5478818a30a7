/* Light and dark without a page load. Without this script the same form posts, and the server answers with the page. */
const root = document.documentElement;

const looksDark = () =>
  root.dataset.theme === "dark" ||
  (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]")) return;
  event.preventDefault();
  const before = root.dataset.theme;
  // The server cannot know what "auto" looks like on this screen, so the choice is made here.
  const theme = looksDark() ? "light" : "dark";
  root.dataset.theme = theme;
  const body = new FormData(form);
  body.set("theme", theme);
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body, redirect: "manual" });
    if (answer.status >= 400) throw new Error(`status ${answer.status}`);
  } catch {
    root.dataset.theme = before;
    const detail = { text: "The theme was not saved. Reload the page and try again.", level: "error" };
    document.dispatchEvent(new CustomEvent("ui:toast", { detail }));
  }
});
