/** The open conversation: its transcript, who answers it, what the agent does in it. */

import { API } from "./api.js";
import { Assist } from "./assist.js";
import { Composer } from "./composer.js";
import { ask } from "./dialogs.js";
import { Details } from "./details.js";
import { iconButton, make } from "./element.js";
import { Tail } from "./tail.js";
import { Transcript } from "./transcript.js";
import { showTrace } from "./waterfall.js";

const BACK = "M12 4l-6 6 6 6";
const REREAD_MS = 120;

/** Those after which the view has to be read again: everything that is kept. */
const PASSING = new Set(["reply.delta", "reply.reset", "typing"]);

export class Conversation {
  /**
   * @param {import("./api.js").Api} api @param {{name: string}} me @param {string} id
   * @param {import("./keys.js").Keys} keys @param {() => void} onBack
   */
  constructor(api, me, id, keys, onBack) {
    Object.assign(this, { api, me, id, keys, path: `agent/conversations/${encodeURIComponent(id)}` });
    this.transcript = new Transcript((turn) => this.showTrace(turn));
    this.details = new Details();
    this.assist = new Assist(api, this.path, (suggestion) => this.composer.insert(suggestion));
    this.composer = new Composer({
      send: (text, suggestion) => this.#send(text, suggestion),
      typing: () => this.api.post(`conversations/${encodeURIComponent(id)}/typing`).catch(() => {}),
      take: () => this.takeOver(),
      back: () => this.handBack(),
      end: () => this.end(),
    });
    this.heading = make("h2", { class: "demand", tabIndex: -1, dir: "auto" });
    this.presence = make("p", { class: "presence", role: "status" });
    this.trouble = make("p", { class: "trouble", role: "alert", hidden: true });
    this.element = this.#frame(onBack);
  }

  async start() {
    this.opened = this.#read();
    await this.opened;
    if (!this.view) return;
    this.tail = new Tail(
      new URL(`conversations/${encodeURIComponent(this.id)}/events`, API).href,
      this.api.token,
      (event) => this.#hear(event),
      () => {},
    );
    this.tail.start(this.view.last_seq);
  }

  leave() {
    this.left = true;
    this.tail?.stop();
    clearTimeout(this.rereading);
    clearTimeout(this.typed);
  }

  focus() {
    if (this.isMine) this.composer.focus();
    else this.heading.focus();
  }

  write() {
    if (this.isMine) this.composer.focus();
  }

  get isMine() {
    return this.view?.state === "agent" && this.view.agent === this.me.name;
  }

  async takeOver() {
    // Whoever is quicker than the first view is not to be ignored.
    await this.opened;
    if (!["bot", "waiting"].includes(this.view?.state)) return;
    await this.#act(() => this.api.post(`${this.path}/takeover`));
    if (this.isMine) {
      this.composer.focus();
      this.assist.suggest();
    }
  }

  async handBack() {
    if (!this.isMine) return;
    const note = await ask({
      title: "Hand back to the bot",
      label: "Note for the bot",
      hint: "The bot reads it before its next reply. The customer does not see it.",
      act: "Hand back",
    });
    if (note === null) return;
    await this.#act(() => this.api.post(`${this.path}/handback`, note.trim() ? { note } : {}));
    this.heading.focus();
  }

  async end() {
    if (!this.isMine) return;
    const sure = await ask({ title: "End this conversation?", hint: "The customer is told and can begin a new one.", act: "End" });
    if (sure !== null) await this.#act(() => this.api.post(`conversations/${encodeURIComponent(this.id)}/close`));
  }

  /** @param {string} [turn] the last reply's without it */
  showTrace(turn) {
    const newest = this.view?.messages.findLast((message) => message.role === "assistant");
    const asked = turn ? this.view?.messages.find((message) => message.turn_id === turn && message.role === "assistant") : newest;
    if (asked) showTrace(this.api, asked);
  }

  async #send(text, suggestion) {
    const sent = await this.#act(() => this.api.post(`${this.path}/messages`, suggestion ? { text, suggestion } : { text }));
    if (sent) this.assist.settle();
    return sent;
  }

  /** @returns {Promise<boolean>} whether it was done; a refusal is shown, with what is now true */
  async #act(call) {
    this.trouble.hidden = true;
    let done = true;
    try {
      await call();
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      done = false;
      this.#complain(problem);
    }
    await this.#read();
    return done;
  }

  #complain(problem) {
    if (problem.code === "suggestion_overtaken") this.assist.withdraw();
    this.trouble.textContent = problem.message;
    this.trouble.hidden = false;
  }

  /** @param {import("./tail.js").LogEvent} event */
  #hear({ kind, payload }) {
    if (kind === "reply.delta") this.transcript.grow(payload.turn_id, payload.text);
    else if (kind === "reply.reset") this.transcript.reset(payload.turn_id);
    else if (kind === "typing" && payload.role === "customer") this.#showTyping();
    if (PASSING.has(kind)) return;
    if (kind === "turn.started" || kind === "reply.done" || kind === "message") this.#overtaken(payload.message);
    this.readSoon();
  }

  /** Something of it has changed: once for several changes in a row. */
  readSoon() {
    clearTimeout(this.rereading);
    this.rereading = setTimeout(() => this.#read(), REREAD_MS);
  }

  /** Somebody has spoken: what was suggested before no longer fits. @param {{role: string}} message */
  #overtaken({ role }) {
    if (role === "system") return;
    if (role !== "agent") this.composer.overtake();
    this.assist.overtake(role);
  }

  #showTyping() {
    clearTimeout(this.typed);
    this.transcript.typing(true);
    this.typed = setTimeout(() => this.transcript.typing(false), 4000);
  }

  async #read() {
    try {
      const view = await this.api.get(this.path);
      if (!this.left && view.last_seq >= (this.view?.last_seq ?? 0)) this.#show(view);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (problem.status === 404) this.#gone();
      else this.#complain(problem);
    }
  }

  #gone() {
    this.leave();
    this.element.replaceChildren(make("p", { class: "nothing", role: "status" }, "This conversation is gone: it was deleted, or it is none of yours."));
  }

  #show(view) {
    this.view = view;
    this.heading.textContent = view.demand ?? "What is wanted is not known yet";
    this.presence.replaceChildren(make("span", { class: `dot ${view.state}` }), this.#presenceWords());
    this.transcript.show(view.messages);
    this.details.show(view);
    this.assist.allow(this.isMine);
    this.composer.show(view.state, this.isMine, view.agent);
  }

  #presenceWords() {
    const { state, agent, site } = this.view;
    const words = { bot: "The bot answers", waiting: "Waits for an agent; the bot still answers", closed: "Closed" };
    return `${state === "agent" ? (this.isMine ? "You answer" : `${agent} answers`) : words[state]} · ${site}`;
  }

  #frame(onBack) {
    const back = iconButton(BACK, "Back to the queue (Esc)", onBack, { class: "tool back" });
    const head = make("header", { class: "talk-head" }, back, make("div", { class: "talk-title" }, this.heading, this.presence));
    const talk = make("section", { class: "talk", "aria-label": "Transcript" }, head, this.transcript.element, this.trouble, this.composer.element);
    const beside = make("aside", { class: "beside", "aria-label": "Assistance and details" }, this.assist.element, this.details.element);
    return make("div", { class: "conversation" }, talk, beside);
  }
}
