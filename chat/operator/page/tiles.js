/** The figures that are read first. */

import { make } from "./element.js";
import { counted, percent, whole } from "./numbers.js";
import { duration } from "./time.js";

export class Tiles {
  constructor() {
    this.list = make("dl", { class: "tiles" });
    this.element = make("section", { "aria-labelledby": "tiles-title" }, make("h2", { class: "unseen", id: "tiles-title" }, "Key figures"), this.list);
  }

  show(told) {
    const { first_text: first } = told;
    this.list.replaceChildren(
      tile("Conversations", whole(told.conversations), `${whole(told.ended)} over`),
      tile("Resolved", percent(told.resolution_rate), `${whole(told.resolved)} of ${whole(told.ended)} over`, told.resolution_rate),
      tile("Handed off", percent(told.handoff_rate), `${whole(told.handed_off)} of ${whole(told.conversations)}`, told.handoff_rate, "warm"),
      tile("First text", first ? duration(first.median_ms) : "–", first ? `median; p95 ${duration(first.p95_ms)}` : "no reply yet"),
      tile("From cache", percent(told.cached_share), `${short(told.cached_tokens)} of ${short(told.prompt_tokens)} tokens`, told.cached_share),
      tile("Replies", whole(told.replies), told.failed ? `${counted(told.failed, "turn")} failed` : "no turn failed"),
    );
  }
}

/** @param {number | null} [share] draws a bar @param {string} [tint] */
function tile(name, value, note, share = null, tint = "") {
  const bar = share !== null && make("span", { class: `share ${tint}` }, make("span", {}));
  if (bar) bar.firstChild.style.width = `${share * 100}%`;
  return make("div", { class: "tile" }, make("dt", {}, name), make("dd", { class: "value" }, value), make("dd", { class: "soft" }, note, bar));
}

function short(tokens) {
  return new Intl.NumberFormat([], { notation: "compact", maximumFractionDigits: 1 }).format(tokens);
}
