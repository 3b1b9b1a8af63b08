// Asking the server. Addresses are relative, so that they begin with the token of the page's own.

// What went wrong, in words for a person.
export class Refused extends Error {}

async function answer(response) {
  let body = null;
  const text = await response.text();
  try {
    body = JSON.parse(text);
  } catch {
    // Words in plain text, or nothing.
  }
  if (!response.ok) throw new Refused(body?.error ?? text.trim() ?? response.statusText);
  return body;
}

function query(values) {
  const text = new URLSearchParams(values).toString();
  return text ? `?${text}` : "";
}

export async function get(path, values = {}) {
  return answer(await fetch(`api/${path}${query(values)}`));
}

export async function post(path, body) {
  return answer(
    await fetch(`api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

// Sends a file as it is.
export async function send(path, file, values = {}) {
  const type = "application/octet-stream";
  return answer(await fetch(`api/${path}${query(values)}`, { method: "POST", headers: { "content-type": type }, body: file }));
}

// Listens to events while the page is looked at: a browser has six connections with a server, which pages that
// nobody sees must not hold. `listeners` are functions by the events' names; `back` is called when events may have
// been missed. Returns what ends it.
export function listen(path, listeners, back = () => {}) {
  let source = null;
  let missed = false;
  const open = () => {
    if (source || document.hidden) return;
    if (missed) back();
    missed = true;
    source = new EventSource(`api/${path}`);
    for (const [name, listener] of Object.entries(listeners)) {
      source.addEventListener(name, (event) => listener(JSON.parse(event.data)));
    }
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const changed = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", changed);
  open();
  return () => {
    document.removeEventListener("visibilitychange", changed);
    close();
  };
}
