// The table of all runs of the folder, as they are now.

import { listen, post } from "./lib/api.js";
import { spark } from "./lib/chart.js";
import { h, put } from "./lib/dom.js";
import { ago, metric, number, percent, score } from "./lib/format.js";

const ROW = 30; // the height of a row in pixels, as in the style
const STATES = ["running", "finished", "stopped-early", "ended", "interrupted", "diverged", "crashed", "broken"];
const MOST_DIFFERENT = 8;

export function show(element, context) {
  const { t, lang, state, setState, tell, address } = context;
  const rows = new Map();
  const chosen = new Set((state.chosen ?? "").split(",").filter(Boolean));
  let jobs = [];
  let base = {};
  let order = [];
  let looked = false;
  let differing = [];
  let drawn = null;
  let sort = state.sort ?? "changed";
  let up = state.up === "1";
  let query = state.find ?? "";
  let only = state.state ?? "";

  const search = h("input", {
    type: "search",
    value: query,
    placeholder: t("find-runs"),
    "aria-label": t("find-runs"),
    oninput: (event) => {
      query = event.target.value;
      setState({ find: query });
      arrange();
    },
  });
  const states = h(
    "select",
    {
      "aria-label": t("state"),
      onchange: (event) => {
        only = event.target.value;
        setState({ state: only });
        arrange();
      },
    },
    h("option", { value: "" }, t("all-states")),
    STATES.map((name) => h("option", { value: name, selected: name === only }, t(`state-${name}`))),
  );
  const count = h("span.soft", { role: "status" });
  const compare = h("button", { type: "button", disabled: true, onclick: () => (location.hash = address(["compare"], { runs: JSON.stringify([...chosen]) })) });
  const failures = h("div.failures");
  const head = h("thead");
  const above = h("tr.space", { "aria-hidden": "true" });
  const below = h("tr.space", { "aria-hidden": "true" });
  const body = h("tbody");
  const table = h("table.runs", {}, head, body);
  const scroll = h("div.scroll", { tabindex: "0", role: "region", "aria-label": t("runs"), onscroll: () => draw() }, table);
  put(element, h("div.bar", {}, search, states, compare, count), failures, scroll);

  const columns = () => [
    { key: "name", label: t("run"), of: (run) => run.name, cell: (run) => h("a", { href: address(["run", run.name]) }, run.name), text: true },
    { key: "state", label: t("state"), of: (run) => STATES.indexOf(run.state), cell: (run) => badge(run), text: true },
    { key: "data", label: t("data"), of: (run) => run.data ?? "", cell: (run) => run.data ?? "–", text: true },
    { key: "score", label: t("score"), of: (run) => score(run.metrics)?.value ?? -Infinity, cell: metrics },
    { key: "loss", label: t("valid-loss"), of: (run) => run.valid_loss ?? Infinity, cell: (run) => number(run.valid_loss) },
    { key: "curve", label: t("curve"), cell: (run) => spark(run.curve) },
    { key: "epochs", label: t("epochs"), of: (run) => run.epochs, cell: (run) => `${run.epochs}${run.total_epochs ? ` / ${run.total_epochs}` : ""}` },
    ...differing.map((key) => ({ key: `=${key}`, label: short(key), title: key, of: (run) => sortable(setting(run, key)), cell: (run) => clip(setting(run, key) ?? "–"), text: true })),
    { key: "tags", label: t("tags"), of: (run) => run.tags.join(" "), cell: tags, text: true },
    { key: "changed", label: t("changed"), of: (run) => run.changed, cell: (run) => ago(run.changed, lang) },
  ];

  const short = (key) => key.replace(/^(training|network|data)\./, "");
  const clip = (text) => h("span.clip", { title: text }, text);
  const setting = (run, key) => (key in run.settings ? run.settings[key] : (base[key] ?? null));
  const sortable = (text) => (text !== null && text !== "" && Number.isFinite(Number(text)) ? Number(text) : (text ?? ""));

  function badge(run) {
    const name = run.state;
    return h(`span.badge.${name}`, { title: run.why }, t(`state-${name}`));
  }

  function metrics(run) {
    const found = score(run.metrics);
    if (!found) return "–";
    const value = found.key === "accuracy" ? percent(found.value) : number(found.value);
    const all = Object.entries(run.metrics).filter(([, value]) => typeof value === "number");
    return h("span", { title: all.map(([key, value]) => `${metric(key, t)} ${number(value)}`).join("\n") }, value, h("small", {}, ` ${metric(found.key, t)}`));
  }

  function tags(run) {
    const edit = () => editNotes(run);
    const label = t("edit-notes", run.name);
    return h("button.tags", { type: "button", onclick: edit, title: run.note || label, "aria-label": label }, run.tags.map((tag) => h("span.tag", {}, tag)), run.note ? h("span.note", {}, "✎") : null, run.tags.length || run.note ? null : "+");
  }

  function editNotes(run) {
    const tags = h("input", { id: "tags", value: run.tags.join(", ") });
    const note = h("textarea", { id: "note", rows: 5 });
    note.value = run.note;
    const dialog = h(
      "dialog",
      { onclose: () => dialog.remove() },
      h(
        "form",
        {
          method: "dialog",
          onsubmit: async (event) => {
            event.preventDefault();
            try {
              await post(`run/${encodeURIComponent(run.name)}/notes`, { tags: tags.value.split(","), note: note.value });
              dialog.close();
            } catch (error) {
              tell(error.message, "error");
            }
          },
        },
        h("h2", {}, run.name),
        h("label", { for: "tags" }, t("tags-help"), tags),
        h("label", { for: "note" }, t("note"), note),
        h("div.bar", {}, h("button.main", { type: "submit" }, t("save")), h("button", { type: "button", onclick: () => dialog.close() }, t("cancel"))),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  }

  function arrange() {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (run) => {
      if (only && run.state !== only) return false;
      if (!words.length) return true;
      const text = [run.name, run.data, run.state, run.note, ...run.tags, ...differing.map((key) => `${short(key)}=${setting(run, key)}`)].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    };
    order = [...rows.values()].filter(has);
    const column = columns().find(({ key }) => key === sort) ?? columns().at(-1);
    const of = column.of ?? ((run) => run.name);
    order.sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      const by = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), lang, { numeric: true });
      return (up ? by : -by) || a.name.localeCompare(b.name);
    });
    count.textContent = looked ? t("run-count", order.length, rows.size) : t("reading", rows.size);
    drawn = null;
    drawHead();
    draw();
  }

  function drawHead() {
    compare.textContent = t("compare-chosen", chosen.size);
    compare.disabled = chosen.size < 2;
    put(
      head,
      h(
        "tr",
        {},
        h("th", {}, h("span.unseen", {}, t("choose"))),
        columns().map(({ key, label, title, of, text }) =>
          h(
            "th",
            { class: text ? "text" : "", scope: "col", title, "aria-sort": key === sort ? (up ? "ascending" : "descending") : null },
            of
              ? h(
                  "button.sort",
                  {
                    type: "button",
                    onclick: () => {
                      [sort, up] = key === sort ? [sort, !up] : [key, Boolean(text) || key === "loss"];
                      setState({ sort, up: up ? "1" : "" });
                      arrange();
                    },
                  },
                  label,
                  key === sort ? (up ? " ▲" : " ▼") : "",
                )
              : label,
          ),
        ),
      ),
    );
  }

  // Only rows that can be seen are elements: there may be thousands.
  function draw() {
    const height = scroll.clientHeight || 600;
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 12);
    const last = Math.min(order.length, first + Math.ceil(height / ROW) + 24);
    if (drawn && drawn[0] === first && drawn[1] === last) return;
    drawn = [first, last];
    if (!order.length) {
      put(body, h("tr", {}, h("td.empty", { colspan: 20 }, rows.size || !looked ? (looked ? t("none-found") : t("reading", rows.size)) : t("no-runs"))));
      return;
    }
    above.style.height = `${first * ROW}px`;
    below.style.height = `${(order.length - last) * ROW}px`;
    const shown = columns();
    put(body, above, order.slice(first, last).map((run) => row(run, shown)), below);
  }

  function row(run, shown) {
    const check = h("input", {
      type: "checkbox",
      "aria-label": t("choose-run", run.name),
      onchange: (event) => {
        if (event.target.checked) chosen.add(run.name);
        else chosen.delete(run.name);
        setState({ chosen: [...chosen].join(",") });
        drawHead();
      },
    });
    check.checked = chosen.has(run.name);
    return h("tr", {}, h("td", {}, check), shown.map(({ cell, text }) => h("td", { class: text ? "text" : "" }, cell(run))));
  }

  // The settings of which runs have several values, those with the fewest values first.
  function findDifferent() {
    const values = new Map();
    for (const run of rows.values()) {
      for (const [key, value] of Object.entries(run.settings)) {
        // These have columns of their own.
        if (key === "data.from" || key === "training.epochs") continue;
        if (!values.has(key)) values.set(key, new Map());
        const seen = values.get(key);
        seen.set(value, (seen.get(value) ?? 0) + 1);
      }
    }
    const told = [...values].map(([key, seen]) => [key, [...seen.values()].reduce((a, b) => a + b, 0)]);
    const varies = told.filter(([key, number]) => number < rows.size || values.get(key).size > 1);
    varies.sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
    differing = varies.slice(0, MOST_DIFFERENT).map(([key]) => key);
  }

  let planned = false;
  const later = () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      findDifferent();
      arrange();
    });
  };

  const told = new Set();
  const end = listen(
    "runs/events",
    {
      runs: ({ base: its, gone, runs, looked: whole }) => {
        base = its ?? {};
        for (const name of gone) rows.delete(name);
        for (const run of runs) rows.set(run.name, run);
        looked ||= whole;
        later();
      },
      jobs: (all) => {
        jobs = all;
        const wrong = jobs.filter(({ error, name }) => error && !rows.has(name));
        put(failures, wrong.map(({ name, error }) => h("p.error", {}, h("b", {}, name), ": ", error)));
        for (const { name, error } of jobs) {
          if (error && rows.has(name) && !told.has(name)) tell(`${name}: ${error}`, "error");
          if (error) told.add(name);
        }
      },
    },
    () => rows.clear(),
  );
  const resized = new ResizeObserver(() => {
    drawn = null;
    draw();
  });
  resized.observe(scroll);
  const clock = setInterval(() => {
    drawn = null;
    draw();
  }, 15000);
  arrange();
  return () => {
    end();
    resized.disconnect();
    clearInterval(clock);
  };
}
