// Runs on top of each other, and what differs between them.

import { get } from "./lib/api.js";
import { chart, colour, smooth } from "./lib/chart.js";
import { h, put } from "./lib/dom.js";
import { metric, number, percent, score } from "./lib/format.js";
import { Record } from "./lib/record.js";

// Runs under way are asked for anew so often, in milliseconds.
const AGAIN = 2000;

// More runs than these are not drawn: nobody could tell them apart.
const MOST = 50;

export async function show(element, context) {
  const { t, state, setState, address } = context;
  let names = [];
  try {
    names = JSON.parse(state.runs ?? "[]").slice(0, MOST);
  } catch {
    // What is no list of names has none.
  }
  if (!Array.isArray(names) || !names.length) {
    put(element, h("p.empty", {}, t("choose-to-compare")), h("a", { href: address(["runs"]) }, t("runs")));
    return null;
  }
  const { runs, base } = await get("runs");
  const rows = new Map(runs.map((run) => [run.name, run]));
  const records = names.map((name) => new Record(name));
  let share = Number(state.smooth ?? 0);
  let log = state.log === "1";
  const by = state.by === "step" ? "step" : "epoch";

  const smoothing = h("input", {
    type: "range", min: 0, max: 0.98, step: 0.02, value: share, "aria-label": t("smoothing"),
    oninput: (event) => {
      share = Number(event.target.value);
      setState({ smooth: share ? String(share) : "" });
      draw();
    },
  });
  const logarithmic = h("input", {
    type: "checkbox",
    onchange: (event) => {
      log = event.target.checked;
      setState({ log: log ? "1" : "" });
      losses.setLog(log);
      training.setLog(log);
    },
  });
  logarithmic.checked = log;
  const axis = h(
    "select",
    { "aria-label": t("axis"), onchange: (event) => (location.hash = address(["compare"], { ...state, by: event.target.value })) },
    ["epoch", "step"].map((name) => h("option", { value: name, selected: name === by }, t(`by-${name}`))),
  );
  const grid = h("div.grid");
  const table = h("div.scroll.short", { tabindex: "0", role: "region", "aria-label": t("differences") });
  const broken = h("div");
  put(
    element,
    h("h1", {}, t("compare")),
    h("div.bar", {}, h("label", {}, logarithmic, " ", t("logarithmic")), h("label", {}, t("smoothing"), " ", smoothing), axis, h("span.soft.hint", {}, t("zoom-hint"))),
    broken,
    grid,
    h("section", {}, h("h2", {}, t("differences")), table),
  );
  const x = (record, step) => (by === "step" ? step : record.x(step));
  const series = names.map((label, at) => ({ label, colour: colour(at), dash: at >= 8 }));
  const common = { sync: "compare", series, xFormat: (value) => (by === "step" ? t("at-step-short", number(value, 7)) : t("at-epoch", number(value, 5))) };
  const losses = chart(grid, { ...common, title: t("valid-loss"), log });
  const training = chart(grid, { ...common, title: t("train-loss"), log });
  const judged = score(runs.find(({ name, metrics }) => names.includes(name) && metrics)?.metrics)?.key ?? null;
  const metrics = chart(grid, { ...common, title: judged ? metric(judged, t) : t("score"), format: judged === "accuracy" ? percent : number });
  const rates = chart(grid, { ...common, title: t("rate") });

  const join = (tables) => {
    const [xs, ...columns] = window.uPlot.join(tables.map((one) => (one[0].length ? one : [[0], [null]])));
    return [xs, columns.map((column) => column.map((value) => value ?? null))];
  };

  function draw() {
    const of = (value) => records.map((one) => [one.epochs.map(({ step }) => x(one, step)), smooth(one.epochs.map((e) => value(e) ?? null), share)]);
    losses.set(...join(of((e) => e.valid_loss)));
    training.set(...join(of((e) => e.train_loss)));
    metrics.set(...join(of((e) => e.metrics?.[judged])));
    rates.set(...join(records.map((one) => [one.rates?.steps.map((step) => x(one, step)) ?? [], one.rates?.rates ?? []])));
  }

  function drawTable() {
    const chosen = names.map((name) => rows.get(name)).filter(Boolean);
    const setting = (run, key) => (key in run.settings ? run.settings[key] : (base?.[key] ?? null));
    const keys = [...new Set(chosen.flatMap((run) => Object.keys(run.settings)))].filter((key) => new Set(chosen.map((run) => setting(run, key))).size > 1).sort();
    const best = Math.min(...chosen.map((run) => run.valid_loss ?? Infinity));
    put(
      table,
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, h("th.text", { scope: "col" }, t("run")), h("th.text", { scope: "col" }, t("state")), h("th", { scope: "col" }, judged ? metric(judged, t) : t("score")), h("th", { scope: "col" }, t("valid-loss")), h("th", { scope: "col" }, t("worse-by")), keys.map((key) => h("th.text", { scope: "col", title: key }, key.replace(/^(training|network|data)\./, ""))))),
        h(
          "tbody",
          {},
          chosen.map((run) => {
            const value = run.metrics?.[judged];
            const worse = run.valid_loss - best;
            return h(
              "tr",
              {},
              h("td.text", {}, h("a", { href: address(["run", run.name]) }, run.name)),
              h("td.text", {}, h(`span.badge.${run.state}`, {}, t(`state-${run.state}`))),
              h("td", {}, judged === "accuracy" ? percent(value) : number(value)),
              h("td", {}, number(run.valid_loss)),
              h("td", {}, run.valid_loss === null ? "–" : worse === 0 ? t("best") : `+${number(worse, 3)}`),
              keys.map((key) => h("td.text", {}, h("span.clip", { title: setting(run, key) }, setting(run, key) ?? "–"))),
            );
          }),
        ),
      ),
    );
  }

  async function load(which) {
    const wrong = [];
    // Six at once, as a browser would do it.
    const waiting = [...which];
    const work = async () => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        try {
          const answer = await get(`run/${encodeURIComponent(one.name)}`, { short: "true" });
          one.clear();
          one.log(answer.record);
          one.running = answer.running;
        } catch (error) {
          wrong.push(h("p.error", {}, error.message));
          one.running = false;
        }
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
    if (wrong.length) broken.append(...wrong);
    draw();
  }

  drawTable();
  await load(records);
  let over = false;
  const again = async () => {
    if (over) return;
    const running = records.filter((one) => one.running);
    if (running.length && !document.hidden) await load(running);
    setTimeout(again, AGAIN);
  };
  setTimeout(again, AGAIN);
  return () => {
    over = true;
    [losses, training, metrics, rates].forEach((one) => one.destroy());
  };
}
