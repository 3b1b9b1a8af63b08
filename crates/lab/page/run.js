// One run: its curves, what happened, and steering it by hand.

import { get, listen, post } from "./lib/api.js";
import { chart, colour, smooth } from "./lib/chart.js";
import { h, put } from "./lib/dom.js";
import { handlesOn } from "./lib/drag.js";
import { duration, metric, number, percent, score } from "./lib/format.js";
import { Record, kind, sentence } from "./lib/record.js";
import { handles, short, spec } from "./lib/schedule.js";

// A run has no more layers drawn than there are colours.
const MOST_LAYERS = 8;

export async function show(element, context) {
  const { t, rest, state, setState, tell, address } = context;
  const name = rest[0] ?? "";
  const path = `run/${encodeURIComponent(name)}`;
  const about = await get(`${path}/settings`);
  const record = new Record(name);
  const beside = new Map(); // branches that are drawn beside this run
  let log = state.log === "1";
  let share = Number(state.smooth ?? 0);
  let judged = state.metric ?? null;
  const charts = [];

  const badge = h("span.badge");
  const where = h("span.where.soft", { role: "status" });
  const bar = h("progress", { max: 1, "aria-label": t("progress") });
  const steering = h("div.bar.steering");
  const panel = h("div.panel.drag", { hidden: true });
  const grid = h("div.grid");
  const found = h("div");
  const happened = h("ol.events");
  const settings = h("details", {}, h("summary", {}, t("settings")), h("pre", {}, about.text));
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
    },
  });
  logarithmic.checked = log;

  put(
    element,
    h("div.title", {}, h("h1", {}, name), badge, where, about.parent ? h("span.soft", {}, t("branch-of"), " ", h("a", { href: address(["run", about.parent]) }, about.parent)) : null),
    bar,
    steering,
    h("div.bar", {}, h("label", {}, logarithmic, " ", t("logarithmic")), h("label", {}, t("smoothing"), " ", smoothing), h("span.soft.hint", {}, t("zoom-hint"))),
    panel,
    grid,
    found,
    h("section", {}, h("h2", {}, t("events")), happened),
    settings,
  );

  const sync = `run-${name}`;
  const xFormat = (x) => t("at-epoch", number(x, 5));
  const common = { sync, xFormat };
  let losses;
  let metrics;
  let rates;
  let knobs = null;
  let proposal = null;
  let shape = "";
  let gradients = null;
  let updates = null;
  let rehearsals = null;

  const all = () => [record, ...beside.values()];

  // Charts are made anew when what is in them changes, which is seldom.
  function build() {
    charts.splice(0).forEach((one) => one.destroy());
    knobs?.end();
    const others = [...beside.keys()];
    losses = chart(grid, {
      ...common, title: t("loss"), log,
      series: [
        { label: t("batch-loss"), colour: "#8884", width: 1 },
        { label: t("train-loss"), colour: colour(0) },
        { label: t("valid-loss"), colour: colour(1) },
        ...others.map((other, at) => ({ label: t("valid-loss-of", other), colour: colour(2 + at), dash: true })),
      ],
    });
    metrics = chart(grid, {
      ...common, title: judged ? metric(judged, t) : t("score"), format: judged === "accuracy" ? percent : number,
      series: [{ label: name, colour: colour(1) }, ...others.map((other, at) => ({ label: other, colour: colour(2 + at), dash: true }))],
    });
    rates = chart(grid, {
      ...common, title: t("rate"),
      series: [
        { label: t("rate-made"), colour: colour(0), width: 2 },
        { label: t("rate-planned"), colour: colour(0), dash: true },
        { label: t("rate-dragged"), colour: colour(1), width: 2 },
        ...others.map((other, at) => ({ label: other, colour: colour(2 + at), dash: true })),
      ],
      yRange: (_, low, high) => knobs?.range ?? [0, Math.max(high, 1e-12) * 1.25],
      draw: () => knobs?.place(),
      ready: () => draw(),
    });
    knobs = about.networks || (!about.can_begin && !record.running) ? null : handlesOn(rates, { label: (at) => t("handle", at + 1), change: dragged });
    charts.push(losses, metrics, rates);
    gradients = updates = null;
    layers();
  }

  function layers() {
    if (!record.norms.length || gradients) return;
    const names = record.norms[0].tensors.map((tensor) => tensor.name).filter((tensor) => tensor.endsWith("weight")).slice(0, MOST_LAYERS);
    const series = names.map((label) => ({ label }));
    gradients = chart(grid, { ...common, title: t("gradients"), log: true, series });
    updates = chart(grid, { ...common, title: t("updates"), log: true, series });
    gradients.names = names;
    charts.push(gradients, updates);
  }

  function marks() {
    return record.marks.filter(({ event }) => event !== "note" && event !== "rate").map((one) => ({ x: record.x(one.step), kind: kind(one) }));
  }

  const join = (tables) => {
    const there = tables.map((table) => (table[0].length ? table : [[0], ...table.slice(1).map(() => [null])]));
    const [xs, ...columns] = window.uPlot.join(there);
    return [xs, columns.map((column) => column.map((value) => value ?? null))];
  };

  function draw() {
    const next = JSON.stringify([[...beside.keys()], judged, Boolean(record.norms.length)]);
    if (next !== shape) {
      shape = next;
      build();
    }
    const { epochs, steps } = record;
    const at = marks();
    const x = (one, epochs) => epochs.map(({ step }) => one.x(step));
    const others = [...beside.values()];
    {
      const own = [x(record, epochs), smooth(epochs.map((e) => e.train_loss), share), smooth(epochs.map((e) => e.valid_loss), share)];
      const live = [steps.map(([step]) => record.x(step + 1)), smooth(steps.map(([, , loss]) => loss), share)];
      const [xs, columns] = join([live, own, ...others.map((one) => [x(one, one.epochs), smooth(one.epochs.map((e) => e.valid_loss), share)])]);
      losses.set(xs, columns, at);
    }
    {
      const of = (one) => [x(one, one.epochs), smooth(one.epochs.map((e) => e.metrics?.[judged] ?? null), share)];
      const [xs, columns] = join(all().map(of));
      metrics.set(xs, columns, at);
    }
    if (record.rates) {
      const { steps: known, rates: values } = record.rates;
      const now = record.stop && !record.running ? Infinity : record.step;
      const grid = known.map((step) => record.x(step));
      const made = values.map((rate, i) => (known[i] <= now ? rate : null));
      const planned = values.map((rate, i) => (known[i] >= Math.min(now, known.at(-1)) || known[i + 1] > now ? rate : null));
      const dragged = proposal ? [proposal.map(([step]) => record.x(step)), proposal.map(([, rate]) => rate)] : [[], []];
      const [xs, columns] = join([[grid, made, planned], dragged, ...others.map((one) => [one.rates?.steps.map((s) => one.x(s)) ?? [], one.rates?.rates ?? []])]);
      rates.set(xs, columns, at);
      if (knobs && !proposal) setKnobs();
    }
    if (gradients) {
      const xs = record.norms.map(({ step }) => record.x(step));
      const of = (key) => gradients.names.map((layer) => record.norms.map(({ tensors }) => tensors.find((tensor) => tensor.name === layer)?.[key] ?? null));
      gradients.set(xs, of("gradient"), at);
      updates.set(xs, of("update"), at);
    }
    drawFound();
  }

  // A run under way is steered from its next step on; one that is over is branched off from any epoch.
  function setKnobs() {
    const { total_steps: total } = record.rates;
    const points = record.running ? handles(record.rates, record.step, total) : handles(record.rates, 0, total);
    knobs.set(points.map(([step, rate]) => [record.x(step), rate]));
    knobs.place();
  }

  function dragged(points, at, released) {
    const per = record.perEpoch;
    let steps = points.map(([x, rate]) => [Math.round(x * per), rate]);
    if (!record.running) steps = steps.slice(Math.min(at, steps.length - 2));
    proposal = steps;
    const text = spec(record.running ? [[record.step, steps[0][1]], ...steps.slice(1)] : steps);
    if (record.running) livePanel(text, released);
    else branchPanel(text, Math.round(steps[0][0] / per));
    draw();
  }

  function forget() {
    proposal = null;
    panel.hidden = true;
    draw();
  }

  async function livePanel(text, released) {
    panel.hidden = false;
    put(panel, h("b", {}, t(released ? "applying" : "dragging")), h("code.spec", {}, text));
    if (!released) return;
    await tellRun({ command: "set-lr", lr: text }, (took) => t("applied", took.step));
    forget();
  }

  // A schedule that can be written as well as dragged: what it comes to is drawn as it is typed.
  function schedulePanel(text, from, title, more, word, done) {
    panel.hidden = false;
    const wrong = h("p.error", { role: "alert", hidden: true });
    const go = h("button.main", { type: "submit" }, t(word));
    let asked = 0;
    const look = async () => {
      const mine = ++asked;
      const { total_steps, steps_per_epoch } = record.rates;
      try {
        const { steps, rates } = await get("schedule", { spec: rate.value, from, total_steps, steps_per_epoch });
        if (mine !== asked || panel.hidden) return;
        proposal = steps.map((step, at) => [step, rates[at]]);
        wrong.hidden = true;
        draw();
      } catch (error) {
        if (mine !== asked) return;
        wrong.textContent = error.message;
        wrong.hidden = false;
      }
      go.disabled = !wrong.hidden;
    };
    const rate = h("input.spec", { id: "schedule-spec", value: text, autocomplete: "off", oninput: look });
    put(
      panel,
      h(
        "form",
        {
          onsubmit: async (event) => {
            event.preventDefault();
            go.disabled = true;
            if (await done(rate.value)) forget();
            go.disabled = false;
          },
        },
        h("b", {}, title),
        h("label", { for: "schedule-spec" }, t("schedule"), rate),
        more,
        wrong,
        h("div.bar", {}, go, h("button", { type: "button", onclick: forget }, t("cancel"))),
      ),
    );
    return look;
  }

  function branchPanel(text, epoch) {
    const called = h("input", { id: "branch-name", value: `${name}-from-${epoch}`, autocomplete: "off" });
    const named = h("label", { for: "branch-name" }, t("run-name"), called);
    schedulePanel(text, epoch * record.perEpoch, t("branch-here", epoch), named, "train-branch", async (lr) => {
      try {
        const { name: child } = await post(`${path}/branch`, { epoch, lr, name: called.value });
        tell(t("branch-begun", child));
        follow(child);
        setState({ with: [...beside.keys()].join(",") });
        return true;
      } catch (error) {
        tell(error.message, "error");
        return false;
      }
    });
  }

  function write() {
    const follow = (lr) => tellRun({ command: "set-lr", lr }, (took) => t("applied", took.step));
    const look = schedulePanel(short(record.rates?.schedule ?? ""), record.step, t("write-help"), null, "follow", follow);
    if (record.rates) look();
  }

  async function tellRun(command, done) {
    try {
      const took = await post(`${path}/command`, command);
      tell(done ? done(took) : t("done-at", took.step));
      return true;
    } catch (error) {
      tell(error.message, "error");
      return false;
    }
  }

  function drawSteering() {
    const { running, paused } = record;
    const press = (word, command, title) => h("button", { type: "button", title: title ?? null, onclick: () => tellRun(command) }, t(word));
    steering.hidden = !running;
    if (!running) return;
    if (about.networks) {
      put(steering, press("stop", { command: "stop" }), press("end", { command: "end" }));
      return;
    }
    const epochs = h("input", { type: "number", min: 1, max: 100000, value: steering.epochs ?? 5, "aria-label": t("cool-epochs"), oninput: (event) => (steering.epochs = event.target.value) });
    put(
      steering,
      press("half", { command: "set-lr", lr: "0.5x" }),
      press("double", { command: "set-lr", lr: "2x" }),
      press("undo", { command: "undo" }, t("undo-help")),
      press("as-planned", { command: "set-lr", lr: "schedule" }, t("as-planned-help")),
      h("button", { type: "button", onclick: write }, t("write")),
      h("span.gap"),
      paused ? press("continue", { command: "continue" }) : press("pause", { command: "pause" }),
      press("checkpoint", { command: "checkpoint" }),
      press("end", { command: "end" }, t("end-help")),
      press("stop", { command: "stop" }, t("stop-help")),
      h("span.gap"),
      h("button", { type: "button", title: t("cool-help"), onclick: () => coolDown(Number(epochs.value)) }, t("cool")),
      epochs,
      h("span.soft", {}, t("cool-unit")),
    );
  }

  // To zero over some epochs, and the run ends there.
  async function coolDown(epochs) {
    if (!(epochs >= 1)) return;
    try {
      const { step } = await post(`${path}/cool`, { epochs: Math.round(epochs) });
      tell(t("cooling", step, Math.round(epochs)));
    } catch (error) {
      tell(error.message, "error");
    }
  }

  function drawHead() {
    const reason = record.stop && (typeof record.stop.reason === "string" ? record.stop.reason : "diverged");
    const named = { "early-stopping": "stopped-early" }[reason] ?? reason;
    const word = record.running ? (record.paused ? "paused" : "running") : (named ?? "crashed");
    badge.className = `badge ${word}`;
    badge.textContent = t(`state-${word}`);
    const total = record.totalEpochs;
    const done = record.x(record.step);
    bar.hidden = !record.running;
    const { search } = record;
    if (search && !record.epochs.length) {
      bar.value = search[0] / search[1];
      where.textContent = t("searching", search[0], search[1]);
      return;
    }
    bar.value = total ? Math.min(1, done / total) : 0;
    const last = record.epochs.at(-1);
    const kept = record.epochs.filter(({ best }) => best).at(-1) ?? last;
    const value = score(kept?.metrics);
    const left = record.running && last ? ` · ${t("left", duration(Math.max(1, Math.round(last.seconds * (total - done)))))}` : "";
    const best = value ? ` · ${metric(value.key, t)} ${value.key === "accuracy" ? percent(value.value) : number(value.value)} · ${t("valid-loss")} ${number(kept.valid_loss)}` : "";
    where.textContent = `${t("epoch-of", number(done, 4), total)}${best}${left}`;
  }

  function drawEvents() {
    put(
      happened,
      record.marks.map((one) =>
        h("li", { class: kind(one) }, h("span.soft", {}, t("at-step", one.step, number(record.x(one.step), 4))), " ", sentence(one, t, number)),
      ),
    );
    if (!record.marks.length) put(happened, h("li.empty", {}, t("no-events")));
  }

  function drawFound() {
    if (!record.found || rehearsals) return;
    const { rehearsals: tried, curve, recommended, band } = record.found;
    if (!tried.length) return;
    const box = h("section", {}, h("h2", {}, t("found")), h("p", {}, sentence(record.found, t, number)), band ? h("p.soft", {}, t("band", number(band[0], 3), number(band[1], 3))) : null);
    put(found, box);
    rehearsals = chart(box, {
      title: t("rehearsals"), log: true, xFormat: (x) => t("at-rate", number(10 ** x, 3)), xTick: (x) => number(10 ** x, 2),
      series: [{ label: t("rehearsal-loss"), colour: colour(1), points: true }, { label: t("range-loss"), colour: colour(0), width: 1 }],
    });
    const [xs, columns] = join([
      [tried.map(({ lr }) => Math.log10(lr)), tried.map(({ loss }) => loss)],
      [curve.map(({ lr }) => Math.log10(lr)), curve.map(({ loss }) => loss)],
    ]);
    rehearsals.set(xs, columns, [{ x: Math.log10(recommended), kind: "now" }]);
  }

  // A branch that is drawn beside this run as it grows.
  const ends = [];
  function follow(child) {
    if (!child || beside.has(child)) return;
    const other = new Record(child);
    beside.set(child, other);
    ends.push(
      listen(`run/${encodeURIComponent(child)}/events`, {
        log: (batch) => {
          other.log(batch);
          later();
        },
        running: (running) => (other.running = running),
      }, () => other.clear()),
    );
  }

  let planned = false;
  let steered = "";
  const later = () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      if (!judged) judged = score(record.epochs[0]?.metrics)?.key ?? null;
      drawHead();
      const now = JSON.stringify([record.running, record.paused]);
      if (now !== steered) {
        steered = now;
        drawSteering();
        shape = "";
      }
      if (!knobs?.held) draw();
      drawEvents();
    });
  };

  (state.with ?? "").split(",").forEach(follow);
  ends.push(
    listen(
      `${path}/events`,
      {
        log: (batch) => {
          record.log(batch);
          later();
        },
        running: (running) => {
          record.running = running;
          if (!running) proposal = null;
          later();
        },
        steps: (steps) => {
          record.addSteps(steps);
          later();
        },
        search: (search) => {
          record.search = search;
          later();
        },
        broken: (why) => tell(why, "error"),
      },
      () => record.clear(),
    ),
  );
  later();
  return () => {
    ends.forEach((end) => end());
    charts.forEach((one) => one.destroy());
    rehearsals?.destroy();
  };
}
