/** The transcript: keyed lines that are brought up to date in place, never rebuilt. */

import { button, lineElement, make, showLine } from "./line.js";

const RUN_MS = 5 * 60_000;
const TYPING_MS = 6_000;

/**
 * @typedef {import("./line.js").Line} Line
 * @typedef {object} View what the server's tail sends
 * @property {string} conversation
 * @property {"bot" | "waiting" | "agent" | "closed"} state
 * @property {string | null} agent
 * @property {Line[]} lines
 * @property {{turn: string, text: string} | null} live the reply that is being written
 * @property {boolean} busy a turn has not ended
 * @property {string | null} retry the turn that may be tried again
 * @property {string | null} typing_at when an agent last typed
 */

export class Transcript {
  /** @param {HTMLElement} list @param {import("./texts.js").Texts} texts */
  constructor(list, texts) {
    this.list = list;
    this.texts = texts;
    /** @type {Map<string, HTMLLIElement>} */
    this.items = new Map();
  }

  clear() {
    this.items.clear();
    this.list.replaceChildren();
  }

  /** @param {View} view @param {Line[]} pending lines that are stored but have not come back yet */
  show(view, pending) {
    const lines = withDays(marked(this.#all(view, pending)), this.texts);
    const kept = new Set(lines.map((line) => line.key));
    for (const [key, item] of this.items) if (!kept.has(key)) this.#drop(key, item);
    let before = this.list.firstElementChild;
    for (const line of lines) {
      const item = this.items.get(line.key) ?? this.#add(line);
      if (item === before) before = before.nextElementSibling;
      else this.list.insertBefore(item, before);
      showLine(item, line, this.texts);
    }
    this.#choices(view, lines.at(-1));
  }

  /** @param {View} view @param {Line[]} pending @returns {Line[]} */
  #all(view, pending) {
    const known = new Set(view.lines.map((line) => line.key));
    const lines = view.lines.map((line) => ({ ...line, text: line.kind === "stopped" ? this.texts.say("stopped") : line.text }));
    lines.push(...pending.filter((line) => !known.has(line.key)));
    if (view.live) lines.push({ key: `reply:${view.live.turn}`, kind: "assistant", text: view.live.text, live: true });
    else if (typing(view)) lines.push({ key: "typing", kind: "agent", text: "", by: view.agent, live: true });
    return lines;
  }

  /** @param {Line} line */
  #add(line) {
    const item = lineElement(line);
    this.items.set(line.key, item);
    return item;
  }

  /** @param {string} key @param {HTMLLIElement} item */
  #drop(key, item) {
    item.remove();
    this.items.delete(key);
  }

  /** What the customer can answer with one tap, under the newest line. @param {View} view @param {Line | undefined} last */
  #choices(view, last) {
    const choices = view.busy || view.state === "closed" || !last ? [] : this.#offered(view, last);
    const shown = this.list.querySelector(".choices");
    if (shown?.dataset.state === JSON.stringify([last?.key, choices])) return;
    shown?.remove();
    if (choices.length) this.items.get(last.key).append(this.#choiceList(choices, JSON.stringify([last.key, choices])));
  }

  /** @param {View} view @param {Line} last @returns {{text: string, act: string}[]} */
  #offered(view, last) {
    // After a failure the engine may be away: offer what works without it instead of words for it to read.
    if (view.retry) {
      const retry = { text: this.texts.say("retry"), act: "retry" };
      return view.state === "bot" ? [retry, { text: this.texts.say("human"), act: "human" }] : [retry];
    }
    return (last.quick_replies ?? []).map((text) => ({ text, act: "reply" }));
  }

  /** @param {{text: string, act: string}[]} choices @param {string} state */
  #choiceList(choices, state) {
    const group = make("div", "choices");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", this.texts.say("suggestions"));
    group.dataset.state = state;
    for (const { text, act } of choices) group.append(button("pill", text, act));
    return group;
  }
}

/** @param {View} view */
function typing(view) {
  return view.typing_at !== null && Date.now() - Date.parse(view.typing_at) < TYPING_MS;
}

/** Mark where a speaker begins and ends. @param {Line[]} lines @returns {Line[]} */
function marked(lines) {
  const joined = (a, b) => a && b && a.kind === b.kind && a.by === b.by && gap(a, b) < RUN_MS;
  return lines.map((line, n) => ({ ...line, first: !joined(lines[n - 1], line), last: !joined(line, lines[n + 1]) }));
}

/** @param {Line} a @param {Line} b @returns {number} ms */
function gap(a, b) {
  return a.at && b.at ? Date.parse(b.at) - Date.parse(a.at) : 0;
}

/** Put a line with the day's name before the first line of each day. @param {Line[]} lines @param {import("./texts.js").Texts} texts */
function withDays(lines, texts) {
  let day = "";
  return lines.flatMap((line) => {
    const today = line.at ? new Date(line.at).toDateString() : day;
    if (!today || today === day) return [line];
    day = today;
    return [{ key: `day:${day}`, kind: "day", text: texts.day(new Date(line.at)) }, line];
  });
}
