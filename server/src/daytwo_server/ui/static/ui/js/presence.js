/* Who else is on this page ({% presence %}). It says so itself: at once, every 20 seconds while it can be seen, with the
   first key in a text, and when it is left. */
const EVERY = 20000;
const line = document.querySelector("[data-presence]");
const { presence: ref, url } = line.dataset;
const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
const words = (more) => new URLSearchParams({ ref, csrfmiddlewaretoken: token(), ...more });
let typed = -EVERY;
let said = "";

const show = async (request) => {
  try {
    const answer = await request;
    const text = answer.ok && !answer.redirected ? (await answer.text()).trim() : "";
    // The same again would be read out again.
    if (text === said) return;
    said = text;
    await window.htmx.swap({ target: line, sourceElement: line, swap: "innerHTML", text, request: { method: "GET" } });
  } catch {}
};
const say = (more) => document.hidden || show(fetch(url, { method: "POST", body: words(more) }));

setInterval(say, EVERY);
document.addEventListener("visibilitychange", () => say());
document.addEventListener("input", ({ target, timeStamp }) => {
  if (!target.dataset?.draft || timeStamp - typed < EVERY / 2) return;
  typed = timeStamp;
  say({ typing: 1 });
});
addEventListener("pagehide", () => navigator.sendBeacon(url, words({ gone: 1 })));
addEventListener("pageshow", ({ persisted }) => persisted && say());
document.getElementById("live")?.addEventListener("changed", ({ detail }) => {
  if (detail?.data?.startsWith("desk.presence.")) show(fetch(`${url}?${new URLSearchParams({ ref })}`));
});
say();
