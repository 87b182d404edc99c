/** Where the agent writes. What is written is sent by the agent only. */

import { button, make } from "./element.js";

const TYPING_EVERY_MS = 2000;

export class Composer {
  /**
   * @param {{send: (text: string, suggestion: string | null) => Promise<boolean>, typing: () => void,
   *   take: () => void, back: () => void, end: () => void}} acts
   */
  constructor(acts) {
    this.acts = acts;
    this.suggestion = null;
    this.text = make("textarea", { rows: 2, placeholder: "Write to the customer", "aria-label": "Your reply", dir: "auto" });
    this.origin = make("p", { class: "soft origin", "aria-live": "polite" });
    this.sendButton = make("button", { type: "submit", class: "solid" }, "Send");
    const back = button("Hand back", acts.back, { class: "pill", title: "Hand back to the bot (h)" });
    const end = button("End", acts.end, { class: "pill", title: "End the conversation (e)" });
    this.form = make("form", { class: "writing", on: { submit: (event) => this.#submit(event) } }, this.text, this.origin, make("div", { class: "acts" }, end, back, this.sendButton));
    this.words = make("p", { class: "soft" });
    this.take = button("Take over", acts.take, { class: "solid", title: "Take over (t)" });
    this.silent = make("div", { class: "silent" }, this.words, this.take);
    this.element = make("div", { class: "composer" }, this.silent, this.form);
    this.text.addEventListener("input", () => this.#wrote());
    this.text.addEventListener("keydown", (event) => this.#press(event));
  }

  /** @param {string} state @param {boolean} isMine @param {string | null} agent */
  show(state, isMine, agent) {
    this.form.hidden = !isMine;
    this.silent.hidden = isMine;
    this.take.hidden = !["bot", "waiting"].includes(state);
    this.words.textContent = { closed: "This conversation is closed.", agent: `${agent} has this conversation.` }[state] ?? "The bot falls silent when you take over.";
    if (state === "closed") this.text.value = "";
  }

  focus() {
    this.text.focus();
  }

  /** Put a suggestion into the field, to be edited and sent. @param {{id: string, text: string}} suggestion */
  insert(suggestion) {
    this.suggestion = suggestion;
    this.text.value = suggestion.text;
    this.text.focus();
    this.#wrote();
  }

  /** The customer has gone on: a draft that is only a suggestion is withdrawn, own words stay. */
  overtake() {
    if (!this.suggestion) return;
    const isOwn = this.text.value.trim() !== this.suggestion.text.trim();
    if (!isOwn) this.text.value = "";
    this.suggestion = null;
    this.#wrote();
    this.origin.textContent = isOwn ? "The conversation has gone on: read it before you send this." : "The draft was withdrawn: the conversation has gone on.";
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    if (!text || this.sendButton.disabled) return;
    this.sendButton.disabled = true;
    try {
      if (await this.acts.send(text, this.suggestion?.id ?? null)) this.text.value = "";
      this.suggestion = null;
    } finally {
      this.sendButton.disabled = false;
      this.#wrote();
      this.text.focus();
    }
  }

  #press(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) this.form.requestSubmit();
  }

  #wrote() {
    if (!this.text.value.trim()) this.suggestion = null;
    const edited = this.suggestion && this.text.value.trim() !== this.suggestion.text.trim();
    this.origin.textContent = this.suggestion ? `${edited ? "Edited from" : "Inserted from"} ${this.suggestion.template}. Nothing is sent until you send it.` : "";
    this.text.rows = Math.min(8, Math.max(2, Math.ceil(this.text.value.length / 60)));
    if (this.text.value && Date.now() - (this.typedAt ?? 0) > TYPING_EVERY_MS) {
      this.typedAt = Date.now();
      this.acts.typing();
    }
  }
}
