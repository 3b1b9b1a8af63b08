// Searching: at random, on a grid, and from coarse to fine, on a log scale or not.

import { h } from "../lib/dom.js";
import { lesson } from "./lesson.js";
import { number } from "./plot.js";

const SAMPLERS = ["random", "grid", "coarse-to-fine"];

export function mount(element, context) {
  const page = lesson(element, context, "search");
  const { t } = page;
  const panel = page.panel();
  const maps = SAMPLERS.map((sampler) => panel.picture(`sampler.${sampler}`, 230));
  const note = h("p.soft.across", {}, t("search.map-note"));
  panel.pictures.append(note);
  const best = panel.picture("search.best", 210);
  panel.pictures.classList.add("maps");
  best.element.classList.add("across");
  panel.slider("side", { min: 2, max: 7, step: 1, whole: true, start: 6, label: "control.side" });
  panel.slider("seed", { min: 0, max: 30, step: 1, whole: true, start: 0 });
  panel.choice("scale", ["log", "linear"]);
  panel.tries([
    ["search.try.few", { side: 3, scale: "log" }],
    ["search.try.linear", { side: 6, scale: "linear" }],
    ["search.try.luck", { side: 4, seed: 7, scale: "log" }],
  ]);

  let cells = null;
  const found = new Map();
  panel.ask(
    "landscape",
    () => ({}),
    ({ rates, penalties, rows }) => {
      const worst = Math.log(2.5);
      const lowest = Math.log(Math.min(...rows.flat().filter((loss) => loss !== null)));
      const edge = ([low, high], at, count) => 10 ** (Math.log10(low) + ((at - 0.5) / (count - 1)) * Math.log10(high / low));
      cells = rows.flatMap((row, r) =>
        row.map((loss, c) => ({
          x0: edge(rates, c, row.length),
          x1: edge(rates, c + 1, row.length),
          y0: edge(penalties, r, rows.length),
          y1: edge(penalties, r + 1, rows.length),
          share: loss === null ? 0 : Math.max(0, Math.min(1, (worst - Math.log(loss)) / (worst - lowest))) ** 2,
        })),
      );
      draw();
    },
  );
  SAMPLERS.forEach((sampler) => {
    panel.ask(
      "search",
      ({ side, seed, scale }) => ({ sampler, side, seed, scale }),
      (answer) => {
        found.set(sampler, answer);
        draw();
      },
    );
  });

  function draw() {
    SAMPLERS.forEach((sampler, at) => {
      const answer = found.get(sampler);
      if (!answer) return;
      const { trials, rates, penalties } = answer;
      const won = answer.best;
      const different = new Set(trials.map(({ rate }) => rate)).size;
      maps[at].show({
        describe: t("search.describe", { sampler: t(`sampler.${sampler}`), count: trials.length, different, loss: number(won?.loss), rate: number(won?.rate), l2: number(won?.l2) }),
        x: { min: rates[0] / 1.5, max: rates[1] * 1.5, log: true, label: t("axis.rate") },
        y: { min: penalties[0] / 2, max: penalties[1] * 2, log: true, label: t("axis.penalty") },
        cells: cells ?? [],
        dots: [
          ...trials.map(({ rate, l2, loss }) => ({ x: rate, y: l2, colour: at, r: 3.5, cross: loss === null })),
          // Every rate that was tried, along the bottom.
          ...trials.map(({ rate }) => ({ x: rate, y: penalties[0] / 1.9, colour: at, r: 1.5 })),
          ...(won ? [{ x: won.rate, y: won.l2, colour: at, r: 8, hollow: true, label: number(won.loss, 2) }] : []),
        ],
      });
    });
    if (found.size < SAMPLERS.length) return;
    const soFar = ({ trials }) => {
      let low = Infinity;
      return trials.map(({ loss }, at) => [at + 1, (low = Math.min(low, loss ?? Infinity))]).filter(([, loss]) => Number.isFinite(loss));
    };
    const lines = SAMPLERS.map((sampler, colour) => ({ points: soFar(found.get(sampler)), colour, strong: true, dashed: colour === 1 }));
    best.show({
      describe: t("search.best.describe", { list: SAMPLERS.map((sampler, at) => `${t(`sampler.${sampler}`)} ${number(lines[at].points.at(-1)?.[1])}`).join("; ") }),
      x: { min: 0, max: found.get("random").trials.length, label: t("axis.trial") },
      y: { min: 0.15, max: 2.5, log: true },
      lines,
      legend: SAMPLERS.map((sampler, colour) => ({ name: t(`sampler.${sampler}`), colour, dashed: colour === 1 })),
    });
    const losses = SAMPLERS.map((sampler) => found.get(sampler).best?.loss ?? Infinity);
    const winner = losses.indexOf(Math.min(...losses));
    const different = (sampler) => new Set(found.get(sampler).trials.map(({ rate }) => rate)).size;
    panel.say(
      t("search.verdict", {
        count: found.get("random").trials.length,
        random: different("random"),
        grid: different("grid"),
        winner: t(`sampler.${SAMPLERS[winner]}`),
        loss: number(losses[winner]),
        rate: number(found.get(SAMPLERS[winner]).best?.rate, 2),
      }),
    );
  }
  return page.start();
}
