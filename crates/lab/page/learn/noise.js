// The noise of minibatches, and what a lower rate does about it.

import { lesson } from "./lesson.js";
import { ends, number } from "./plot.js";

export function mount(element, context) {
  const page = lesson(element, context, "noise");
  const { t } = page;

  const bowl = page.panel("noise.bowl");
  const map = bowl.picture("noise.map", 300);
  const losses = bowl.picture("noise.losses", 190);
  bowl.slider("rate", { min: 0.01, max: 1.2, log: true, per: 40, start: 0.1 });
  bowl.slider("batch", { min: 1, max: 256, log: true, per: 20, whole: true, start: 16 });
  bowl.slider("decay", { min: 0.001, max: 0.3, log: true, per: 20, zero: true, start: 0.03 });
  bowl.slider("seed", { min: 0, max: 20, step: 1, whole: true, start: 0 });
  bowl.tries([
    ["noise.try.rate", { rate: 0.4, batch: 16 }],
    ["noise.try.batch", { rate: 0.1, batch: 256 }],
    ["noise.try.decay", { rate: 0.4, batch: 4, decay: 0.1 }],
  ]);
  bowl.ask(
    "noise",
    ({ rate, batch, decay, seed }) => ({ rate, batch, decay, seed }),
    ({ paths, expected, sigma, contours }) => {
      const names = [t("noise.constant"), t("noise.decaying")];
      const measured = paths.map(({ settled }) => number(settled, 2));
      map.show({
        describe: t("noise.describe", { constant: measured[0], decaying: measured[1] }),
        x: { min: -3.4, max: 2.2, label: "x" },
        y: { min: -1.6, max: 2.3, label: "y" },
        ellipses: contours.map(({ radii: [rx, ry] }) => ({ rx, ry })),
        lines: paths.map(({ points }, colour) => ({ points, colour, faint: true })),
        dots: paths.flatMap(({ points, diverged_at }, colour) => (diverged_at === null ? points.slice(200) : []).map(([x, y]) => ({ x, y, colour, r: 1.8 }))),
        legend: names.map((name, colour) => ({ colour, name })),
      });
      losses.show({
        describe: t("noise.losses.describe"),
        x: { min: 0, max: 400, label: t("axis.step") },
        y: ends([paths.map(({ values }) => values)], { log: true, least: 1e-6, most: 1e3 }),
        lines: [
          ...paths.map(({ values }, colour) => ({ points: values.map((value, step) => [step, value]), colour })),
          ...(expected === null ? [] : [{ points: [[0, expected], [400, expected]], colour: 6, dashed: true }]),
        ],
        legend: [...names.map((name, colour) => ({ colour, name })), { colour: 6, dashed: true, name: t("noise.formula-line") }],
      });
      const said = expected === null ? t("noise.wild") : t("noise.verdict", { sigma: number(sigma, 2), expected: number(expected, 2), constant: measured[0], decaying: measured[1] });
      bowl.say(said, expected === null ? "bad" : "");
    },
  );

  const real = page.panel("noise.real");
  const training = real.picture("noise.training", 260);
  real.slider("real-rate", { min: 0.001, max: 0.1, log: true, per: 20, start: 0.03 });
  real.slider("real-batch", { min: 1, max: 354, log: true, per: 12, whole: true, start: 4 });
  real.slider("real-decay", { min: 0.01, max: 5, log: true, per: 12, zero: true, start: 0.2 });
  real.tries([
    ["noise.try.tenth", { "real-rate": 0.003, "real-batch": 4 }],
    ["noise.try.large", { "real-rate": 0.03, "real-batch": 64 }],
    ["noise.try.early", { "real-rate": 0.003, "real-batch": 4, "real-decay": 5 }],
  ]);
  real.ask(
    "batches",
    (values) => ({ rate: values["real-rate"], batch: values["real-batch"], decay: values["real-decay"] }),
    ({ runs, epochs }) => {
      const names = [t("noise.constant"), t("noise.decaying-epochs")];
      training.show({
        describe: t("noise.training.describe", { constant: number(runs[0].end), decaying: number(runs[1].end) }),
        x: { min: 0, max: epochs, label: t("axis.epoch") },
        y: ends([runs.map(({ train }) => train)], { most: 1.2 }),
        lines: runs.map(({ train }, colour) => ({ points: train.map((loss, epoch) => [epoch + 1, loss]), colour, strong: true })),
        legend: names.map((name, colour) => ({ colour, name })),
      });
      const blown = runs[0].end === null || runs[1].end === null;
      real.say(blown ? t("noise.real.blew") : t("noise.real.verdict", { constant: number(runs[0].end), decaying: number(runs[1].end) }), blown ? "bad" : "");
    },
  );
  return page.start();
}
