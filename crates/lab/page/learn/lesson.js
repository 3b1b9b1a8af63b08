// What all stops have in common: the text, the controls with their state in the address, the question to the
// server, and the verdict.

import { h, put } from "../lib/dom.js";
import { figure, number } from "./plot.js";
import { words } from "./words.js";

// Whether somebody wants things to stand still.
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Text with *emphasis*, **weight**, `code` and ~subscripts~, as elements.
export function marked(text) {
  return text
    .split(/(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`|~[^~]+~)/)
    .filter((part) => part)
    .map((part) => {
      if (part.startsWith("**")) return h("strong", {}, part.slice(2, -2));
      if (part.startsWith("*")) return h("em", {}, part.slice(1, -1));
      if (part.startsWith("~")) return h("sub", {}, part.slice(1, -1));
      return part.startsWith("`") ? h("code", {}, part.slice(1, -1)) : part;
    });
}

// The place of a value on a slider, and back. A slider that has `zero` has 0 left of its lowest value.
function places({ min, max, log, per = 20, step, zero, whole }) {
  if (!log) {
    const last = Math.round((max - min) / step);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) + 1;
    return { last, value: (at) => Number((min + at * step).toFixed(digits)), place: (value) => Math.round((value - min) / step) };
  }
  const first = zero ? 1 : 0;
  const last = Math.round(per * Math.log10(max / min)) + first;
  const rounded = (value) => (whole ? Math.round(value) : Number(value.toPrecision(3)));
  return {
    last,
    value: (at) => (at < first ? 0 : Math.min(max, Math.max(min, rounded(min * 10 ** ((at - first) / per))))),
    place: (value) => (value < min ? 0 : Math.round(per * Math.log10(value / min)) + first),
  };
}

// A stop on the page: `prefix` is where its words begin.
export function lesson(element, context, prefix) {
  const { lang, state } = context;
  const t = (key, values = {}) => {
    const word = words[key];
    if (!word) throw new Error(`no word ${key}`);
    return word[lang].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
  const ends = [];
  const controls = new Map();
  const watchers = [];
  let pending = {};
  let timer = null;
  // Browsers allow a few changes of the address a second.
  const remember = (name, value) => {
    pending[name] = value;
    clearTimeout(timer);
    timer = setTimeout(flush, 300);
  };
  const flush = () => {
    clearTimeout(timer);
    if (Object.keys(pending).length) context.setState(pending);
    pending = {};
  };
  ends.push(flush);

  let frame = 0;
  const changed = () => {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      for (const watcher of watchers) watcher();
    });
  };
  ends.push(() => cancelAnimationFrame(frame));

  const page = {
    t,
    lang,
    // The values of all controls.
    get values() {
      return Object.fromEntries([...controls].map(([name, control]) => [name, control.value]));
    },
    set(patch) {
      for (const [name, value] of Object.entries(patch)) controls.get(name).set(value);
    },
    panel: (key) => panel(key),
    // What ends the stop, for `mount` to return.
    start() {
      changed();
      return () => {
        for (const end of ends) end();
      };
    },
    onEnd: (end) => ends.push(end),
  };

  put(
    element,
    h("h1", {}, t(`${prefix}.title`)),
    h("div.prose.opening", {}, h("p", {}, marked(t(`${prefix}.text`))), h("p.formula", {}, t(`${prefix}.formula`).split(/ {2,}/).map((part) => h("span", {}, marked(part))))),
  );

  function register(name, start, control) {
    let value = start;
    control.name = name;
    Object.defineProperty(control, "value", { get: () => value });
    control.set = (next, quiet = false) => {
      value = next;
      control.show(next);
      if (!quiet) {
        remember(name, next === start ? null : String(next));
        changed();
      }
    };
    controls.set(name, control);
    const given = control.read(state[name]);
    control.set(given ?? start, true);
    return control;
  }

  function panel(key) {
    const side = h("div.controls");
    const pictures = h("div.pictures");
    const verdict = h("p.verdict");
    const spoken = h("p.spoken", { role: "status", "aria-live": "polite" });
    const trouble = h("p.error", { role: "alert" });
    trouble.hidden = true;
    const inner = h("div.workbench", {}, h("div.seen", {}, verdict, spoken, trouble, pictures), side);
    element.append(h("section.lesson", {}, key ? h("h2", {}, t(`${key}.title`)) : null, key ? h("p.prose", {}, marked(t(`${key}.text`))) : null, inner));
    let saying = null;
    let busy = 0;
    ends.push(() => clearTimeout(saying));

    const slider = (name, options) => {
      const scale = places(options);
      const label = t(options.label ?? `control.${name}`);
      const id = `learn-${prefix}-${name}`;
      const show = options.show ?? ((value) => number(value, 4));
      const range = h("input", { id, type: "range", min: 0, max: scale.last, step: 1, disabled: options.disabled });
      const exact = h("input.exact", { type: "text", inputmode: "decimal", size: 7, "aria-label": t("control.exact", { label }) });
      const row = h("div.control", {}, h("label", { for: id }, label), exact, range);
      const within = (value) => {
        const fits = Number.isFinite(value) && (options.zero && value === 0 ? true : value >= options.min && value <= options.max);
        return fits ? (options.whole ? Math.round(value) : value) : null;
      };
      range.addEventListener("input", () => control.set(scale.value(Number(range.value))));
      exact.addEventListener("change", () => {
        const value = within(Number(exact.value.replaceAll("−", "-").replace(",", ".").trim() || "x"));
        if (value === null) control.show(control.value);
        else control.set(value);
      });
      side.append(row);
      const control = register(name, options.start, {
        read: (text) => (text === undefined ? null : within(Number(text))),
        show: (value) => {
          range.value = scale.place(value);
          range.setAttribute("aria-valuetext", show(value));
          exact.value = show(value);
        },
      });
      control.row = row;
      control.hide = (hidden) => {
        row.hidden = hidden;
      };
      return control;
    };

    const choice = (name, options, start = options[0]) => {
      const group = `learn-${prefix}-${name}`;
      const inputs = options.map((option) => h("input", { type: "radio", name: group, value: option }));
      const control = {
        read: (text) => (options.includes(text) ? text : null),
        show: (value) => inputs.forEach((input) => (input.checked = input.value === value)),
      };
      inputs.forEach((input) => input.addEventListener("change", () => control.set(input.value)));
      side.append(
        h(
          "fieldset.choice",
          {},
          h("legend", {}, t(`control.${name}`)),
          h("div.options", {}, options.map((option, at) => h("label", {}, inputs[at], h("span", {}, t(`option.${option}`))))),
        ),
      );
      return register(name, start, control);
    };

    const button = (label, press) => {
      const made = h("button", { type: "button", onclick: press }, label);
      side.append(made);
      return made;
    };

    // What to try: each sets the controls.
    const tries = (list) => {
      const items = list.map(([word, patch]) => h("li", {}, h("button.try", { type: "button", onclick: () => page.set(patch) }, marked(t(word)))));
      side.append(h("div.tries", {}, h("h3", {}, t("try")), h("ul", {}, items)));
    };

    const picture = (word, height = 260, into = pictures) => {
      const made = figure(t(word), height);
      into.append(made.element);
      ends.push(made.end);
      return made;
    };

    // The verdict is seen at once; it is spoken when it has come to rest.
    const say = (text, kind = "") => {
      put(verdict, marked(text));
      verdict.className = `verdict ${kind}`;
      clearTimeout(saying);
      saying = setTimeout(() => {
        spoken.textContent = text.replace(/[*`]/g, "");
      }, 700);
    };

    // Asks for a figure whenever a value changes that its arguments are made of. One question is under way at a
    // time; of those that come meanwhile, only the last one is asked.
    const ask = (name, from, draw) => {
      let asked = null;
      let wanted = null;
      let at = null;
      let ended = false;
      ends.push(() => (ended = true));
      const known = new Map();
      const go = async () => {
        const [given, values] = [wanted, at];
        const key = JSON.stringify(given);
        asked = key;
        busy += 1;
        const slow = setTimeout(() => inner.setAttribute("aria-busy", "true"), 150);
        let found = known.get(key) ?? null;
        try {
          found ??= await context.ask(name, given);
          if (known.size > 100) known.clear();
          known.set(key, found);
          trouble.hidden = true;
        } catch (error) {
          trouble.hidden = false;
          trouble.textContent = t("trouble", { why: error.message });
        }
        clearTimeout(slow);
        busy -= 1;
        if (!busy) inner.removeAttribute("aria-busy");
        asked = null;
        if (found && !ended) draw(found, values);
        if (!ended && JSON.stringify(wanted) !== key) go();
      };
      watchers.push(() => {
        const values = page.values;
        const next = from(values);
        if (JSON.stringify(next) === JSON.stringify(wanted)) return;
        [wanted, at] = [next, values];
        if (asked === null) go();
      });
    };

    // Two pictures side by side where there is room.
    const pair = () => {
      const made = h("div.pair");
      pictures.append(made);
      return made;
    };

    const watch = (watcher) => watchers.push(() => watcher(page.values));
    return { slider, choice, button, tries, picture, pair, say, ask, watch, side, pictures, changed };
  }

  return page;
}
