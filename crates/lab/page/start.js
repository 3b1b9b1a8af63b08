// Beginning a run: data, settings with their defaults and their help, and the program's own words if it cannot be.

import { get, post, send } from "./lib/api.js";
import { h, put } from "./lib/dom.js";

// What most people set; the rest is a click away.
const FIRST = ["epochs", "lr", "hidden", "optimizer", "batch", "seed", "target", "preset"];

export async function show(element, context) {
  const { t, tell, address, state } = context;
  const { form, can_begin: can } = await get("form");
  const values = {};
  const wrong = h("p.error", { role: "alert", hidden: true });
  const columns = h("datalist", { id: "columns" });
  const data = h("input", { id: "data", list: "datasets", value: state.data ?? "", required: true, placeholder: t("data-place"), autocomplete: "off" });
  const name = h("input", { id: "name", placeholder: t("name-place"), autocomplete: "off" });
  const file = h("input", { type: "file", accept: ".csv,.tsv,.txt,.gz", id: "file", onchange: (event) => take(event.target.files[0]) });
  const kept = h("p.soft", { role: "status" });
  const command = h("code.spec");
  const go = h("button.main", { type: "submit", disabled: !can }, t("train"));

  const drop = h(
    "div.drop",
    {
      ondragover: (event) => {
        event.preventDefault();
        drop.classList.add("over");
      },
      ondragleave: () => drop.classList.remove("over"),
      ondrop: (event) => {
        event.preventDefault();
        drop.classList.remove("over");
        take(event.dataTransfer.files[0]);
      },
    },
    h("label", { for: "data" }, t("data"), data),
    h("p", {}, h("label", { for: "file" }, t("drop-here"), " "), file),
    kept,
  );

  async function take(one) {
    if (!one) return;
    kept.textContent = t("taking", one.name);
    try {
      const { path, head } = await send("upload", one, { name: one.name });
      data.value = path;
      kept.textContent = t("taken", path);
      const [first = ""] = head.split(/\r?\n/);
      const mark = [",", ";", "\t", "|"].map((mark) => [first.split(mark).length, mark]).sort((a, b) => b[0] - a[0])[0][1];
      put(columns, first.split(mark).map((column) => h("option", { value: column.trim().replace(/^"|"$/g, "") })));
      say();
    } catch (error) {
      kept.textContent = "";
      complain(error.message);
    }
  }

  function complain(text) {
    wrong.textContent = text;
    wrong.hidden = !text;
    if (text) wrong.scrollIntoView({ block: "nearest" });
  }

  function say() {
    const words = Object.entries(values).map(([key, value]) => (value === true ? `--${key}` : `--${key} ${/^[\w.,:%-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`}`));
    command.textContent = ["downhill train", data.value || "DATA", ...words].join(" ");
  }
  data.addEventListener("input", say);

  function field(one) {
    const id = `set-${one.name}`;
    const help = h("small", { id: `${id}-help` }, one.help);
    const set = (value) => {
      if (value === "" || value === false) delete values[one.name];
      else values[one.name] = value;
      say();
    };
    let input;
    if (!one.value) {
      input = h("input", { type: "checkbox", id, "aria-describedby": `${id}-help`, onchange: (event) => set(event.target.checked) });
    } else if (one.choices.length) {
      input = h("select", { id, "aria-describedby": `${id}-help`, onchange: (event) => set(event.target.value) }, h("option", { value: "" }, one.default ? t("default-is", one.default) : t("default")), one.choices.map((choice) => h("option", { value: choice }, choice)));
    } else {
      const list = ["target", "exclude"].includes(one.name) ? "columns" : null;
      input = h("input", { id, list, placeholder: one.default ?? "", autocomplete: "off", "aria-describedby": `${id}-help`, oninput: (event) => set(event.target.value.trim()) });
    }
    return h("div.field", {}, h("label", { for: id }, one.name, " ", h("span.soft", {}, one.value ?? "")), input, help);
  }

  const first = FIRST.map((wanted) => form.fields.find((one) => one.name === wanted)).filter(Boolean);
  const others = form.fields.filter((one) => !first.includes(one));
  const groups = [...new Set(others.map((one) => one.group))];
  put(
    element,
    h("h1", {}, t("start")),
    can ? null : h("p.error", {}, t("cannot-begin")),
    h(
      "form.start",
      {
        onsubmit: async (event) => {
          event.preventDefault();
          complain("");
          go.disabled = true;
          go.textContent = t("beginning");
          try {
            const { name: begun } = await post("start", { data: data.value.trim(), name: name.value.trim(), settings: values });
            location.hash = address(["run", begun]);
          } catch (error) {
            complain(error.message);
            tell(t("not-begun"), "error");
          }
          go.disabled = false;
          go.textContent = t("train");
        },
      },
      h("datalist", { id: "datasets" }, form.data.map(({ name, about }) => h("option", { value: name }, about))),
      columns,
      drop,
      h("div.field", {}, h("label", { for: "name" }, t("run-name")), name),
      h("fieldset", {}, h("legend", {}, t("often-set")), first.map(field)),
      groups.map((group) => h("details", {}, h("summary", {}, group), h("div.fields", {}, others.filter((one) => one.group === group).map(field)))),
      h("p", {}, command),
      wrong,
      h("div.bar", {}, go, h("span.soft", {}, t("help-in-english"))),
    ),
  );
  say();
  return null;
}
