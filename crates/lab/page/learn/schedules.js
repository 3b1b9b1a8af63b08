// Schedules side by side: knobs, curves, specs to copy, and what they do to a training.

import { h, put } from "../lib/dom.js";
import { lesson } from "./lesson.js";
import { ends, number } from "./plot.js";

// Each schedule: how it is spelt with its peak and its knob.
const KINDS = [
  { id: "constant", spec: (peak) => `${peak}` },
  { id: "inverse-time", knob: { min: 0.01, max: 3, log: true, per: 20, start: 1 }, spec: (peak, decay) => `inverse-time(${peak}, decay=${decay}, per=epoch)` },
  { id: "exponential", knob: { min: 0.5, max: 0.99, step: 0.01, start: 0.95 }, spec: (peak, rate) => `exponential(${peak}, rate=${rate}, per=epoch)` },
  { id: "inverse-sqrt", spec: (peak) => `inverse-sqrt(${peak}, per=epoch)` },
  { id: "step", knob: { min: 1, max: 20, step: 1, whole: true, start: 10 }, spec: (peak, every) => `step(${peak}, every=${every}ep)` },
  { id: "cosine", knob: { min: 0, max: 0.1, step: 0.005, start: 0 }, spec: (peak, end) => (end ? `cosine(${peak}, end=${end})` : `cosine(${peak})`) },
  { id: "cosine-restarts", knob: { min: 1, max: 15, step: 1, whole: true, start: 4 }, spec: (peak, first) => `cosine-restarts(${peak}, first=${first}ep, t-mul=2)` },
  { id: "warmup", knob: { min: 1, max: 50, step: 1, whole: true, start: 10 }, spec: (peak, share) => `warmup(${share}%, then=cosine(${peak}))` },
  { id: "one-cycle", spec: (peak) => `one-cycle(${peak})` },
];
const SHOWN = "inverse-time,exponential,cosine,one-cycle";

export function mount(element, context) {
  const page = lesson(element, context, "schedules");
  const { t } = page;
  const panel = page.panel();
  const pair = panel.pair();
  const curves = panel.picture("schedules.curves", 280, pair);
  const training = panel.picture("schedules.training", 280, pair);
  panel.slider("peak", { min: 0.003, max: 1, log: true, per: 20, start: 0.3 });
  panel.slider("epochs", { min: 5, max: 100, step: 1, whole: true, start: 20 });
  const rows = h("div.schedules");
  panel.pictures.append(rows);

  // Which are shown is one value of the address.
  const boxes = KINDS.map(({ id }) => h("input", { type: "checkbox", id: `learn-schedule-${id}` }));
  const own = h("input.own", { type: "text", id: "learn-schedule-own", spellcheck: "false", autocomplete: "off", placeholder: "sequence(0.1, 10ep, cosine(0.1))", maxlength: 400 });
  const keep = (name, start, read, show) => {
    let value = read(context.state[name]) ?? start;
    show(value);
    return {
      get: () => value,
      set: (next) => {
        value = next;
        context.setState({ [name]: next === start ? null : next });
        panel.changed();
      },
    };
  };
  const shown = keep(
    "shown",
    SHOWN,
    (text) => text ?? null,
    (value) => KINDS.forEach(({ id }, at) => (boxes[at].checked = value.split(",").includes(id))),
  );
  const typed = keep("spec", "", (text) => text?.slice(0, 400) ?? null, (value) => (own.value = value));
  boxes.forEach((box) => box.addEventListener("change", () => shown.set(KINDS.filter((_, at) => boxes[at].checked).map(({ id }) => id).join(",") || "none")));
  own.addEventListener("input", () => typed.set(own.value.trim()));

  const codes = new Map();
  KINDS.forEach(({ id, knob }, at) => {
    const code = h("code");
    codes.set(id, code);
    const label = h("label", { for: boxes[at].id }, t(`schedule.${id}`));
    rows.append(h("div.schedule", {}, boxes[at], label, knob ? slot(id, knob) : null, h("div.spelt", {}, code, copy(() => code.textContent, t(`schedule.${id}`)))));
  });
  const trouble = h("p.error", { role: "alert" });
  rows.append(h("div.schedule.own-spec", {}, h("label.whole", { for: own.id }, t("schedules.own")), own, trouble));

  function slot(id, knob) {
    const control = panel.slider(`knob-${id}`, { ...knob, label: `knob.${id}` });
    return control.row;
  }

  function copy(text, name) {
    const button = h("button.copy", { type: "button", "aria-label": t("schedules.copy", { name }) }, t("copy"));
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text());
        button.textContent = t("copied");
      } catch {
        // Without the clipboard, the spec is selected, to be copied by hand.
        getSelection().selectAllChildren(button.previousSibling);
      }
      setTimeout(() => (button.textContent = t("copy")), 1500);
    });
    return button;
  }

  panel.tries([
    ["schedules.try.early", { "knob-inverse-time": 3 }],
    ["schedules.try.low", { peak: 0.01 }],
    ["schedules.try.high", { peak: 1 }],
  ]);

  const specs = (values) => {
    const list = KINDS.filter((_, at) => boxes[at].checked).map(({ id, spec }) => [id, spec(values.peak, values[`knob-${id}`])]);
    return typed.get() ? [...list, ["own", typed.get()]] : list;
  };
  panel.watch((values) => {
    for (const { id, spec } of KINDS) codes.get(id).textContent = spec(values.peak, values[`knob-${id}`]);
  });

  const colour = (at) => at % 6;
  let drawn = [];
  let generation = 0;
  const losses = new Map();
  panel.ask(
    "schedules",
    (values) => ({ specs: specs(values).map(([, spec]) => spec).join("\n") || "0", epochs: values.epochs, steps_per_epoch: 20 }),
    ({ schedules, epochs }, values) => {
      const names = specs(values);
      drawn = schedules.map((schedule, at) => ({ ...schedule, name: names[at] ? name(names[at][0]) : "", colour: colour(at), dashed: at >= 6 })).filter(({ name }) => name);
      put(trouble, drawn.filter(({ error }) => error).map(({ error }) => t("schedules.wrong", { why: error })));
      drawn = drawn.filter(({ error }) => !error);
      curves.show({
        describe: t("schedules.describe", { list: drawn.map(({ name, peak, last }) => t("schedules.one", { name, peak: number(peak), last: number(last, 2) })).join("; ") }),
        x: { min: 0, max: epochs, label: t("axis.epoch") },
        y: ends([drawn.map(({ rates }) => rates)], { zero: true }),
        lines: drawn.map(({ epochs, rates, colour, dashed }) => ({ points: epochs.map((at, index) => [at, rates[index]]), colour, dashed, strong: true })),
        legend: drawn.map(({ name, colour, dashed }) => ({ name, colour, dashed })),
      });
      train();
    },
  );
  const name = (id) => t(`schedule.${id}`);

  // One training after the other, and each is drawn as it comes; what was asked before is given up.
  async function train() {
    const mine = (generation += 1);
    const wanted = drawn;
    show(wanted);
    for (const { spec } of wanted) {
      if (losses.has(spec)) continue;
      let made;
      try {
        made = await context.ask("scheduled", { spec });
      } catch (error) {
        made = { error: error.message, train: [], valid: [], end: null };
      }
      if (losses.size > 100) losses.clear();
      losses.set(spec, made);
      if (mine !== generation) return;
      show(wanted);
    }
  }
  page.onEnd(() => (generation += 1));

  function show(list) {
    const there = list.filter(({ spec }) => losses.has(spec)).map((one) => ({ ...one, made: losses.get(one.spec) }));
    const waiting = list.length - there.length;
    training.show({
      describe: t("schedules.training.describe", { list: there.map(({ name, made }) => `${name} ${made.end === null ? t("none") : number(made.end, 2)}`).join("; ") }),
      x: { min: 0, max: 20, label: t("axis.epoch") },
      y: ends([there.map(({ made }) => made.train)], { log: true, least: 1e-3, most: 5 }),
      lines: there.map(({ made, colour, dashed }) => ({ points: made.train.map((loss, epoch) => [epoch + 1, loss]), colour, dashed })),
      legend: there.map(({ name, made, colour, dashed }) => ({ name: `${name}: ${made.end === null ? t("schedules.blew") : number(made.end, 2)}`, colour, dashed })),
    });
    if (waiting || !there.length) {
      panel.say(there.length || list.length ? t("schedules.working") : t("schedules.empty"));
      return;
    }
    const well = there.filter(({ made }) => made.end !== null);
    if (!well.length) {
      panel.say(t("schedules.all-blew"), "bad");
      return;
    }
    const best = well.reduce((a, b) => (b.made.end < a.made.end ? b : a));
    const worst = well.reduce((a, b) => (b.made.end > a.made.end ? b : a));
    panel.say(t(well.length > 1 ? "schedules.verdict" : "schedules.alone", { best: best.name, low: number(best.made.end, 2), worst: worst.name, high: number(worst.made.end, 2) }));
  }

  return page.start();
}
