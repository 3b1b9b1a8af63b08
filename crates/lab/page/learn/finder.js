// Finding the rate: the range test, the rehearsals, and your guess.

import { lesson } from "./lesson.js";
import { ends, number } from "./plot.js";

export function mount(element, context) {
  const page = lesson(element, context, "finder");
  const { t } = page;
  const panel = page.panel();
  const search = panel.picture("finder.search", 300);
  const training = panel.picture("finder.training", 230);
  panel.choice("optimizer", ["sgd", "momentum", "adagrad", "rmsprop", "adam"]);
  panel.slider("batch", { min: 8, max: 512, log: true, per: 10, whole: true, start: 32 });
  panel.slider("guess", { min: 1e-5, max: 10, log: true, per: 8, start: 0.01 });
  panel.tries([
    ["finder.try.low", { guess: 0.001 }],
    ["finder.try.high", { guess: 3 }],
    ["finder.try.adam", { optimizer: "adam", guess: 0.001 }],
    ["finder.try.batch", { batch: 256 }],
  ]);
  panel.ask(
    "finder",
    ({ optimizer, batch, guess }) => ({ optimizer, batch, guess }),
    (found, values) => {
      const curve = found.curve.filter(({ loss }) => loss !== null).map(({ lr, loss }) => [lr, loss]);
      const rehearsals = found.rehearsals.filter(({ loss }) => loss !== null);
      const highest = Math.max(2.5, Math.min(4, ...[Math.max(...curve.map(([, loss]) => loss))]));
      const low = Math.min(...found.rehearsals.map(({ lr }) => lr), curve[0]?.[0] ?? 1, values.guess);
      const high = Math.max(...found.rehearsals.map(({ lr }) => lr), curve.at(-1)?.[0] ?? 1, values.guess);
      search.show({
        describe: t("finder.describe", { recommended: number(found.recommended), count: found.rehearsals.length, diverges: number(found.diverges) }),
        x: { min: low / 1.3, max: high * 1.3, log: true, label: t("axis.rate") },
        y: { min: 0, max: highest },
        walls: found.diverges === null ? [] : [{ from: found.diverges }],
        lines: [{ points: curve, colour: 0 }],
        marks: [
          { at: found.recommended, label: t("finder.recommended", { rate: number(found.recommended) }), colour: 2 },
          { at: values.guess, label: t("finder.guess", { rate: number(values.guess) }), colour: 1, dashed: true },
          ...(found.limit === null ? [] : [{ at: found.limit, label: `2/λ = ${number(found.limit, 2)}`, colour: 4, dashed: true }]),
        ],
        dots: found.rehearsals.map(({ lr, loss }) => ({ x: lr, y: loss ?? highest, colour: 3, r: 5, cross: loss === null })),
        legend: [
          { name: t("finder.curve"), colour: 0 },
          { name: t("finder.rehearsal"), colour: 3, dot: true },
        ],
      });
      const points = ({ train }) => train.map((loss, epoch) => [epoch + 1, loss]);
      const { found: good, guessed } = found;
      training.show({
        describe: t("finder.training.describe", { found: number(good.end), guessed: guessed.end === null ? t("none") : number(guessed.end) }),
        x: { min: 0, max: found.epochs, label: t("axis.epoch") },
        y: ends([good.train, guessed.train], { log: true, least: 1e-4, most: 10 }),
        lines: [
          { points: points(good), colour: 2, strong: true },
          { points: points(guessed), colour: 1, strong: true, dashed: true },
        ],
        legend: [
          { name: t("finder.with-found", { rate: number(good.rate) }), colour: 2 },
          { name: t("finder.with-guess", { rate: number(guessed.rate) }), colour: 1, dashed: true },
        ],
      });
      const best = rehearsals.reduce((a, b) => (b.loss < a.loss ? b : a), rehearsals[0] ?? { lr: null }).lr;
      const figures = {
        recommended: number(found.recommended),
        share: number((100 * found.steps) / found.run_steps, 2),
        count: found.rehearsals.length,
        best: number(best, 2),
        found: number(good.end, 2),
        guessed: number(guessed.end, 2),
      };
      const word = guessed.end === null ? "finder.verdict.blew" : guessed.end < 0.8 * good.end ? "finder.verdict.better" : guessed.end < 1.5 * good.end ? "finder.verdict.near" : "finder.verdict.far";
      panel.say([t("finder.verdict", figures), best > found.recommended ? t("finder.shorter", figures) : null, t(word, figures)].filter(Boolean).join(" "), { "finder.verdict.blew": "bad", "finder.verdict.far": "warn" }[word] ?? "good");
    },
  );
  return page.start();
}
