// Charts: uPlot with the page's colours, values under the pointer, zoom by dragging, logarithmic axes, smoothing
// and marks.

import { h } from "./dom.js";
import { number } from "./format.js";

// Colours that people with any colour vision tell apart (Okabe and Ito), lighter on dark ground.
const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#3d3d3d", "#56b4e9", "#a23b72"];
const DARK = ["#56b4e9", "#ff8f4a", "#2fd0a0", "#e5a5cb", "#f0e442", "#d5d5d5", "#8fb8ff", "#ff9fc0"];

export const dark = () => document.documentElement.dataset.theme === "dark";
export const colour = (at) => (dark() ? DARK : LIGHT)[at % LIGHT.length];

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// An exponential average from the left, of the values that are there: 0 is none, towards 1 is more.
export function smooth(values, share) {
  if (!share) return values;
  let mean = null;
  let weight = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value;
    mean = share * (mean ?? 0) + (1 - share) * value;
    weight = share * weight + (1 - share);
    return mean / weight;
  });
}

// A chart in an element. `options`:
//   title, xLabel, height, log (of y), series [{ label, colour, dash, width, values, hidden }], marks [{ x, text, kind }],
//   onMark, xFormat, yFormat, drag: { … } as in steer.js, sync: a name shared by charts whose pointers move together.
// Returns { set(xs, columns, marks), setLog(on), destroy(), plot }.
export function chart(element, options) {
  const { title, height = 220, series, sync, format = number } = options;
  let log = options.log ?? false;
  let marks = [];
  let data = [[], ...series.map(() => [])];
  let plot = null;
  const hidden = new Set(series.flatMap(({ hidden }, at) => (hidden ? [at + 1] : [])));
  const figure = h("figure.chart", { role: "group", "aria-label": title });
  const legend = h("figcaption.legend", {});
  const place = h("div.plot", {});
  figure.append(legend, place);
  element.append(figure);
  const zoom = { x: null };
  let cursor = null;

  const visible = () => (log ? data.map((column, at) => (at ? column.map((v) => (v > 0 ? v : null)) : column)) : data);

  function drawLegend() {
    const buttons = series.map(({ label, colour: own, dash }, at) => {
      const off = hidden.has(at + 1);
      const value = cursor === null ? lastOf(data[at + 1]) : data[at + 1]?.[cursor];
      const swatch = h("span.swatch", { "aria-hidden": "true" });
      swatch.style.borderTopColor = own ?? colour(at);
      swatch.style.borderTopStyle = dash ? "dashed" : "solid";
      return h(
        "button.series",
        {
          type: "button",
          "aria-pressed": String(!off),
          onclick: () => {
            if (off) hidden.delete(at + 1);
            else hidden.add(at + 1);
            plot?.setSeries(at + 1, { show: off });
            drawLegend();
          },
        },
        swatch,
        label,
        h("b", {}, value === undefined || value === null ? "" : format(value)),
      );
    });
    const at = cursor === null ? "" : (options.xFormat ?? number)(data[0][cursor]);
    legend.replaceChildren(h("h3", {}, title), ...(options.single ? [] : buttons), h("span.at", {}, at));
  }

  function lastOf(column) {
    for (let at = (column?.length ?? 0) - 1; at >= 0; at--) if (Number.isFinite(column[at])) return column[at];
    return null;
  }

  function build() {
    plot?.destroy();
    const axis = (more) => ({
      stroke: style("--soft"),
      grid: { stroke: style("--faint"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
      ...more,
    });
    plot = new window.uPlot(
      {
        width: Math.max(place.clientWidth, 120),
        height,
        legend: { show: false },
        cursor: {
          drag: { x: true, y: false, setScale: true },
          points: { size: 6 },
          ...(sync ? { sync: { key: sync, setSeries: false } } : {}),
        },
        scales: { x: { time: false, ...(options.xRange ? { range: options.xRange } : {}) }, y: { distr: log ? 3 : 1, ...(options.yRange && !log ? { range: options.yRange } : {}) } },
        axes: [
          axis({ size: 26, values: (_, splits) => splits.map((v) => (options.xTick ?? ((x) => number(x, 4)))(v)) }),
          axis({ size: 52, values: (_, splits) => splits.map((v) => (v === null ? null : format(v, 3))) }),
        ],
        series: [
          {},
          ...series.map((one, at) => ({
            label: one.label,
            stroke: one.colour ?? colour(at),
            width: one.width ?? 1.5,
            dash: one.dash ? [5, 4] : undefined,
            show: !hidden.has(at + 1),
            points: { show: one.points ?? false, size: 5 },
            spanGaps: true,
          })),
        ],
        hooks: {
          setCursor: [
            (u) => {
              cursor = u.cursor.idx ?? null;
              drawLegend();
              options.onCursor?.(cursor);
            },
          ],
          draw: [(u) => drawMarks(u), ...(options.draw ? [options.draw] : [])],
          setScale: [
            (u, key) => {
              if (key === "x") zoom.x = [u.scales.x.min, u.scales.x.max];
            },
          ],
          ready: options.ready ? [options.ready] : [],
        },
      },
      visible(),
      place,
    );
    plot.over.setAttribute("aria-hidden", "true");
  }

  function drawMarks(u) {
    const { ctx, bbox } = u;
    ctx.save();
    for (const { x, kind } of marks) {
      const at = Math.round(u.valToPos(x, "x", true)) + 0.5;
      if (at < bbox.left || at > bbox.left + bbox.width) continue;
      ctx.strokeStyle = style(kind === "bad" ? "--bad" : kind === "now" ? "--accent" : "--soft");
      ctx.setLineDash(kind === "now" ? [] : [2, 3]);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  const resize = new ResizeObserver(() => {
    if (!plot) build();
    else if (place.clientWidth && Math.abs(place.clientWidth - plot.width) > 1) plot.setSize({ width: place.clientWidth, height });
  });
  resize.observe(place);

  return {
    get plot() {
      return plot;
    },
    element: figure,
    set(xs, columns, nextMarks = marks) {
      data = [xs, ...columns];
      marks = nextMarks;
      if (plot) plot.setData(visible());
      drawLegend();
    },
    setLog(on) {
      if (on === log) return;
      log = on;
      if (plot) build();
    },
    redraw() {
      plot?.redraw();
    },
    destroy() {
      resize.disconnect();
      plot?.destroy();
      figure.remove();
    },
  };
}

// A little curve without axes, as SVG.
export function spark(values, { width = 90, height = 22 } = {}) {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", "spark");
  svg.setAttribute("aria-hidden", "true");
  const there = values.filter((v) => Number.isFinite(v));
  if (there.length < 2) return svg;
  // Losses span orders of magnitude where something blew up.
  const scale = Math.min(...there) > 0 ? Math.log : (v) => v;
  const low = scale(Math.min(...there));
  const high = scale(Math.max(...there));
  const y = (v) => height - 2 - ((scale(v) - low) / (high - low || 1)) * (height - 4);
  const x = (at) => 1 + (at / (values.length - 1)) * (width - 2);
  const points = values.map((v, at) => (Number.isFinite(v) ? `${x(at).toFixed(1)},${y(v).toFixed(1)}` : null)).filter(Boolean);
  const line = document.createElementNS(NS, "polyline");
  line.setAttribute("points", points.join(" "));
  svg.append(line);
  return svg;
}
