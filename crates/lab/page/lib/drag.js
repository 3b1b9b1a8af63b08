// Handles on a chart's curve that are dragged up and down: with a pointer, or by keys.

import { h, put } from "./dom.js";
import { number } from "./format.js";

// Puts handles over a chart. `options`: label(at) for who cannot see it, change(points, at, released) which is called
// with the points as they are then. Returns { set(points), place(), end() }; points are [x, y].
export function handlesOn(chart, options) {
  const layer = h("div.handles", {});
  let points = [];
  let held = null;
  // Where the chart was when a handle was taken: it neither moves nor changes its scale under the hand.
  let ground = null;

  const limits = () => {
    const { min, max } = chart.plot.scales.y;
    return [min, max];
  };

  function place() {
    const { plot } = chart;
    if (!plot) return;
    if (layer.parentNode !== plot.over) plot.over.append(layer);
    [...layer.children].forEach((handle, at) => {
      const [x, y] = points[at];
      const left = plot.valToPos(x, "x");
      const [low, high] = limits();
      const top = plot.valToPos(Math.min(Math.max(y, low), high), "y");
      handle.hidden = left < -1 || left > plot.over.clientWidth + 1 || !Number.isFinite(top);
      handle.style.left = `${left}px`;
      handle.style.top = `${top}px`;
      handle.setAttribute("aria-valuetext", number(y, 3));
      handle.setAttribute("aria-valuenow", y);
    });
  }

  function move(at, y, released) {
    points = points.map((point, other) => (other === at ? [point[0], Math.max(0, y)] : point));
    place();
    options.change(points, at, released);
  }

  function handle(at) {
    const element = h("button.handle", {
      type: "button",
      role: "slider",
      "aria-label": options.label(at),
      "aria-orientation": "vertical",
      onpointerdown: (event) => {
        event.preventDefault();
        event.stopPropagation();
        element.setPointerCapture(event.pointerId);
        element.focus();
        held = at;
        ground = { box: chart.plot.over.getBoundingClientRect(), range: limits() };
      },
      onmousedown: (event) => event.stopPropagation(),
      onpointermove: (event) => {
        if (held !== at) return;
        const { box, range: [low, high] } = ground;
        // Beyond the top, it grows on with the way that the pointer goes.
        const y = low + (1 - (event.clientY - box.top) / box.height) * (high - low);
        move(at, y, false);
      },
      onpointerup: () => {
        if (held !== at) return;
        held = ground = null;
        options.change(points, at, true);
      },
      onpointercancel: () => (held = ground = null),
      onkeydown: (event) => {
        const times = { ArrowUp: 1.1, ArrowDown: 1 / 1.1, PageUp: 2, PageDown: 0.5 }[event.key];
        if (!times) return;
        event.preventDefault();
        move(at, (points[at][1] || limits()[1] / 1000) * times, true);
      },
    });
    return element;
  }

  return {
    get held() {
      return held !== null;
    },
    // The scale that stays as long as a handle is held.
    get range() {
      return ground?.range ?? null;
    },
    set(next) {
      if (held !== null) return;
      points = next;
      if (layer.children.length !== points.length) put(layer, points.map((_, at) => handle(at)));
      place();
    },
    place,
    end: () => layer.remove(),
  };
}
