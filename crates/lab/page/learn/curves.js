// The four curves, and a fifth whose rate is dragged.

import { lesson } from "./lesson.js";
import { number } from "./plot.js";

export function mount(element, context) {
  const page = lesson(element, context, "curves");
  const { t } = page;
  const panel = page.panel();
  const losses = panel.picture("curves.losses", 300);
  const rates = panel.picture("curves.rates", 200);
  panel.slider("rate", { min: 1e-4, max: 1, log: true, per: 12, start: 0.01 });
  panel.tries([
    ["curves.try.low", { rate: 0.0005 }],
    ["curves.try.good", { rate: 0.05 }],
    ["curves.try.edge", { rate: 0.12 }],
    ["curves.try.over", { rate: 0.5 }],
  ]);
  const visited = new Map();

  panel.ask(
    "curves",
    ({ rate }) => ({ rate }),
    ({ runs, baseline, epochs }) => {
      const mine = runs[4];
      const verdict = (run) => t(`verdict.${run.verdict}`);
      // Losses are shown a little higher than where they began; what is above has left.
      const highest = 1.35 * baseline;
      const line = (run, colour, more) => ({ points: [[0, baseline], ...run.train.map((loss, at) => [at + 1, loss]), ...(run.diverged_at === null ? [] : [[run.diverged_at, highest * 0.97]])], colour, ...more });
      const ended = (run, colour, r) => (run.diverged_at === null ? [] : [{ x: run.diverged_at, y: highest * 0.97, colour, cross: true, r }]);
      losses.show({
        describe: t("curves.describe", {
          runs: runs.map((run) => t("curves.run", { rate: number(run.rate), verdict: verdict(run), loss: run.end === null ? t("none") : number(run.end) })).join("; "),
        }),
        x: { min: 0, max: epochs, label: t("axis.epoch") },
        y: { min: 0, max: highest },
        lines: [...runs.slice(0, 4).map((run, at) => line(run, at + 1, { dashed: true })), line(mine, 0, { strong: true })],
        dots: [...runs.slice(0, 4).flatMap((run, at) => ended(run, at + 1)), ...ended(mine, 0)],
        legend: [
          { colour: 0, name: t("curves.yours", { rate: number(mine.rate), verdict: verdict(mine) }) },
          ...runs.slice(0, 4).map((run, at) => ({ colour: at + 1, dashed: true, name: `η = ${number(run.rate)}: ${verdict(run)}` })),
        ],
      });
      for (const run of runs) visited.set(run.rate, run);
      const all = [...visited.values()].sort((a, b) => a.rate - b.rate);
      const lowest = Math.min(0.005, ...all.map(({ end }) => end ?? 1)) / 1.5;
      const colour = { low: 1, good: 2, high: 3, "very-high": 4 };
      rates.show({
        describe: t("curves.rates.describe", { count: all.length }),
        x: { min: 8e-5, max: 1.25, log: true, label: t("axis.rate") },
        y: { min: lowest, max: highest, log: true },
        lines: [{ points: all.filter(({ end }) => end !== null).map(({ rate, end }) => [rate, end]), colour: 6, faint: true }],
        dots: all.map((run) => ({ x: run.rate, y: run.end ?? highest, colour: colour[run.verdict], cross: run.end === null, r: run === mine ? 7 : 4 })),
        marks: [{ at: mine.rate, colour: 0 }],
        legend: Object.entries(colour).map(([name, colour]) => ({ colour, dot: true, name: t(`verdict.${name}`) })),
      });
      const where = mine.end === null ? t("curves.blew", { epoch: number(mine.diverged_at, 2) }) : mine.guesses ? t("curves.guesses") : t("curves.ended", { loss: number(mine.end) });
      panel.say(`${t("curves.verdict", { rate: number(mine.rate), verdict: verdict(mine) })} ${where}`, { good: "good", "very-high": "bad" }[mine.verdict] ?? "warn");
    },
  );
  return page.start();
}
