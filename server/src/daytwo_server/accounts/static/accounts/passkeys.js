// Forms with data-passkey="get" or "create": ask the server, let the browser sign, send what came of it.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const refs = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));
let waiting; // the browser offers passkeys beside the address; it does one thing at a time

// One question after the other: the server keeps the last one, under the cookie that the first one brought.
let line = Promise.resolve();
const send = (form, body) => (line = line.catch(() => {}).then(() => fetch(form.action, { method: "POST", body })));

async function asked(form) {
  const body = new FormData(form);
  body.delete("credential");
  body.set("ask", "1");
  const answer = await send(form, body);
  if (answer.redirected) {
    location = answer.url; // signed in meanwhile, or asked again who it is
    return new Promise(() => {});
  }
  const key = (await answer.json()).publicKey;
  return {
    ...key,
    challenge: bytes(key.challenge),
    ...(key.user && { user: { ...key.user, id: bytes(key.user.id) } }),
    allowCredentials: refs(key.allowCredentials),
    excludeCredentials: refs(key.excludeCredentials),
  };
}

async function use(form, more = {}) {
  waiting?.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  const found = await navigator.credentials[form.dataset.passkey]({
    publicKey: await asked(form),
    signal,
    ...more,
  });
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (found.response[name]) response[name] = text(found.response[name]);
  form.elements.credential.value = JSON.stringify({
    id: found.id,
    rawId: text(found.rawId),
    type: found.type,
    response,
    clientExtensionResults: found.getClientExtensionResults(),
  });
  form.submit();
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const trouble = form.querySelector("[data-passkey-trouble]");
    trouble.textContent = "";
    try {
      await use(form);
    } catch (error) {
      trouble.textContent =
        error.name === "InvalidStateError" ? "This device has a passkey here already." : "The browser gave no passkey. Try again.";
    }
  });
  if ("passkeyOffered" in form.dataset && (await PublicKeyCredential.isConditionalMediationAvailable?.()) && !waiting)
    use(form, { mediation: "conditional" }).catch(() => {});
}
