/** The conversation on show: what the tail says of it, and what was just sent and has not come back yet. */

import { traceparent } from "./calls.js";
import { Paint } from "./paint.js";

const AGAIN_MS = 1_000;

/** @typedef {import("./transcript.js").View} View @typedef {import("./line.js").Line} Line */

export class Conversation {
  /**
   * @param {import("./transcript.js").Transcript} transcript @param {(event: string, data: object) => void} trigger
   * @param {(name: string, data: object) => Promise<any>} call
   * @param {(view: View | null, news: string) => void} shown called after each change
   */
  constructor(transcript, trigger, call, shown) {
    this.transcript = transcript;
    this.trigger = trigger;
    this.call = call;
    this.paint = new Paint(call);
    this.shown = shown;
    this.id = null;
    /** @type {View | null} */
    this.view = null;
    /** @type {Line[]} */
    this.pending = [];
    /** @type {Map<string, "up" | "down">} given since the tail began */
    this.votes = new Map();
  }

  /** @param {string | null} id null shows none @param {string | null} token */
  show(id, token) {
    const followed = this.id;
    Object.assign(this, { id, token, view: null, pending: [] });
    this.votes.clear();
    this.transcript.clear();
    if (id || followed) this.follow();
  }

  /** Have the server send this conversation's view; without one it ends the tail that it runs for this page. */
  follow() {
    this.trigger("follow", { conversation_id: this.id, token: this.token });
  }

  /**
   * A hidden page that nothing will happen on lets go of its connection, of which a browser has six a server.
   * @param {boolean} hidden
   */
  rest(hidden) {
    if (!this.id || hidden === Boolean(this.resting)) return;
    if (hidden && (!this.view || this.view.busy || !["bot", "closed"].includes(this.view.state))) return;
    this.resting = hidden;
    if (hidden) this.trigger("follow", {});
    else this.follow();
  }

  /** @param {(View & {gone?: boolean, ended?: boolean}) | null} view */
  receive(view) {
    if (!view || view.conversation !== this.id || view.seq < (this.view?.seq ?? 0)) return;
    if (view.ended) return void setTimeout(() => view.conversation === this.id && this.follow(), AGAIN_MS);
    if (view.gone) return this.shown(null, "");
    const news = this.view ? said(view, this.view) : "";
    this.view = view;
    this.again(news);
  }

  /** Show the same once more, in another language perhaps. */
  again(news = "") {
    if (!this.view) return;
    for (const line of this.view.lines) line.vote = this.votes.get(line.id) ?? line.vote;
    this.transcript.show(this.view, this.pending);
    this.paint.shown(this.view);
    this.shown(this.view, news);
  }

  /** @param {string} message @param {"up" | "down" | undefined} value undefined takes back what was not stored */
  vote(message, value) {
    if (value) this.votes.set(message, value);
    else this.votes.delete(message);
    this.again();
  }

  /** The turn whose reply is being written. */
  get turn() {
    return this.view?.live?.turn ?? null;
  }

  /** @param {string} text resolves once it is stored */
  async send(text) {
    const { id, token, pending } = this;
    const key = crypto.randomUUID?.() ?? traceparent();
    const clicked = performance.now();
    const data = { token, conversation_id: id, text, client_turn_id: key, traceparent: traceparent() };
    const { turn_id } = await this.call("send", data);
    this.paint.sent(turn_id, { key, token, conversation: id, clicked });
    pending.push({ key, kind: "customer", text: text.trim(), at: new Date().toISOString() });
    this.again();
  }
}

/** The words that came since, for those who listen. @param {View} now @param {View} before */
function said(now, before) {
  const known = new Set(before.lines.map(({ key }) => key));
  const fresh = now.lines.filter(({ key, kind }) => !known.has(key) && kind !== "customer");
  return fresh.map(({ text }) => text).join("\n");
}
