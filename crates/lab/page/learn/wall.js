// The stability limit 2/λ, as a wall that one can push against.

import { lesson } from "./lesson.js";
import { ends, number } from "./plot.js";

export function mount(element, context) {
  const page = lesson(element, context, "wall");
  const { t } = page;

  const one = page.panel("wall.parabola");
  const rates = one.picture("wall.rates", 120);
  const pair = one.pair();
  const curve = one.picture("wall.curve", 240, pair);
  const steps = one.picture("wall.steps", 240, pair);
  const rate = one.slider("rate", { min: 0.01, max: 2.5, step: 0.01, start: 0.9 });
  one.slider("curvature", { min: 1, max: 10, step: 0.1, start: 2 });
  one.tries([
    ["wall.try.one", { rate: 0.5, curvature: 2 }],
    ["wall.try.at", { rate: 1, curvature: 2 }],
    ["wall.try.over", { rate: 1.02, curvature: 2 }],
    ["wall.try.steep", { rate: 0.9, curvature: 4 }],
  ]);
  one.ask(
    "wall",
    ({ rate, curvature }) => ({ rate, curvature, steps: 40 }),
    (answer, { rate: now, curvature }) => {
      const figures = { limit: number(answer.limit), factor: number(answer.factor), rate: number(now), curvature: number(curvature), step: answer.diverged_at };
      rates.show({
        describe: t("wall.rates.describe", figures),
        x: { min: 0, max: 2.5, label: t("axis.rate-linear") },
        y: { min: 0, max: 1, hidden: true },
        walls: [{ from: answer.limit }],
        marks: [{ at: answer.limit, label: `2/λ = ${figures.limit}`, colour: 4 }, { at: answer.limit / 2, label: `1/λ`, dashed: true }],
        handle: { x: now, y: 0.5, move: (x) => rate.set(Math.max(0.01, Number(x.toFixed(2)))) },
      });
      const most = Math.max(1.3, Math.min(4, ...[Math.max(...answer.x.map(Math.abs))]));
      const bowl = Array.from({ length: 81 }, (_, at) => -most + (2 * most * at) / 80);
      // The parabola is drawn through what the engine says of it: values grow with the square of x.
      const unit = answer.values[0] / answer.x[0] ** 2;
      curve.show({
        describe: t("wall.curve.describe", figures),
        x: { min: -most, max: most, label: "x" },
        y: { min: 0, max: unit * most * most },
        lines: [
          { points: bowl.map((x) => [x, unit * x * x]), colour: 6 },
          { points: answer.x.map((x, at) => [x, answer.values[at]]), colour: 0, dotted: 3 },
        ],
        dots: [{ x: answer.x[0], y: answer.values[0], colour: 2, r: 6, label: t("start") }],
      });
      steps.show({
        describe: t("wall.steps.describe", figures),
        x: { min: 0, max: 40, label: t("axis.step") },
        y: ends([answer.x.map(Math.abs)], { log: true, least: 1e-6, most: 100 }),
        lines: [
          { points: [[0, 1], [40, 1]], colour: 6, dashed: true },
          { points: answer.x.map((x, at) => [at, Math.abs(x)]), colour: 0, strong: true, dotted: 2 },
        ],
      });
      const kind = { "for-ever": "warn", diverges: "bad", crawls: "warn" }[answer.verdict] ?? "good";
      one.say(t(`wall.${answer.verdict}`, figures), kind);
    },
  );

  const real = page.panel("wall.patients");
  const losses = real.picture("wall.losses", 280);
  real.slider("real", { min: 0.2, max: 0.28, step: 0.0005, start: 0.24, label: "control.rate" });
  real.tries([
    ["wall.try.below", { real: 0.243 }],
    ["wall.try.above", { real: 0.2445 }],
    ["wall.try.far", { real: 0.26 }],
  ]);
  // A rate behind the wall is there from the beginning; then the last few stay, so that the wall is seen between.
  const before = [];
  const points = ({ train, diverged_at, epochs }) => [...train.map((loss, epoch) => [epoch + 1, loss]), ...(diverged_at === null ? [] : [[Math.min(epochs, diverged_at + 1), 1e3]])];
  context.ask("patients", { rate: 0.25 }).then(
    (answer) => {
      before.unshift({ rate: 0.25, points: points(answer) });
      show?.();
    },
    () => {}, // the figure's own question says what is wrong
  );
  let show = null;
  real.ask(
    "patients",
    (values) => ({ rate: values.real }),
    (answer, values) => {
      const mine = { rate: values.real, points: points(answer) };
      const old = before.filter((run) => run.rate !== values.real);
      show = () => losses.show({
        describe: t("wall.losses.describe", { rate: number(values.real, 4), limit: number(answer.limit, 4), loss: number(answer.train.at(-1)) }),
        x: { min: 0, max: answer.epochs, label: t("axis.epoch") },
        y: { min: 0.3, max: 30, log: true },
        lines: [...before.map((run) => ({ points: run.points, colour: 6, faint: true })), { points: mine.points, colour: mine.rate < answer.limit ? 2 : 4, strong: true }],
      });
      show();
      before.splice(0, before.length, ...[...old, mine].slice(-6));
      const below = values.real < answer.limit;
      real.say(t(below ? "wall.patients.below" : "wall.patients.above", { rate: number(values.real, 4), limit: number(answer.limit, 4), sharpness: number(answer.sharpness, 4), share: number((100 * values.real) / answer.limit, 4) }), below ? "good" : "bad");
    },
  );
  return page.start();
}
