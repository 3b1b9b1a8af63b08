// The record of a run, folded from its events: what counts of its epochs, what happened, what is known of its rate.

import { short } from "./schedule.js";

// Losses of single steps are thinned out when there are more of them than these.
const MOST_STEPS = 4000;

export class Record {
  constructor(name) {
    this.name = name;
    this.running = false;
    this.rates = null;
    this.clear();
  }

  clear() {
    this.epochs = [];
    this.norms = [];
    this.marks = [];
    this.steps = [];
    this.kinds = {};
    this.start = null;
    this.found = null;
    this.stop = null;
    this.paused = false;
    this.search = null;
    this.every = 1;
    this.skipped = 0;
  }

  get perEpoch() {
    return this.rates?.steps_per_epoch ?? this.start?.steps_per_epoch ?? this.epochs[0]?.step ?? 1;
  }

  get totalEpochs() {
    return Math.round((this.rates?.total_steps ?? this.start?.total_steps ?? 0) / this.perEpoch);
  }

  get step() {
    const told = this.steps.at(-1)?.[0] + 1 || 0;
    return Math.max(told, this.epochs.at(-1)?.step ?? 0);
  }

  x(step) {
    return step / this.perEpoch;
  }

  // What the server sends of a log: { anew, records, rates }.
  log({ anew, records, rates }) {
    if (anew) this.clear();
    for (const record of records) this.apply(record);
    if (rates) this.rates = rates;
  }

  goBack(step) {
    const counts = (one) => one.step <= step;
    this.epochs = this.epochs.filter(counts);
    this.norms = this.norms.filter(counts);
    this.steps = this.steps.filter(([at]) => at < step);
  }

  apply(record) {
    switch (record.event) {
      case "start":
        if (this.start) this.clear();
        this.start = record;
        break;
      case "rate":
        this.found = record;
        this.marks.push({ ...record, step: 0 });
        break;
      case "resume":
        this.goBack(record.step);
        if (!this.stop || this.stop.reason === "interrupted") this.marks.push(record);
        this.stop = null;
        break;
      case "epoch":
        this.epochs.push(record);
        break;
      case "rollback":
        this.goBack(record.to);
        this.marks.push(record);
        break;
      case "norms":
        this.norms.push(record);
        break;
      case "command":
        if (record.command.command === "pause") this.paused = true;
        if (record.command.command === "continue" || record.command.command === "end") this.paused = false;
        this.marks.push(record);
        break;
      case "stop":
        this.stop = record;
        this.paused = false;
        this.marks.push(record);
        break;
      case "cut":
      case "refused":
      case "sharpness":
      case "note":
        this.marks.push({ step: this.step, ...record });
        break;
      default:
        this.kinds[record.event] = record;
    }
  }

  // Single steps, as they are shown while the run is under way: [step, rate, loss].
  addSteps(steps) {
    for (const one of steps) {
      if (this.steps.length && one[0] <= this.steps.at(-1)[0]) this.steps = this.steps.filter(([at]) => at < one[0]);
      this.skipped = (this.skipped + 1) % this.every;
      if (this.skipped === 0) this.steps.push(one);
      if (this.steps.length > MOST_STEPS) {
        this.steps = this.steps.filter((_, at) => at % 2);
        this.every *= 2;
      }
    }
  }
}

// What happened, in a sentence.
export function sentence(record, t, number) {
  const rate = (value) => number(value, 3);
  switch (record.event) {
    case "command": {
      const { command, lr } = record.command;
      const what = t(`did-${command}`, lr && short(lr), record.command.epochs);
      return record.lr === record.lr_before ? what : t("did-changed", what, rate(record.lr_before), rate(record.lr));
    }
    case "refused":
      return t("did-refused", t(`did-${record.command.command}`, record.command.lr, record.command.epochs), record.why);
    case "cut":
      return t("did-cut", rate(record.scale), record.back_to === null ? null : record.back_to + 1);
    case "rollback":
      return t("did-rollback", t(`cause-${record.cause}`), record.step, record.to, rate(record.scale));
    case "rate":
      return t("did-rate", number(record.recommended, 3), record.rehearsals.length, record.steps, number(record.seconds, 2));
    case "resume":
      return t("did-resume", record.step);
    case "sharpness":
      return t("did-sharpness", number(record.sharpness, 3), record.ratio === null || record.ratio === undefined ? null : number(record.ratio, 3));
    case "stop": {
      const reason = typeof record.reason === "string" ? record.reason : Object.keys(record.reason)[0];
      return t(`stop-${reason}`);
    }
    default:
      return record.text ?? record.event;
  }
}

// How bad something is: what its mark and its line look like.
export function kind(record) {
  if (record.event === "rollback" || record.event === "refused") return "bad";
  if (record.event === "stop" && typeof record.reason !== "string") return "bad";
  return record.event === "command" ? "now" : "note";
}
