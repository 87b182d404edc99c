/** What a reply is made of: its template, and where each value in it comes from. */

import { button, make } from "./element.js";
import { sentimentMark } from "./sentiment.js";
import { duration } from "./time.js";

/** By a slot's `source`. */
const SOURCES = {
  copied: { label: "copied", about: "in the customer's own words" },
  choice: { label: "choice", about: "one of a closed list" },
  fact: { label: "looked up", about: "from your systems" },
  generated: { label: "generated", about: "the model's own words" },
};

/** The text with the values in it marked by their source. @returns {(string | Node)[]} */
export function markedText(message) {
  const values = Object.values(message.slots ?? {}).filter(({ value }) => typeof value === "string" && value.length > 1);
  let parts = [message.content];
  for (const { value, source } of values.sort((a, b) => b.value.length - a.value.length)) {
    parts = parts.flatMap((part) => (typeof part === "string" ? marked(part, value, source) : [part]));
  }
  return parts;
}

function marked(text, value, source) {
  const pieces = text.split(value);
  return pieces.flatMap((piece, at) => (at ? [make("mark", { class: source, title: SOURCES[source].label }, value), piece] : [piece]));
}

/** @param {object} message an assistant's @param {() => void} onTrace */
export function makings(message, onTrace) {
  const details = make("details", { class: "makings" }, make("summary", {}, make("code", {}, message.template ?? "no template"), sentimentMark(message.sentiment), figures(message)));
  const rows = [...slotRows(message.slots ?? {}), ...facts(message)];
  details.append(rows.length ? make("dl", {}, ...rows) : "", button("Trace", onTrace, { class: "link" }));
  return details;
}

function slotRows(slots) {
  return Object.entries(slots).map(([name, { value, source }]) => {
    const { label, about } = SOURCES[source] ?? { label: source, about: "" };
    return row(name, [make("span", { dir: "auto" }, value === null ? "not given" : String(value)), " ", make("span", { class: `source ${source}`, title: about }, label)]);
  });
}

function facts(message) {
  const { action, action_reason: reason, demand, lookup, replica, placement, attempts } = message;
  return [
    demand && row("demand", [make("span", { dir: "auto" }, demand)]),
    action && row("action", [reason ? `${action}, ${reason.replaceAll("_", " ")}` : action]),
    lookup && row("lookup", [`${lookup.name}, ${lookup.outcome.replaceAll("_", " ")}`]),
    replica && row("replica", [`${replica}, ${(placement ?? "").replaceAll("_", " ")}${attempts > 1 ? `, ${attempts} attempts` : ""}`]),
  ].filter(Boolean);
}

function row(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, ...value));
}

/** Time to the first text and the cached share, in words. */
function figures({ ttfv_ms: first, usage }) {
  const cached = usage?.prompt_tokens ? `${Math.round((100 * (usage.cached_tokens ?? 0)) / usage.prompt_tokens)} % cached` : null;
  return make("span", { class: "soft" }, [first && `first text ${duration(first)}`, cached].filter(Boolean).join(" · "));
}
