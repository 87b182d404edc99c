/** The trace of a reply: one bar a span from the click to the engine, and how much of the prompt was cached. */

import { button, make } from "./element.js";
import { duration } from "./time.js";

const AGAIN_MS = 800;
const MOST_READS = 8;

const ABOUT = {
  turn: "from acceptance to the end",
  store: "read the conversation",
  assemble: "put the prompt together",
  fold: "sum up a long history",
  route: "choose a replica",
  llm_request: "the engine",
  commit: "store the reply",
  settle: "store what the staff is told",
  paint: "until the customer saw text",
};

/** @param {import("./api.js").Api} api @param {object} message the assistant's */
export async function showTrace(api, message) {
  const body = make("div", { class: "waterfall", role: "region", "aria-label": "Spans", tabIndex: 0 }, make("p", { class: "soft" }, "Reading…"));
  const dialog = make("dialog", { class: "trace", "aria-labelledby": "trace-title" });
  const words = make("ul", { class: "explained", "aria-label": "In words" });
  dialog.append(
    make("h2", { id: "trace-title" }, "Trace ", make("code", {}, message.template ?? "")),
    tokens(message.usage),
    words,
    body,
    make("p", { class: "soft" }, "Trace id ", make("code", {}, message.trace_id ?? "unknown")),
    button("Close", () => dialog.close(), { class: "pill", autofocus: true }),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  for (let read = 0; read < MOST_READS && dialog.isConnected; read += 1) {
    const trace = await api.get(`agent/turns/${encodeURIComponent(message.turn_id)}/trace`).catch(() => null);
    const told = await api.get(`agent/turns/${encodeURIComponent(message.turn_id)}/explanation`).catch(() => null);
    if (trace) body.replaceChildren(...rows(trace));
    words.replaceChildren(...(told?.sentences ?? []).map((sentence) => make("li", {}, sentence)));
    if (trace?.complete) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** The prompt as a bar: what the replica held already, what it had to read. */
function tokens(usage) {
  const { prompt_tokens: prompt, cached_tokens: cached, completion_tokens: written } = usage ?? {};
  if (!prompt) return make("p", { class: "soft" }, "The engine counted no tokens.");
  const share = Math.round((100 * (cached ?? 0)) / prompt);
  const bar = make("div", { class: "tokens", role: "img", "aria-label": `${share} % of the prompt was cached` }, make("span", { class: "cached" }));
  bar.firstChild.style.width = `${share}%`;
  return make("div", { class: "token-row" }, bar, make("p", { class: "soft" }, `${cached ?? 0} of ${prompt} prompt tokens from cache (${share} %), ${written ?? 0} written`));
}

function rows({ spans, complete }) {
  if (!spans.length) return [make("p", { class: "soft" }, "No span has arrived yet.")];
  const begin = Math.min(...spans.map(({ start_ns }) => start_ns));
  const whole = Math.max(...spans.map(({ end_ns }) => end_ns)) - begin || 1;
  const depths = new Map();
  for (const span of spans) depths.set(span.span_id, (depths.get(span.parent_id) ?? -1) + 1);
  const table = make("ol", {}, ...ordered(spans).map((span) => row(span, depths.get(span.span_id), begin, whole)));
  return complete ? [table] : [table, make("p", { class: "soft" }, "The engine's part has not arrived yet.")];
}

/** Parents before their children, each with its own in order of time. */
function ordered(spans) {
  const known = new Set(spans.map(({ span_id }) => span_id));
  const below = (id) => spans.filter(({ parent_id }) => (known.has(parent_id) ? parent_id : null) === id).flatMap((span) => [span, ...below(span.span_id)]);
  return below(null);
}

function row(span, depth, begin, whole) {
  const took = duration((span.end_ns - span.start_ns) / 1e6);
  const bar = make("span", { class: `bar ${kind(span)}` });
  bar.style.insetInlineStart = `${(100 * (span.start_ns - begin)) / whole}%`;
  bar.style.width = `max(3px, ${(100 * (span.end_ns - span.start_ns)) / whole}%)`;
  const name = make("span", { class: "span-name" }, make("span", {}, span.name), make("span", { class: "soft" }, ABOUT[span.name] ?? (span.name.startsWith("chat") ? "one attempt" : span.service)));
  name.style.paddingInlineStart = `${depth * 0.875}rem`;
  const moments = span.events.map((moment) => tick(moment, begin, whole));
  return make("li", { title: note(span) }, name, make("span", { class: "track" }, bar, ...moments), make("span", { class: "took" }, took));
}

/** A timed event of the span: a line on its bar, its name and time when it is pointed at. */
function tick({ name, time_ns: at }, begin, whole) {
  const line = make("span", { class: "moment", title: `${name.replaceAll("_", " ")} after ${duration((at - begin) / 1e6)}` });
  line.style.insetInlineStart = `${(100 * (at - begin)) / whole}%`;
  return line;
}

function kind(span) {
  if (span.attributes["error.type"]) return "failed";
  return span.name === "llm_request" ? "engine" : span.name.startsWith("chat") ? "attempt" : "";
}

function note({ attributes }) {
  const told = { replica: attributes["pindesk.replica.id"], why: attributes["pindesk.placement.reason"], error: attributes["error.type"] };
  return Object.entries(told)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
}
