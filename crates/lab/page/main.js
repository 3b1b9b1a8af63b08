// The frame of the page: its address, language and colours, and which view is shown.
//
// The address is #/VIEW/…?name=value: what is needed to show the same again stands in it.

import { get } from "./lib/api.js";
import { h, put } from "./lib/dom.js";
import * as en from "./words/en.js";
import * as ko from "./words/ko.js";

const WORDS = { en: en.words, ko: ko.words };

// A view: its name in the address, and how it is loaded. Each module exports `show(element, context)`, which may
// return a function that ends it.
const VIEWS = {
  runs: () => import("./runs.js"),
  run: () => import("./run.js"),
  compare: () => import("./compare.js"),
  studies: () => import("./studies.js"),
  start: () => import("./start.js"),
};

// What the head of the page leads to, and the word for it.
const PLACES = [["runs", "runs"], ["compare", "compare"], ["studies", "searches"], ["start", "start"], ["learn", "learn"]];

const stored = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be forbidden
  }
};
const store = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It lasts as long as the page then.
  }
};

// Where the page is: { view, rest, values }.
export function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view = "", ...rest] = path.split("/").map(decode);
  return { view, rest, values: Object.fromEntries(new URLSearchParams(query)) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// The address of a view: address(["run", name], { log: "1" }).
export function address(parts, values = {}) {
  const query = new URLSearchParams(values).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

let lang = null;
let end = null;
let ticket = 0;

function chosen(values) {
  if (values.lang in WORDS) return values.lang;
  const before = stored("downhill-lang");
  if (before in WORDS) return before;
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

// The words of the page in its language.
function t(key, ...values) {
  const word = WORDS[lang][key];
  if (word === undefined) throw new Error(`no word ${key}`);
  return typeof word === "function" ? word(...values) : word;
}

function tell(text, kind = "note") {
  const message = h("p", { class: kind }, text, h("button.close", { "aria-label": t("close"), onclick: () => message.remove() }, "×"));
  const all = document.getElementById("messages");
  all.append(message);
  while (all.children.length > 4) all.firstChild.remove();
  setTimeout(() => message.remove(), kind === "error" ? 20000 : 6000);
}

// What a view changes of its address; the view itself is not shown anew.
function setState(patch) {
  const { view, rest, values } = place();
  const next = { ...values, ...patch };
  for (const key of Object.keys(next)) {
    if (next[key] === null || next[key] === undefined || next[key] === "") delete next[key];
  }
  history.replaceState(null, "", address([view, ...rest], next));
}

function context(values) {
  const state = { ...values };
  delete state.lang;
  return { lang, t, state, setState, tell, address, ask: (figure, given) => get(`learn/${encodeURIComponent(figure)}`, given) };
}

async function show() {
  const mine = ++ticket;
  const here = place();
  lang = chosen(here.values);
  document.documentElement.lang = lang;
  document.title = t("title");
  frame(here);
  const main = document.getElementById("main");
  end?.();
  end = null;
  try {
    const first = Object.keys(VIEWS)[0] ?? "learn";
    const name = here.view || first;
    const load = Object.hasOwn(VIEWS, name) ? VIEWS[name] : null;
    const open = name === "learn" ? learn : load && (await load()).show;
    if (!open) {
      put(main, h("p.empty", {}, t("nowhere")));
      return;
    }
    const element = h(`div.view.${name}`);
    // Charts measure where they are, so it is there first.
    put(main, element);
    const ended = await open(element, { ...context(here.values), rest: here.rest });
    if (mine !== ticket) {
      ended?.();
      return;
    }
    end = ended ?? null;
  } catch (error) {
    if (mine === ticket) put(main, h("p.error", { role: "alert" }, error.message));
  }
}

async function learn(element, given) {
  const { stops } = await import("./learn/index.js");
  if (!stops.length) {
    put(element, h("p.empty", {}, t("nowhere")));
    return null;
  }
  const stop = stops.find(({ id }) => id === given.rest[0]) ?? stops[0];
  const figure = h("div.stop");
  put(
    element,
    h(
      "nav.stops",
      { "aria-label": t("stops") },
      stops.map(({ id, title }) =>
        h("a", { href: address(["learn", id]), "aria-current": id === stop.id ? "page" : null }, title[given.lang]),
      ),
    ),
    figure,
  );
  return (await stop.mount(figure, given)) ?? null;
}

function frame({ view, values }) {
  put(
    document.getElementById("places"),
    h("a.name", { href: "#/" }, "Downhill"),
    PLACES.map(([name, word]) => h("a", { href: address([name]), "aria-current": view === name ? "page" : null }, t(word))),
  );
  document.getElementById("places").setAttribute("aria-label", t("places"));
  document.querySelector(".skip").textContent = t("skip");
  const languages = { en: "English", ko: "한국어" };
  const choice = h(
    "select",
    {
      "aria-label": t("language"),
      onchange: (event) => {
        store("downhill-lang", event.target.value);
        if (values.lang) setState({ lang: event.target.value });
        show();
      },
    },
    Object.entries(languages).map(([code, name]) => h("option", { value: code, lang: code, selected: code === lang }, name)),
  );
  const theme = stored("downhill-theme") ?? "auto";
  const themes = h(
    "select",
    {
      "aria-label": t("theme"),
      onchange: (event) => {
        store("downhill-theme", event.target.value);
        colours();
        show();
      },
    },
    ["auto", "light", "dark"].map((name) => h("option", { value: name, selected: name === theme }, t(`theme-${name}`))),
  );
  put(document.getElementById("tools"), themes, choice);
}

function colours() {
  const theme = stored("downhill-theme") ?? "auto";
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

colours();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours();
  show();
});
addEventListener("hashchange", show);
// The skip link's target is an element, not a view.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
show();
