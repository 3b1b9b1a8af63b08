// How weights begin: signals and gradients, layer by layer, by the scale of the weights.

import { h } from "../lib/dom.js";
import { lesson } from "./lesson.js";
import { ends, number, percent } from "./plot.js";

const MOST_SHOWN = 6;

export function mount(element, context) {
  const page = lesson(element, context, "weights");
  const { t } = page;
  const panel = page.panel();
  const row = (word) => {
    const all = h("div.histograms");
    panel.pictures.append(h("h3", {}, t(word)), all);
    return Array.from({ length: MOST_SHOWN }, () => panel.picture(word, 110, all));
  };
  const forward = row("weights.forward");
  const back = row("weights.back");
  const spread = panel.picture("weights.spread", 220);

  panel.choice("activation", ["sigmoid", "tanh", "relu"], "relu");
  const std = panel.slider("std", { min: 0.001, max: 3, log: true, per: 40, start: 0.05 });
  panel.slider("layers", { min: 2, max: 20, step: 1, whole: true, start: 5 });
  panel.slider("units", { min: 10, max: 200, step: 10, whole: true, start: 100 });
  let scales = null;
  const buttons = ["xavier", "he"].map((name) => panel.button("", () => scales && std.set(Number(scales[name].toPrecision(4)))));
  panel.tries([
    ["weights.try.saturate", { activation: "sigmoid", std: 1, layers: 5, units: 100 }],
    ["weights.try.explode", { activation: "relu", std: 1, layers: 5, units: 100 }],
    ["weights.try.he", { activation: "relu", std: 0.1414, layers: 20, units: 100 }],
    ["weights.try.wrong", { activation: "relu", std: 0.2, layers: 20, units: 100 }],
  ]);

  panel.ask(
    "weights",
    ({ activation, std, layers, units }) => ({ activation, std, layers, units }),
    (answer, values) => {
      scales = answer;
      buttons[0].textContent = t("weights.xavier", { std: number(answer.xavier) });
      buttons[1].textContent = t("weights.he", { std: number(answer.he) });
      const all = answer.layers;
      // The first, the last and some between.
      const count = Math.min(all.length, MOST_SHOWN);
      const shown = Array.from({ length: count }, (_, at) => all[Math.floor((at * (all.length - 1)) / Math.max(1, count - 1))]);
      histograms(forward, shown, "activations", "std", 0);
      histograms(back, shown, "gradients", "gradient_std", 1);
      const points = (key) => all.map((layer) => [layer.layer, layer[key]]);
      spread.show({
        describe: t("weights.spread.describe", { first: number(all[0].std), last: number(all.at(-1).std), back: number(all[0].gradient_std) }),
        x: { min: 0.5, max: all.length + 0.5, whole: true, label: t("axis.layer") },
        y: ends([all.map((layer) => [layer.std, layer.gradient_std])], { log: true, least: 1e-12, most: 1e12 }),
        lines: [
          { points: points("std"), colour: 0, dotted: 3, strong: true },
          { points: points("gradient_std"), colour: 1, dotted: 3, dashed: true },
        ],
        legend: [
          { name: t("weights.signal"), colour: 0 },
          { name: t("weights.gradient"), colour: 1, dashed: true },
        ],
      });
      const last = all.at(-1);
      const more = {
        saturated: () => t("weights.share", { share: percent(Math.max(...all.map(({ saturated }) => saturated ?? 0))) }),
        exploding: () => t("weights.last", { std: number(last.std, 2), gradient: number(all[0].gradient_std, 2) }),
        vanishing: () => t("weights.last", { std: number(last.std, 2), gradient: number(all[0].gradient_std, 2) }),
        healthy: () => t("weights.last", { std: number(last.std, 2), gradient: number(all[0].gradient_std, 2) }),
      };
      panel.say(`${t(`weights.${answer.verdict}`, { std: number(values.std) })} ${more[answer.verdict]()}`, answer.verdict === "healthy" ? "good" : "bad");
    },
  );

  function histograms(figures, shown, key, spread, colour) {
    figures.forEach((figure, at) => {
      const layer = shown[at];
      figure.element.hidden = !layer;
      if (!layer) return;
      const { low, high, counts, zeros } = layer[key];
      const width = (high - low) / counts.length;
      const most = Math.max(1, ...counts);
      const title = t("weights.layer", { layer: layer.layer, std: number(layer[spread], 2) });
      figure.element.querySelector("figcaption").textContent = title;
      figure.show({
        describe: t(`weights.${key}.describe`, { title, zeros: percent(zeros) }),
        x: { min: low, max: high },
        y: { min: 0, max: most * 1.05, hidden: true },
        bars: counts.map((value, index) => ({ x0: low + index * width, x1: low + (index + 1) * width, y: value, colour })),
      });
    });
  }
  return page.start();
}
