/* Text that is being written is kept on the server: `data-draft` names it, three seconds after the last key and when
   the page is left. The markup is that of the tag `draft_textarea`. */
const PAUSE = 3000;
const waiting = new Map(); // textarea -> timer
const saving = new Set();

const part = (area, name) => area.closest(".field").querySelector(`[data-draft-${name}]`);
const say = (area, text) => (part(area, "said").textContent = text);

const offer = (area, other) => {
  part(area, "other").querySelector("template").content.replaceChildren(other);
  part(area, "other").hidden = false;
};

const save = async (area) => {
  // One after the other: a save that is overtaken by the next would look like that of another device.
  if (saving.has(area)) return soon(area);
  clearTimeout(waiting.get(area));
  waiting.delete(area);
  saving.add(area);
  const body = new URLSearchParams({ key: area.dataset.draft, text: area.value, version: area.dataset.version });
  body.set("csrfmiddlewaretoken", area.form.elements.csrfmiddlewaretoken.value);
  try {
    const answer = await fetch(area.dataset.url, { method: "POST", body, keepalive: body.toString().length < 60000 });
    if (!answer.ok || answer.redirected) throw new Error(answer.status === 413 ? await answer.text() : "Not saved; it is tried again as you type.");
    const { version, other, sent } = await answer.json();
    area.dataset.version = version;
    if (sent) return soon(area); // its text went out from another device; what stands here is a new one
    if (other) offer(area, other);
    say(area, area.value.trim() ? `Draft saved ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })}` : "");
  } catch (problem) {
    say(area, problem.name === "Error" ? problem.message : "Not saved; it is tried again as you type.");
  } finally {
    saving.delete(area);
  }
};

const soon = (area) => {
  clearTimeout(waiting.get(area));
  waiting.set(area, setTimeout(save, PAUSE, area));
};

document.addEventListener("input", ({ target }) => target.dataset?.draft && soon(target));
/* What is sent is no draft any more. */
document.addEventListener("submit", ({ target }) => {
  for (const [area, timer] of waiting) if (area.form === target && waiting.delete(area)) clearTimeout(timer);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const area of [...waiting.keys()]) save(area);
});
document.addEventListener("click", ({ target }) => {
  const other = target.closest("[data-draft-other]");
  if (!other || !target.closest("button")) return;
  const area = other.closest(".field").querySelector("textarea");
  const theirs = other.querySelector("template").content.textContent;
  offer(area, area.value);
  area.value = theirs;
  area.focus();
  save(area);
});
