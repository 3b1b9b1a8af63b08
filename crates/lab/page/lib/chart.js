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
//   title, height, log (of y), series [{ label, colour, dash, width, points, hidden }], format (of values), xFormat and
//   xTick, yRange, draw and ready as uPlot calls them, sync: a name shared by charts whose pointers move together.
// Returns { set(xs, columns, marks), setLog(on), destroy(), plot }; marks are [{ x, kind }].
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
  let cursor = null;
  let zoom = null;

  const visible = () => (log ? data.map((column, at) => (at ? column.map((v) => (v > 0 ? v : null)) : column)) : data);

  const at = h("span.at", {});
  const readings = series.map(() => h("b", {}));
  const buttons = series.map(({ label, colour: own, dash }, i) => {
    const swatch = h("span.swatch", { "aria-hidden": "true" });
    swatch.style.borderTopColor = own ?? colour(i);
    swatch.style.borderTopStyle = dash ? "dashed" : "solid";
    const button = h(
      "button.series",
      {
        type: "button",
        "aria-pressed": String(!hidden.has(i + 1)),
        onclick: () => {
          const off = hidden.has(i + 1);
          if (off) hidden.delete(i + 1);
          else hidden.add(i + 1);
          button.setAttribute("aria-pressed", String(off));
          plot?.setSeries(i + 1, { show: off });
        },
      },
      swatch,
      label,
      readings[i],
    );
    return button;
  });
  legend.append(h("h3", {}, title), ...buttons, at);

  // The values under the pointer, or the last ones; once a frame, however often the pointer moves.
  let reading = false;
  function read() {
    if (reading) return;
    reading = true;
    requestAnimationFrame(() => {
      reading = false;
      readings.forEach((one, i) => {
        const value = cursor === null ? lastOf(data[i + 1]) : data[i + 1]?.[cursor];
        one.textContent = value === undefined || value === null ? "" : format(value);
      });
      at.textContent = cursor === null ? "" : (options.xFormat ?? number)(data[0][cursor]);
    });
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
        scales: { x: { time: false }, y: { distr: log ? 3 : 1, ...(options.yRange && !log ? { range: options.yRange } : {}) } },
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
              read();
            },
          ],
          setSelect: [
            (u) => {
              const { left, width } = u.select;
              if (width > 0) zoom = { min: u.posToVal(left, "x"), max: u.posToVal(left + width, "x") };
            },
          ],
          draw: [(u) => drawMarks(u), ...(options.draw ? [options.draw] : [])],
          ready: options.ready ? [options.ready] : [],
        },
      },
      visible(),
      place,
    );
    // Twice a click shows all again.
    plot.over.addEventListener("dblclick", () => (zoom = null));
    if (zoom) plot.setScale("x", zoom);
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
      if (plot) plot.setData(visible(), zoom === null);
      // What is zoomed into stays while more comes in.
      if (plot && zoom) plot.setScale("x", zoom);
      read();
    },
    setLog(on) {
      if (on === log) return;
      log = on;
      if (plot) build();
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
