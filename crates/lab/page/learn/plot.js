// Plots in SVG, in the colours of the page: everything about them that can be seen stands in classes.

import { h, s, put } from "../lib/dom.js";

let count = 0;

// A number in three digits, or as many as are asked for: 0.0123, 1.5e−7, −3.
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const short = size === 0 || (size >= 1e-4 && size < 1e6);
  const text = short ? String(Number(value.toPrecision(digits))) : value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  return text.replaceAll("-", "−");
}

// A share in percent.
export const percent = (share) => `${number(100 * share, 2)}%`;

function ticks(axis, room) {
  const { min, max } = axis;
  if (axis.log) {
    const [low, high] = [Math.log10(min), Math.log10(max)];
    const parts = high - low < 1.6 ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil((high - low) / Math.max(2, room)));
    const found = [];
    for (let decade = Math.floor(low); decade <= high; decade += 1) {
      if (decade % every) continue;
      for (const part of parts) {
        const value = Number(`${part}e${decade}`);
        if (value >= min * 0.999 && value <= max * 1.001) found.push(value);
      }
    }
    return found;
  }
  const rough = (max - min) / Math.max(2, room);
  const power = 10 ** Math.floor(Math.log10(rough));
  const fitting = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const step = axis.whole ? Math.max(1, Math.round(fitting)) : fitting;
  const found = [];
  for (let at = Math.ceil(min / step - 1e-9); at * step <= max + step * 1e-9; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

function scale(axis, from, to) {
  const place = axis.log ? (value) => Math.log10(value) : (value) => value;
  const [low, high] = [place(axis.min), place(axis.max)];
  const of = (value) => from + ((place(value) - low) / (high - low || 1)) * (to - from);
  of.back = (pixel) => {
    const at = low + ((pixel - from) / (to - from)) * (high - low);
    return axis.log ? 10 ** at : at;
  };
  return of;
}

// The ends of numbers on an axis, with a margin; on a log axis only those above zero count.
export function ends(lists, { log = false, least = -Infinity, most = Infinity, zero = false, margin = 0.05 } = {}) {
  let [min, max] = [Infinity, -Infinity];
  for (const value of lists.flat(2)) {
    if (value === null || !Number.isFinite(value) || (log && value <= 0)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (!(min <= max)) [min, max] = log ? [0.1, 1] : [0, 1];
  [min, max] = [Math.max(min, least), Math.min(max, most)];
  if (zero) min = Math.min(0, min);
  if (log) {
    if (min >= max) [min, max] = [min / 2, min * 2];
    return { min: min / 1.15, max: max * 1.15, log: true };
  }
  if (min >= max) [min, max] = [min - 0.5, min + 0.5];
  const room = margin * (max - min);
  return { min: zero && min === 0 ? 0 : min - room, max: max + room };
}

// A figure to draw in: its title, its legend, and a drawing that follows the width of the page.
export function figure(title, height) {
  const canvas = h("div.canvas");
  const legend = h("ul.names");
  const element = h("figure.figure", {}, h("figcaption", {}, title), legend, canvas);
  let spec = null;
  let width = 0;
  const draw = () => {
    if (spec && width) put(canvas, svg(spec, width, spec.height ?? height));
  };
  const observer = new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now === width) return;
    width = now;
    draw();
  });
  observer.observe(canvas);
  return {
    element,
    canvas,
    end: () => observer.disconnect(),
    show(next) {
      spec = next;
      put(legend, (next.legend ?? []).map(entry));
      legend.hidden = !(next.legend ?? []).length;
      draw();
    },
  };
}

function entry({ name, colour, dashed, dot, faint }) {
  const of = `c${colour}${dashed ? " dashed" : ""}${faint ? " faint" : ""}`;
  const swatch = dot
    ? s("svg.sample", { viewBox: "0 0 22 10", "aria-hidden": "true" }, s("circle", { class: `dot ${of}`, cx: 11, cy: 5, r: 4 }))
    : s("svg.sample", { viewBox: "0 0 22 10", "aria-hidden": "true" }, s("line", { class: `line ${of}`, x1: 0, x2: 22, y1: 5, y2: 5 }));
  return h("li", {}, swatch, name);
}

// What is seen: `x` and `y` are axes { min, max, log, label, hidden }; then, from the back to the front, cells,
// ellipses, areas, bars, lines, marks, dots and a handle.
function svg(spec, width, height) {
  const { x, y } = spec;
  const left = y.hidden ? 6 : 50;
  // Room above for the labels of marks, in two rows where there are several.
  const marked = (spec.marks ?? []).filter(({ label }) => label).length;
  const above = y.label ? 20 : 8;
  const [top, right, bottom] = [Math.max(above, marked > 1 ? 34 : marked ? 20 : 0), 10, x.hidden ? 6 : x.label ? 38 : 22];
  const [across, down] = [scale(x, left, width - right), scale(y, height - bottom, top)];
  const clip = `learn-clip-${(count += 1)}`;
  const root = s("svg", { class: "plot", role: "img", "aria-label": spec.describe, viewBox: `0 0 ${width} ${height}`, width, height });
  root.append(s("defs", {}, s("clipPath", { id: clip }, s("rect", { x: left, y: top, width: width - right - left, height: height - bottom - top }))));
  root.append(s("rect.ground", { x: left, y: top, width: width - right - left, height: height - bottom - top }));
  const inside = s("g", { "clip-path": `url(#${clip})` });

  for (const cell of spec.cells ?? []) {
    const [x0, x1, y0, y1] = [across(cell.x0), across(cell.x1), down(cell.y1), down(cell.y0)];
    inside.append(s("rect", { class: "cell", x: x0, y: y0, width: x1 - x0, height: y1 - y0, "fill-opacity": cell.share }));
  }
  if (!x.hidden) {
    for (const tick of ticks(x, (width - left) / 75)) {
      const at = across(tick);
      root.append(s("line.gridline", { x1: at, x2: at, y1: top, y2: height - bottom }));
      root.append(s("text.tick", { x: at, y: height - bottom + 14, "text-anchor": "middle" }, number(tick)));
    }
  }
  if (!y.hidden) {
    for (const tick of ticks(y, height / 45)) {
      const at = down(tick);
      root.append(s("line.gridline", { x1: left, x2: width - right, y1: at, y2: at }));
      root.append(s("text.tick", { x: left - 5, y: at + 4, "text-anchor": "end" }, number(tick)));
    }
  }
  if (x.label) root.append(s("text.label", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, x.label));
  if (y.label) root.append(s("text.label", { x: left, y: top - 6 }, y.label));

  for (const { rx, ry } of spec.ellipses ?? []) {
    inside.append(s("ellipse.contour", { cx: across(0), cy: down(0), rx: Math.abs(across(rx) - across(0)), ry: Math.abs(down(ry) - down(0)) }));
  }
  for (const { from, to } of spec.walls ?? []) {
    const [a, b] = [Math.max(left, across(from)), Math.min(width - right, across(to ?? x.max))];
    if (b > a) {
      inside.append(s("rect.beyond", { x: a, y: top, width: b - a, height: height - bottom - top }));
      inside.append(s("line.wall", { x1: a, x2: a, y1: top, y2: height - bottom }));
    }
  }
  for (const bar of spec.bars ?? []) {
    const [x0, x1, y0, y1] = [across(bar.x0), across(bar.x1), down(bar.y), down(y.min)];
    inside.append(s("rect", { class: `column c${bar.colour}`, x: x0, y: y0, width: Math.max(0.5, x1 - x0 - 0.4), height: Math.max(0, y1 - y0) }));
  }
  for (const line of spec.lines ?? []) {
    const points = line.points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b) && (!x.log || a > 0) && (!y.log || b > 0));
    // Far outside is as good as at the edge, and no number of pixels is too large for the browser.
    const bound = (value) => Math.max(-4 * height, Math.min(5 * height, value));
    const path = points.map(([a, b]) => `${across(a).toFixed(1)},${bound(down(b)).toFixed(1)}`).join(" ");
    const of = `line c${line.colour}${line.dashed ? " dashed" : ""}${line.faint ? " faint" : ""}${line.strong ? " strong" : ""}`;
    inside.append(s("polyline", { class: of, points: path }));
    if (line.dotted) {
      for (const [a, b] of points) inside.append(s("circle", { class: `point c${line.colour}`, cx: across(a), cy: bound(down(b)), r: line.dotted }));
    }
  }
  const labels = [];
  for (const { at, label, colour, dashed } of spec.marks ?? []) {
    const place = across(at);
    if (!(place >= left - 1 && place <= width - right + 1)) continue;
    inside.append(s("line", { class: `mark c${colour ?? 6}${dashed ? " dashed" : ""}`, x1: place, x2: place, y1: top, y2: height - bottom }));
    if (label) labels.push({ place, label });
  }
  root.append(inside);
  // A label that would lie on another one goes to the next row; where both are full, it is left out.
  const rows = [[], []];
  for (const { place, label } of labels) {
    const half = (4 + 3 * [...label].filter((sign) => sign > "\u1100").length) + 3.4 * label.length;
    const middle = Math.min(Math.max(place, half + 2), width - half - 2);
    const row = rows.findIndex((taken) => !taken.some(([from, to]) => middle - half < to && middle + half > from));
    if (row < 0) continue;
    rows[row].push([middle - half, middle + half]);
    root.append(s("text.marked", { x: middle, y: top - 6 - 14 * row, "text-anchor": "middle" }, label));
  }
  for (const dot of spec.dots ?? []) {
    const [a, b] = [across(dot.x), down(dot.y)];
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    const of = `dot c${dot.colour}${dot.hollow ? " hollow" : ""}${dot.faint ? " faint" : ""}`;
    const [cx, cy] = [Math.min(Math.max(a, left), width - right), Math.min(Math.max(b, top), height - bottom)];
    if (dot.cross) {
      root.append(s("path", { class: `cross c${dot.colour}`, d: `M${cx - 4},${cy - 4}L${cx + 4},${cy + 4}M${cx - 4},${cy + 4}L${cx + 4},${cy - 4}` }));
    } else {
      root.append(s("circle", { class: of, cx, cy, r: dot.r ?? 4 }));
    }
    if (dot.label) {
      const beyond = cx > width - 110;
      root.append(s("text.beside", { x: cx + (beyond ? -7 : 7), y: dot.under ? cy + 16 : Math.max(top + 10, cy - 5), "text-anchor": beyond ? "end" : "start" }, dot.label));
    }
  }
  if (spec.handle) handle(root, spec.handle, { across, down, left, top, right: width - right, bottom: height - bottom });
  return root;
}

// Something that is dragged: `move(x, y)` is called with where it is, in the figure's numbers. The keyboard has the
// sliders beside the figure.
function handle(root, { x, y, move }, { across, down, left, top, right, bottom }) {
  root.append(s("circle.grip", { cx: across(x), cy: down(y), r: 9 }));
  root.classList.add("draggable");
  const inside = (value, low, high) => Math.min(Math.max(value, low), high);
  const to = (event, drawing) => {
    const box = drawing.getBoundingClientRect();
    move(across.back(inside(event.clientX - box.left, left, right)), down.back(inside(event.clientY - box.top, top, bottom)));
  };
  root.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    // The drawing is made anew while it is dragged; what it is in stays.
    const canvas = root.parentElement;
    const next = (later) => canvas.firstChild && to(later, canvas.firstChild);
    const stop = () => {
      removeEventListener("pointermove", next);
      removeEventListener("pointerup", stop);
      removeEventListener("pointercancel", stop);
    };
    addEventListener("pointermove", next);
    addEventListener("pointerup", stop);
    addEventListener("pointercancel", stop);
    to(event, root);
  });
}
