/* What happens to an answer of htmx that is not simply swapped in. `noSwap` in templates/ui/base.html names the failures
   that are not; 409 and 422 are the form itself with its messages and need no word from here. */
const REASONS = {
  400: "The server did not understand this. Reload the page and try again.",
  401: "You are signed out. Sign in again in another tab, then retry.",
  403: "You are not allowed to do this, or the page is too old. Reload it and try again.",
  404: "This is no longer there. Somebody may have deleted it.",
  413: "This is too large to send.",
  429: "Too many requests. Wait a moment and try again.",
};

const complain = (text, retry) =>
  document.dispatchEvent(new CustomEvent("ui:toast", { detail: { text, level: "error", retry } }));

/* The same button again: a form may have several, and they mean different things. */
const again = ({ sourceElement: el, request }) => {
  if (el instanceof HTMLFormElement) return () => el.requestSubmit(request.submitter?.isConnected ? request.submitter : null);
  return el instanceof HTMLButtonElement ? () => el.click() : null;
};

/* A poll or a stream that fails in the background is the live sign's business, no reason to interrupt anybody. A button
   that a key pressed counts as asked for, though its click is not `isTrusted`. */
const asked = (ctx) => /^(?:click|submit|change)$/.test(ctx?.sourceEvent?.type);

document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  const { status, headers } = ctx.response;
  if (status === 409 || status === 422 || !asked(ctx)) return;
  const told = headers.get("Content-Type")?.startsWith("text/plain") ? ctx.text.trim().slice(0, 300) : "";
  const text = told || REASONS[status] || `The server failed (${status}). Look whether your change is there before you retry.`;
  complain(text, [401, 429].includes(status) || status >= 500 ? again(ctx) : null);
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  // With a response in hand the server was there, and the fault is in this page.
  if (!asked(ctx) || ctx.response) return;
  complain("The server did not answer. Your change may not be saved.", again(ctx));
});

/* A request for a piece that was redirected to a whole page: the session ended and this is the sign-in page, or a view
   that knows nothing of htmx redirected after its work. Swapping it into a table row helps nobody, so go there. */
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { redirected, url } = ctx.response.raw;
  if (!redirected || ctx.request.headers["HX-Request-Type"] !== "partial" || !/^\s*<(!doctype|html)/i.test(ctx.text)) return;
  event.preventDefault();
  location.href = url;
});
