/* Copy buttons. `data-copy="text"` copies that text; an empty `data-copy` copies the code block around the button. */
const say = (text, level = "success") =>
  document.dispatchEvent(new CustomEvent("ui:toast", { detail: { text, level } }));

/* The clipboard API exists only on https and localhost, and many installations are plain http inside a network. */
const copyTheOldWay = (text, near) => {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  (near.closest("dialog") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  near.focus();
  return done;
};

const copy = async (text, near) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyTheOldWay(text, near);
  }
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.dataset.copy || button.closest(".code-block")?.querySelector("pre")?.textContent || "";
  if (await copy(text, button)) say("Copied");
  else say("The browser did not allow copying. Select the text and copy it by hand.", "error");
});
