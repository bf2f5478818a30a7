/* The sign that says whether a page updates itself: `[data-live]`, driven by the events of the htmx SSE extension.
   A short break is no news; after 15 seconds without a stream the dot turns grey and says so. */
const SILENCE = 15000;
const RETRY = 30000;
let losing = null;

const say = (dot, word) => {
  for (const sign of document.querySelectorAll("[data-live]")) {
    sign.querySelector(".dot").className = `dot ${dot}`;
    sign.querySelector("[data-live-word]").textContent = word;
  }
};

const found = () => {
  clearTimeout(losing);
  losing = null;
  say("dot--ok", "Live");
};
const lost = () => {
  losing ??= setTimeout(() => say("", "Reconnecting"), SILENCE);
};

document.addEventListener("htmx:sse:after:connection", found);
document.addEventListener("htmx:sse:before:connection", (event) => {
  if (event.detail.connection.attempt > 0) lost();
});
document.addEventListener("htmx:sse:error", lost);

/* The extension reconnects a stream that broke, but not one whose very first request failed: that is an ordinary
   request to htmx. So ask for it again; `process` with force fires its "load" trigger once more. */
const startAgain = (event) => {
  const el = event.detail.ctx?.sourceElement;
  if (!el?.hasAttribute("hx-sse:connect") || el._htmx?.sse) return;
  lost();
  setTimeout(() => el.isConnected && window.htmx.process(el, true), RETRY);
};
document.addEventListener("htmx:error", startAgain);
document.addEventListener("htmx:response:error", startAgain);
