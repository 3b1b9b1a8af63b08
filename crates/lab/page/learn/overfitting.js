// Overfitting on 300 digits, and what holds it back.

import { lesson } from "./lesson.js";
import { ends, number, percent } from "./plot.js";

export function mount(element, context) {
  const page = lesson(element, context, "overfitting");
  const { t } = page;
  const panel = page.panel();
  const losses = panel.picture("overfitting.losses", 300);
  const accuracy = panel.picture("overfitting.accuracy", 170);
  panel.slider("l2", { min: 1e-5, max: 0.1, log: true, per: 12, zero: true, start: 0 });
  panel.slider("l1", { min: 1e-6, max: 0.01, log: true, per: 12, zero: true, start: 0 });
  panel.slider("dropout", { min: 0, max: 0.8, step: 0.05, start: 0 });
  panel.slider("patience", { min: 0, max: 30, step: 1, whole: true, start: 0 });
  panel.choice("schedule", ["constant", "cosine"]);
  const none = { l2: 0, l1: 0, dropout: 0, patience: 0, schedule: "constant" };
  panel.tries([
    ["overfitting.try.none", none],
    ["overfitting.try.l2", { ...none, l2: 0.003 }],
    ["overfitting.try.l1", { ...none, l1: 0.0001 }],
    ["overfitting.try.dropout", { ...none, dropout: 0.5, schedule: "cosine" }],
    ["overfitting.try.noisy", { ...none, dropout: 0.5 }],
    ["overfitting.try.stop", { ...none, patience: 10 }],
  ]);
  panel.ask(
    "overfitting",
    ({ l2, l1, dropout, patience, schedule }) => ({ l2, l1, dropout, patience, schedule }),
    ({ epochs, ...runs }, values) => {
      const [mine, none] = [runs.with, runs.without];
      const points = (list) => list.map((value, epoch) => [epoch + 1, value]);
      const same = !values.l2 && !values.l1 && !values.dropout && !values.patience;
      const best = mine.best_epoch === null ? [] : [{ x: mine.best_epoch, y: mine.best_valid, colour: 0, r: 5, label: t("overfitting.best"), under: true }];
      losses.show({
        describe: t("overfitting.describe", { train: number(mine.train.at(-1)), valid: number(mine.valid.at(-1)), epoch: mine.best_epoch, best: number(mine.best_valid) }),
        x: { min: 0, max: epochs, label: t("axis.epoch") },
        y: { min: 0, max: 1.2 },
        lines: [
          ...(same ? [] : [{ points: points(none.valid), colour: 1 }, { points: points(none.train), colour: 1, dashed: true }]),
          { points: points(mine.valid), colour: 0, strong: true },
          { points: points(mine.train), colour: 0, dashed: true, strong: true },
        ],
        dots: best,
        marks: mine.stopped_at === null ? [] : [{ at: mine.stopped_at, label: t("overfitting.stopped", { epoch: mine.stopped_at }) }],
        legend: [
          { name: t("overfitting.valid"), colour: 0 },
          { name: t("overfitting.train"), colour: 0, dashed: true },
          ...(same ? [] : [{ name: t("overfitting.valid.none"), colour: 1 }, { name: t("overfitting.train.none"), colour: 1, dashed: true }]),
        ],
      });
      accuracy.show({
        describe: t("overfitting.accuracy.describe", { accuracy: percent(mine.accuracy.at(-1)) }),
        x: { min: 0, max: epochs, label: t("axis.epoch") },
        y: ends([mine.accuracy, none.accuracy], { least: 0.7, most: 1 }),
        lines: [...(same ? [] : [{ points: points(none.accuracy), colour: 1 }]), { points: points(mine.accuracy), colour: 0, strong: true }],
      });
      const kept = values.patience ? mine.kept_valid : mine.valid.at(-1);
      const figures = { valid: number(kept, 2), none: number(none.valid.at(-1), 2), train: number(mine.train.at(-1), 2), epoch: mine.best_epoch, best: number(mine.best_valid, 2), small: percent(mine.small_weights) };
      const holds = kept < 0.95 * none.valid.at(-1);
      const said = same ? t("overfitting.verdict.none", figures) : t(holds ? "overfitting.verdict.holds" : "overfitting.verdict.not", figures);
      const sparse = values.l1 ? ` ${t("overfitting.sparse", figures)}` : "";
      panel.say(said + sparse, same ? "warn" : holds ? "good" : "bad");
    },
  );
  return page.start();
}
