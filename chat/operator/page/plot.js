/** One plot: the drawing, what the pointer is on in words, and everything as a table for those who do not see it. */

import { frame } from "./chart.js";
import { make } from "./element.js";

const DAY_MS = 20 * 3600 * 1000;
let count = 0;

/**
 * @typedef {object} Kind
 * @property {string} title @property {[string, string][]} legend class and words
 * @property {string[]} columns of the table @property {(slot: object) => string[]} cells
 * @property {(slot: object) => string} words @property {(slot: object) => number} top what the scale has to hold
 * @property {number} least what it holds at least
 * @property {(value: number) => string} steps how the scale is written @property {boolean} [isWhole]
 * @property {(slots: object[], x: Function, y: Function, width: number) => SVGElement[]} draw
 */
export class Plot {
  /** @param {Kind} kind */
  constructor(kind) {
    this.kind = kind;
    const id = `plot-${++count}`;
    this.stage = make("div", { class: "stage-of-plot" });
    this.caption = make("p", { class: "soft reading" });
    this.table = make("table", {});
    const legend = make("ul", { class: "legend", "aria-hidden": "true" }, ...kind.legend.map(([name, words]) => make("li", { class: name }, words)));
    const details = make("details", {}, make("summary", {}, "As a table"), make("div", { class: "rolls", role: "region", "aria-label": `${kind.title}, table`, tabIndex: 0 }, this.table));
    this.element = make("section", { class: "card plot", "aria-labelledby": id }, make("div", { class: "card-head" }, make("h2", { id }, kind.title), legend), this.stage, this.caption, details);
    new ResizeObserver(() => this.#draw()).observe(this.stage);
  }

  /** @param {object[]} slots @param {number} begun how many of them have begun @param {string} zone */
  show(slots, begun, zone) {
    Object.assign(this, { slots, begun, zone });
    this.isDays = new Date(slots[0].ends) - new Date(slots[0].begins) > DAY_MS;
    this.#draw();
    this.#tabulate();
  }

  #draw() {
    const width = this.stage.clientWidth;
    if (!this.slots || width === 0) return;
    const { kind, slots } = this;
    const known = slots.slice(0, this.begun);
    const label = `${kind.title} by ${this.isDays ? "day" : "hour"}. ${this.#inWords(known)}`;
    const drawing = frame({
      width, label, draw: kind.draw, slots, known, isWhole: kind.isWhole, steps: kind.steps,
      top: Math.max(kind.least, ...slots.map(kind.top)),
      names: slots.map((slot) => this.#name(slot, true)),
      onPoint: (slot) => this.#read(slot),
    });
    this.stage.replaceChildren(drawing);
    this.#read(null);
  }

  #inWords(known) {
    const told = known.filter((slot) => this.kind.top(slot) > 0);
    return told.length ? told.map((slot) => `${this.#name(slot)}: ${this.kind.words(slot)}`).join("; ") : "Nothing yet.";
  }

  #read(slot) {
    const shown = slot ?? this.slots[this.begun - 1];
    this.caption.textContent = `${this.#name(shown)}: ${this.kind.words(shown)}`;
  }

  #tabulate() {
    const { kind } = this;
    const head = make("tr", {}, ...[this.isDays ? "Day" : "Hour", ...kind.columns].map((name) => make("th", { scope: "col" }, name)));
    const rows = this.slots.slice(0, this.begun).map((slot) => make("tr", {}, make("th", { scope: "row" }, this.#name(slot)), ...kind.cells(slot).map((cell) => make("td", {}, cell))));
    this.table.replaceChildren(make("caption", { class: "unseen" }, kind.title), make("thead", {}, head), make("tbody", {}, ...rows));
  }

  /** @param {boolean} [isShort] as it stands on the axis */
  #name({ begins }, isShort = false) {
    const at = new Date(begins);
    const day = isShort ? { day: "numeric", month: "numeric" } : { weekday: "short", day: "numeric", month: "short" };
    if (this.isDays) return at.toLocaleDateString([], { ...day, timeZone: this.zone });
    return at.toLocaleTimeString([], { hour: "numeric", ...(isShort ? {} : { minute: "2-digit" }), timeZone: this.zone });
  }
}
