/** Suggested replies and a summary. A suggestion is only ever put into the agent's field. */

import { button, iconButton, make } from "./element.js";

const REJECT = "M5 5l10 10M15 5L5 15";

/** @typedef {{id: string, text: string, template: string, slots: Record<string, any>, base_seq: number}} Suggestion */

export class Assist {
  /** @param {import("./api.js").Api} api @param {string} path the conversation's @param {(s: Suggestion) => void} onInsert */
  constructor(api, path, onInsert) {
    Object.assign(this, { api, path, onInsert, suggestions: [], asking: 0 });
    this.list = make("ol", { class: "suggestions", "aria-label": "Suggested replies" });
    this.note = make("p", { class: "soft", role: "status" });
    this.suggestButton = button("Suggest replies", () => this.suggest(), { class: "pill", title: "Suggest replies (s)" });
    this.sumButton = button("Sum up", () => this.sumUp(), { class: "pill", title: "Sum up (u)" });
    this.summary = make("div", { class: "summary", "aria-live": "polite" });
    this.element = make(
      "section",
      { class: "part assist", "aria-label": "Assistance" },
      make("div", { class: "assist-head" }, make("h3", {}, "Assistance"), this.sumButton, this.suggestButton),
      this.note,
      this.list,
      this.summary,
    );
  }

  /** @param {boolean} isMine whether the agent answers, and so wants replies */
  allow(isMine) {
    this.isMine = isMine;
    this.suggestButton.hidden = !isMine;
    if (!isMine) this.#clear("");
  }

  async suggest() {
    if (!this.isMine) return;
    const asked = ++this.asking;
    this.#clear("Looking for fitting replies…");
    try {
      const { data } = await this.api.post(`${this.path}/suggestions`);
      if (asked === this.asking) this.#show(data);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (asked !== this.asking) return;
      if (problem.code === "suggestion_overtaken") return this.suggest();
      this.note.textContent = problem.message;
    }
  }

  /** @param {number} at */
  insert(at) {
    const suggestion = this.suggestions[at];
    if (suggestion && this.isMine) this.onInsert(suggestion);
  }

  /** Somebody has spoken: what was suggested is withdrawn, and a customer's new words get new ones. @param {string} role */
  overtake(role) {
    this.asking += 1;
    this.withdraw();
    if (this.isMine && role === "customer") this.suggest();
  }

  withdraw() {
    if (this.suggestions.length) this.#clear("Withdrawn: the conversation has gone on.");
  }

  /** The agent has said something: nothing is open any more. */
  settle() {
    this.asking += 1;
    this.#clear("");
  }

  async sumUp() {
    this.sumButton.disabled = true;
    this.summary.replaceChildren(make("p", { class: "soft" }, "Summing up…"));
    try {
      this.summary.replaceChildren(...summaryParts(await this.api.post(`${this.path}/summary`)));
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      this.summary.replaceChildren(make("p", { class: "soft" }, problem.message));
    } finally {
      this.sumButton.disabled = false;
    }
  }

  async #reject(suggestion) {
    this.suggestions = this.suggestions.filter((each) => each !== suggestion);
    this.#paint();
    await this.api.post(`agent/suggestions/${suggestion.id}/outcome`, {}).catch(() => {});
  }

  #show(suggestions) {
    this.suggestions = suggestions;
    this.note.textContent = suggestions.length ? "" : "No template fits.";
    this.#paint();
  }

  #clear(words) {
    this.suggestions = [];
    this.note.textContent = words;
    this.#paint();
  }

  #paint() {
    this.note.hidden = !this.note.textContent;
    this.list.hidden = !this.suggestions.length;
    this.list.replaceChildren(...this.suggestions.map((each, at) => this.#card(each, at)));
  }

  #card(suggestion, at) {
    const insert = button("", () => this.insert(at), { class: "insert", "aria-label": `Insert suggestion ${at + 1}: ${suggestion.text}` });
    insert.append(make("kbd", { "aria-hidden": "true" }, String(at + 1)), make("span", { class: "suggested", dir: "auto" }, suggestion.text));
    const reject = iconButton(REJECT, `Reject suggestion ${at + 1}`, () => this.#reject(suggestion));
    return make("li", { class: "suggestion" }, insert, make("div", { class: "suggestion-foot" }, make("code", {}, suggestion.template), reject));
  }
}

/** @param {{demand: string | null, sentiment: string | null, facts: string[], promises: string[], open_questions: string[]}} told */
export function summaryParts(told) {
  const lists = { Facts: told.facts, Promised: told.promises, "Still open": told.open_questions };
  const parts = Object.entries(lists)
    .filter(([, items]) => items.length)
    .map(([title, items]) => make("section", {}, make("h4", {}, title), make("ul", {}, ...items.map((item) => make("li", { dir: "auto" }, item)))));
  return [make("h4", {}, "Wants"), make("p", { dir: "auto" }, told.demand ?? "Not known yet."), ...parts];
}
