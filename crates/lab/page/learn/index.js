// The stops for people who learn, in their order: each `{ id, title: { en, ko }, mount(element, context) }`.

import { h } from "../lib/dom.js";
import * as ball from "./ball.js";
import * as curves from "./curves.js";
import * as finder from "./finder.js";
import * as noise from "./noise.js";
import * as overfitting from "./overfitting.js";
import * as schedules from "./schedules.js";
import * as search from "./search.js";
import * as wall from "./wall.js";
import * as weights from "./weights.js";
import { words } from "./words.js";

// The styles of the figures, once they are needed.
let styled = null;

function style() {
  styled ??= new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href: "page/learn/learn.css", onload: done, onerror: done }));
  });
  return styled;
}

const stop = (id, { mount }) => ({
  id,
  title: words[`${id}.name`],
  async mount(element, context) {
    await style();
    return mount(element, context);
  },
});

export const stops = [
  stop("ball", ball),
  stop("curves", curves),
  stop("noise", noise),
  stop("schedules", schedules),
  stop("weights", weights),
  stop("overfitting", overfitting),
  stop("wall", wall),
  stop("finder", finder),
  stop("search", search),
];
