// Searches for settings: how they went, which settings mattered, and what is good where.

import { get } from "./lib/api.js";
import { chart, colour } from "./lib/chart.js";
import { h, put, s } from "./lib/dom.js";
import { number } from "./lib/format.js";

// A study may be under way: it is asked for anew so often, in milliseconds.
const AGAIN = 3000;

export async function show(element, context) {
  return context.rest[0] ? one(element, context, context.rest[0]) : list(element, context);
}

async function list(element, { t, address }) {
  const studies = await get("studies");
  put(
    element,
    h("h1", {}, t("searches")),
    studies.length
      ? h(
          "table",
          {},
          h("thead", {}, h("tr", {}, h("th.text", { scope: "col" }, t("search")), h("th", { scope: "col" }, t("trials")), h("th", { scope: "col" }, t("best-value")))),
          h(
            "tbody",
            {},
            studies.map(({ name, trials, best, error }) =>
              h("tr", {}, h("td.text", {}, h("a", { href: address(["studies", name]) }, name), error ? h("p.error", {}, error) : null), h("td", {}, trials), h("td", {}, number(best))),
            ),
          ),
        )
      : h("p.empty", {}, t("no-searches")),
  );
  return null;
}

async function one(element, { t, state, setState, address }, name) {
  let study = await get(`study/${encodeURIComponent(name)}`);
  const intro = h("p.soft", { role: "status" });
  const grid = h("div.grid");
  const lines = h("figure.chart.wide");
  const bars = h("figure.chart");
  const map = h("figure.chart");
  const table = h("div.scroll.short", { tabindex: "0", role: "region", "aria-label": t("trials") });
  put(element, h("div.title", {}, h("h1", {}, name), h("a", { href: address(["studies"]) }, t("searches"))), intro, lines, grid, h("section", {}, h("h2", {}, t("best-trials")), table));
  const history = chart(grid, {
    title: t("history"),
    xFormat: (x) => t("trial-number", x),
    series: [{ label: t("value"), colour: colour(0), width: 0.01, points: true }, { label: t("best-so-far"), colour: colour(1), width: 2 }],
  });
  grid.append(bars, map);
  const brushes = new Map();
  let axes = [state.x, state.y];

  const better = (a, b) => (study.higher_is_better ? a > b : a < b);
  const valued = () => study.trials.filter(({ value }) => value !== null);

  // Where a value lies on its axis, from 0 to 1.
  function place(axis, value) {
    if (value === null) return null;
    if (axis.options) return axis.options.length > 1 ? axis.options.indexOf(String(value)) / (axis.options.length - 1) : 0.5;
    const f = axis.log ? Math.log : (v) => v;
    const [low, high] = [f(axis.low), f(axis.high)];
    return high > low ? (f(value) - low) / (high - low) : 0.5;
  }

  // How good a trial is among all, from 0, the best, to 1.
  function ranks() {
    const ordered = valued().sort((a, b) => (better(a.value, b.value) ? -1 : 1));
    return new Map(ordered.map(({ number }, at) => [number, at / Math.max(1, ordered.length - 1)]));
  }

  const shade = (rank) => `color-mix(in oklab, ${colour(1)} ${Math.round(100 * (1 - rank))}%, ${colour(0)})`;

  function draw() {
    const all = valued();
    const best = study.trials.find(({ number }) => number === study.best);
    intro.textContent = t("study-intro", study.trials.length, all.length, best ? number(best.value) : "–");
    let so = null;
    history.set(
      all.map(({ number }) => number),
      [all.map(({ value }) => value), all.map(({ value }) => (so = so === null || better(value, so) ? value : so))],
    );
    drawLines();
    drawBars();
    drawMap();
    drawTable();
  }

  function drawLines() {
    const height = 260;
    const columns = [...study.space.map((axis, at) => ({ ...axis, of: (trial) => place(axis, trial.settings[at]), text: (trial) => trial.settings[at] })), valueAxis()];
    // Names of axes need room: where there is none, it is looked at by moving it sideways.
    const width = Math.max(lines.clientWidth - 18, columns.length * 90);
    const x = (at) => 30 + (at / (columns.length - 1)) * (width - 60);
    const y = (share) => height - 24 - share * (height - 60);
    const rank = ranks();
    const passes = (trial) => [...brushes].every(([at, [low, high]]) => {
      const share = columns[at]?.of(trial);
      return share !== null && share !== undefined && share >= low && share <= high;
    });
    const drawn = valued().sort((a, b) => rank.get(b.number) - rank.get(a.number));
    const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("parallel") });
    svg.style.width = `${width}px`;
    for (const trial of drawn) {
      const points = columns.map((axis, at) => [x(at), axis.of(trial)]).filter(([, share]) => share !== null && share !== undefined);
      const line = s("polyline.trial", { points: points.map(([x, share]) => `${x.toFixed(1)},${y(share).toFixed(1)}`).join(" ") }, s("title", {}, t("trial-is", trial.number, number(trial.value))));
      line.style.stroke = shade(rank.get(trial.number));
      line.style.opacity = passes(trial) ? 0.85 : 0.06;
      svg.append(line);
    }
    columns.forEach((axis, at) => {
      const low = axis.options ? axis.options[0] : number(axis.low, 3);
      const high = axis.options ? axis.options.at(-1) : number(axis.high, 3);
      const anchor = at === 0 ? "start" : at === columns.length - 1 ? "end" : "middle";
      const edge = at === 0 ? x(at) - 26 : at === columns.length - 1 ? x(at) + 26 : x(at);
      svg.append(
        s("line.axis", { x1: x(at), x2: x(at), y1: y(0), y2: y(1) }),
        s("text", { x: edge, y: 14, "text-anchor": anchor }, axis.name),
        s("text.soft", { x: edge, y: 28, "text-anchor": anchor }, high ?? ""),
        s("text.soft", { x: edge, y: height - 6, "text-anchor": anchor }, low ?? ""),
      );
      const brush = brushes.get(at);
      if (brush) svg.append(s("rect.brush", { x: x(at) - 7, width: 14, y: y(brush[1]), height: y(brush[0]) - y(brush[1]) }));
      const grip = s("rect.grip", { x: x(at) - 12, width: 24, y: y(1), height: y(0) - y(1) });
      let from = null;
      const share = (event) => {
        const box = svg.getBoundingClientRect();
        const at = ((event.clientY - box.top) / box.height) * height;
        return Math.min(1, Math.max(0, (height - 24 - at) / (height - 60)));
      };
      grip.addEventListener("pointerdown", (event) => {
        grip.setPointerCapture(event.pointerId);
        from = share(event);
      });
      grip.addEventListener("pointerup", (event) => {
        if (from === null) return;
        const to = share(event);
        if (Math.abs(to - from) < 0.02) brushes.delete(at);
        else brushes.set(at, [Math.min(from, to), Math.max(from, to)]);
        from = null;
        drawLines();
      });
      svg.append(grip);
    });
    put(lines, h("figcaption.legend", {}, h("h3", {}, t("parallel")), h("span.soft", {}, t("brush-hint")), brushes.size ? h("button", { type: "button", onclick: () => { brushes.clear(); drawLines(); } }, t("clear")) : null), h("div.sideways", { tabindex: "0", role: "region", "aria-label": t("parallel") }, svg));
  }

  function valueAxis() {
    const values = valued().map(({ value }) => value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return { name: t("value"), low, high, log: false, options: null, of: ({ value }) => (high > low ? (value - low) / (high - low) : 0.5) };
  }

  function drawBars() {
    const most = Math.max(...study.importance.map(([, share]) => share), 1e-9);
    put(
      bars,
      h("figcaption.legend", {}, h("h3", {}, t("importance")), h("span.soft", {}, t("importance-help"))),
      study.importance.length
        ? study.importance.map(([key, share]) => {
            const fill = h("span.fill");
            fill.style.width = `${(100 * share) / most}%`;
            return h("div.share", {}, h("span", {}, key), h("span.track", {}, fill), h("b", {}, `${(100 * share).toFixed(0)}%`));
          })
        : h("p.empty", {}, t("importance-few")),
    );
  }

  function drawMap() {
    const names = study.space.map(({ name }) => name);
    const important = study.importance.map(([key]) => key);
    const first = names.includes(axes[0]) ? axes[0] : (important[0] ?? names[0]);
    const second = names.includes(axes[1]) ? axes[1] : (important.find((key) => key !== first) ?? names.find((key) => key !== first) ?? first);
    const [i, j] = [names.indexOf(first), names.indexOf(second)];
    const [a, b] = [study.space[i], study.space[j]];
    const [width, height] = [420, 280];
    const rank = ranks();
    const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("map") }, s("rect.frame", { x: 44, y: 8, width: width - 56, height: height - 42 }));
    const x = (share) => 52 + share * (width - 72);
    const y = (share) => height - 42 - share * (height - 58);
    for (const trial of valued().sort((p, q) => rank.get(q.number) - rank.get(p.number))) {
      const [u, v] = [place(a, trial.settings[i]), place(b, trial.settings[j])];
      if (u === null || v === null) continue;
      const dot = s("circle", { cx: x(u), cy: y(v), r: trial.number === study.best ? 6 : 3.5 }, s("title", {}, t("trial-is", trial.number, number(trial.value))));
      dot.style.fill = shade(rank.get(trial.number));
      svg.append(dot);
    }
    const ends = (axis) => (axis.options ? [axis.options[0], axis.options.at(-1)] : [number(axis.low, 3), number(axis.high, 3)]);
    const [[xl, xh], [yl, yh]] = [ends(a), ends(b)];
    svg.append(
      s("text.soft", { x: 46, y: height - 20 }, xl), s("text.soft", { x: width - 12, y: height - 20, "text-anchor": "end" }, xh),
      s("text.soft", { x: 40, y: height - 36, "text-anchor": "end" }, yl), s("text.soft", { x: 40, y: 18, "text-anchor": "end" }, yh),
      s("text", { x: width / 2, y: height - 6, "text-anchor": "middle" }, first),
    );
    const choose = (at, label) =>
      h(
        "select",
        {
          "aria-label": label,
          onchange: (event) => {
            axes[at] = event.target.value;
            setState({ x: axes[0], y: axes[1] });
            drawMap();
          },
        },
        names.map((key) => h("option", { value: key, selected: key === [first, second][at] }, key)),
      );
    axes = [first, second];
    put(map, h("figcaption.legend", {}, h("h3", {}, t("map")), choose(0, t("across")), choose(1, t("upwards")), h("span.soft", {}, t("map-help"))), svg);
  }

  function drawTable() {
    const rank = ranks();
    const best = valued().sort((a, b) => rank.get(a.number) - rank.get(b.number)).slice(0, 50);
    put(
      table,
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("trial")), h("th", { scope: "col" }, t("value")), h("th", { scope: "col" }, t("epochs")), h("th.text", { scope: "col" }, t("state")), study.space.map(({ name }) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, best.map((trial) => h("tr", {}, h("td", {}, trial.number), h("td", {}, number(trial.value)), h("td", {}, `${trial.epochs} / ${study.epochs}`), h("td.text", {}, t(`trial-${trial.state}`)), trial.settings.map((value) => h("td", {}, typeof value === "number" ? number(value, 3) : (value ?? "–")))))),
      ),
    );
  }

  draw();
  const resized = new ResizeObserver(() => drawLines());
  resized.observe(lines.parentNode);
  const clock = setInterval(async () => {
    if (document.hidden) return;
    try {
      const next = await get(`study/${encodeURIComponent(name)}`);
      if (JSON.stringify(next) !== JSON.stringify(study)) {
        study = next;
        draw();
      }
    } catch {
      // The server may be gone; what is drawn stays.
    }
  }, AGAIN);
  return () => {
    clearInterval(clock);
    resized.disconnect();
    history.destroy();
  };
}
