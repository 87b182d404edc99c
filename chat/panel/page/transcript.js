/** The transcript as agents read it: every line, and under the bot's replies what they are made of. */

import { make } from "./element.js";
import { makings, markedText } from "./makings.js";
import { clock } from "./time.js";

export class Transcript {
  /** @param {(turn: string) => void} onTrace */
  constructor(onTrace) {
    this.onTrace = onTrace;
    this.nodes = new Map();
    this.live = new Map();
    this.lines = make("ol", { class: "lines" });
    const log = make("div", { role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": "Messages" }, this.lines);
    this.dots = make("p", { class: "typing soft", hidden: true }, "The customer is writing…");
    this.element = make("div", { class: "transcript", tabIndex: 0, role: "region", "aria-label": "Messages, scrollable" }, log, this.dots);
  }

  /** @param {object[]} messages those of the agent's view */
  show(messages) {
    const isAtEnd = this.#isAtEnd();
    const replied = new Set(messages.filter(({ role }) => role === "assistant").map(({ turn_id }) => turn_id));
    for (const turn of this.live.keys()) if (replied.has(turn)) this.reset(turn);
    for (const message of messages) this.#place(message);
    if (isAtEnd || messages.length !== this.count) this.#toEnd();
    this.count = messages.length;
  }

  /** More text of a reply that is being written. */
  grow(turn, text) {
    this.#followed(() => this.#bubbleOf(turn).append(text));
  }

  #bubbleOf(turn) {
    if (!this.live.has(turn)) {
      const bubble = make("div", { class: "bubble", dir: "auto" });
      const node = make("li", { class: "line assistant live", "aria-hidden": "true" }, make("p", { class: "by" }, "Bot, writing"), bubble);
      this.live.set(turn, node);
      this.lines.append(node);
    }
    return this.live.get(turn).lastChild;
  }

  reset(turn) {
    this.live.get(turn)?.remove();
    this.live.delete(turn);
  }

  /** @param {boolean} on */
  typing(on) {
    this.#followed(() => (this.dots.hidden = !on));
  }

  #place(message) {
    const written = JSON.stringify(message);
    const before = this.nodes.get(message.id);
    if (before?.dataset.written === written) return;
    const node = this.#line(message);
    node.dataset.written = written;
    this.nodes.set(message.id, node);
    if (before) {
      if (before.querySelector("details")?.open) node.querySelector("details")?.setAttribute("open", "");
      before.replaceWith(node);
    } else {
      this.lines.insertBefore(node, this.live.values().next().value ?? null);
    }
  }

  #line(message) {
    const isNote = message.staff;
    const by = isNote ? `Note for the bot` : { customer: "Customer", assistant: "Bot", agent: "Agent", system: "Notice" }[message.role];
    const bubble = make("div", { class: "bubble", dir: "auto" }, ...markedText(message));
    const head = make("p", { class: "by" }, by, " ", make("time", { dateTime: message.created_at }, clock(message.created_at)));
    const node = make("li", { class: `line ${isNote ? "note" : message.role}`, data: { seq: message.seq } }, head, bubble);
    if (message.role === "assistant") node.append(makings(message, () => this.onTrace(message.turn_id)));
    return node;
  }

  /** Makes a change; whoever read the end before it reads the end after it, however much came. */
  #followed(change) {
    const isAtEnd = this.#isAtEnd();
    change();
    if (isAtEnd) this.#toEnd();
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  #toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }
}
