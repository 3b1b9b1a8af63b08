// A ball on x²/20 + y².

import { lesson, still } from "./lesson.js";
import { ends, number } from "./plot.js";

const RATES = { sgd: 0.95, momentum: 0.1, adagrad: 1.5, rmsprop: 0.3, adam: 0.3, all: 1 };

export function mount(element, context) {
  const page = lesson(element, context, "ball");
  const { t } = page;
  const panel = page.panel();
  const map = panel.picture("ball.map", 250);
  const losses = panel.picture("ball.losses", 190);
  const rule = panel.choice("rule", ["sgd", "momentum", "adagrad", "rmsprop", "adam", "all"]);
  const rate = panel.slider("rate", { min: 0.01, max: 5, log: true, per: 60, start: RATES.sgd });
  const times = panel.slider("times", { min: 0.1, max: 3, log: true, per: 40, start: 1 });
  const momentum = panel.slider("momentum", { min: 0, max: 0.99, step: 0.01, start: 0.9 });
  panel.slider("x", { min: -8, max: 8, step: 0.1, start: -7 });
  panel.slider("y", { min: -3, max: 3, step: 0.1, start: 2 });
  const steps = panel.slider("steps", { min: 5, max: 200, step: 1, whole: true, start: 30 });
  const at = panel.slider("at", { min: 0, max: 100, step: 1, whole: true, start: 100 });

  let before = rule.value;
  let run = 0;
  panel.watch(({ rule: now }) => {
    // Every rule has rates of its own; another one begins at the one that suits it.
    if (now !== before) {
      if (now !== "all" && rate.value === (RATES[before] ?? rate.value)) rate.set(RATES[now]);
      before = now;
    }
    rate.hide(now === "all");
    times.hide(now !== "all");
    momentum.hide(!["momentum", "adam", "all"].includes(now));
  });
  const play = panel.button(t("ball.play"), () => {
    cancelAnimationFrame(run);
    if (still()) {
      at.set(100);
      return;
    }
    const began = performance.now();
    const all = Math.min(3000, 120 * steps.value);
    const go = (now) => {
      const share = Math.min(100, Math.max(0, Math.round((100 * (now - began)) / all)));
      at.set(share, share < 100);
      draw();
      if (share < 100) run = requestAnimationFrame(go);
    };
    run = requestAnimationFrame(go);
  });
  play.classList.add("main");
  page.onEnd(() => cancelAnimationFrame(run));
  panel.tries([
    ["ball.try.wall", { rule: "sgd", rate: 1, steps: 60, at: 100 }],
    ["ball.try.over", { rule: "sgd", rate: 1.02, steps: 60, at: 100 }],
    ["ball.try.slow", { rule: "sgd", rate: 0.05, steps: 60, at: 100 }],
    ["ball.try.inertia", { rule: "momentum", rate: 0.1, momentum: 0.9, steps: 60, at: 100 }],
    ["ball.try.all", { rule: "all", times: 1, steps: 30, at: 100 }],
  ]);

  let found = null;
  panel.ask(
    "ball",
    ({ rule, rate, times, momentum, x, y, steps }) =>
      rule === "all" ? { rule, times, momentum, x, y, steps } : { rule, rate, momentum: ["momentum", "adam"].includes(rule) ? momentum : 0.9, x, y, steps },
    (answer) => {
      found = answer;
      draw();
      say();
    },
  );
  panel.watch(() => found && draw());

  function draw() {
    if (!found) return;
    const { x, y } = page.values;
    const step = Math.round((page.values.at / 100) * page.values.steps);
    const single = found.paths.length === 1;
    const colours = Object.keys(RATES);
    const shown = found.paths.map((path) => ({ ...path, colour: single ? 0 : colours.indexOf(path.rule), upto: Math.min(step, path.points.length - 1) }));
    const dashed = (colour) => !single && colour % 2 === 1;
    const legend = shown.map(({ rule, rate, colour, diverged_at }) => ({
      colour,
      dashed: dashed(colour),
      name: `${t(`option.${rule}`)}, η = ${number(rate)}${diverged_at === null ? "" : `: ${t("diverged", { step: diverged_at })}`}`,
    }));
    map.show({
      describe: t("ball.describe", { paths: shown.map((path) => outcome(path)).join("; ") }),
      x: { min: -8.6, max: 8.6, label: "x" },
      y: { min: -3.4, max: 3.4, label: "y" },
      ellipses: found.contours.map(({ radii: [rx, ry] }) => ({ rx, ry })),
      lines: shown.map(({ points, colour, upto }) => ({ points: points.slice(0, upto + 1), colour, dashed: dashed(colour), strong: single, dotted: 2.2 })),
      dots: [{ x: 0, y: 0, colour: 6, r: 3 }, ...shown.map(({ points, colour, upto }) => ({ x: points[upto][0], y: points[upto][1], colour, r: 7 }))],
      handle: { x, y, move: (a, b) => page.set({ x: Number(a.toFixed(1)), y: Number(Math.max(-3, Math.min(3, b)).toFixed(1)) }) },
      legend,
    });
    losses.show({
      describe: t("ball.losses.describe"),
      x: { min: 0, max: page.values.steps, label: t("axis.step") },
      y: ends([shown.map(({ values }) => values)], { log: true, least: 1e-8, most: 1e3 }),
      lines: shown.map(({ values, colour }) => ({ points: values.map((value, index) => [index, value]), colour, dashed: dashed(colour) })),
      marks: step < page.values.steps ? [{ at: step }] : [],
    });
  }

  function outcome({ rule, rate, ending, diverged_at, values }) {
    const loss = number(values[values.length - 1], 2);
    return t(`ball.${diverged_at === null ? ending : "leaves"}`, { rule: t(`option.${rule}`), rate: number(rate), step: diverged_at, steps: values.length - 1, loss });
  }

  function say() {
    if (found.paths.length === 1) {
      const [path] = found.paths;
      const limit = path.limit === null ? "" : ` ${t(path.rate > path.limit ? "ball.above" : "ball.below", { limit: number(path.limit) })}`;
      panel.say(outcome(path) + limit, { arrives: "good", diverges: "bad" }[path.ending] ?? "warn");
      return;
    }
    const well = found.paths.filter(({ ending }) => ending !== "diverges");
    if (!well.length) {
      panel.say(t("ball.none"), "bad");
      return;
    }
    const last = ({ values }) => values[values.length - 1];
    const best = well.reduce((a, b) => (last(b) < last(a) ? b : a));
    panel.say(t("ball.best", { rule: t(`option.${best.rule}`), loss: number(last(best), 2), steps: page.values.steps, lost: found.paths.length - well.length }));
  }

  return page.start();
}
