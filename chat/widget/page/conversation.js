/** The conversation on show: what its log says of it, and what was just sent and has not come back yet. */

import { address, call } from "./api.js";
import { traceparent } from "./calls.js";
import { Fold } from "./fold.js";
import { Paint } from "./paint.js";
import { Tail } from "./tail.js";

/** @typedef {import("./fold.js").View} View @typedef {import("./host.js").Held} Held */

export class Conversation {
  /**
   * @param {import("./transcript.js").Transcript} transcript
   * @param {(view: View) => void} shown called after each change
   * @param {(state: import("./tail.js").TailState, status?: number) => void} connection
   */
  constructor(transcript, shown, connection) {
    Object.assign(this, { transcript, shown, connection, pending: [] });
    this.paint = new Paint((name, { conversation_id, token, ...body }) =>
      call("POST", `conversations/${conversation_id}/${name}`, { token, body }),
    );
  }

  get id() {
    return this.held?.id ?? null;
  }

  /** @param {Held | null} held null shows none @param {Record<string, "up" | "down">} [votes] */
  show(held, votes = {}) {
    this.tail?.stop();
    this.transcript.clear();
    Object.assign(this, { held, view: null, pending: [], fold: held && new Fold(held.id, votes) });
    if (held) this.follow(0);
  }

  /** Go on with another token. @param {string} token */
  renew(token) {
    this.held.token = token;
    this.tail?.stop();
    this.follow(this.view?.seq ?? 0);
  }

  /** @param {number} after */
  follow(after) {
    const { fold } = this;
    const event = (each) => {
      fold.apply(each);
      this.#soon();
    };
    this.tail = new Tail(address(`conversations/${this.id}/events`), this.held.token, event, this.connection);
    this.tail.start(after);
  }

  /** What arrives at once is shown at once; frames do not come while nobody looks, so they are not waited for. */
  #soon() {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      this.again();
    });
  }

  /** Show the same once more, in another language perhaps. */
  again() {
    if (!this.fold) return;
    this.view = this.fold.view();
    const known = new Set(this.view.lines.map(({ key }) => key));
    this.pending = this.pending.filter(({ key }) => !known.has(key));
    this.transcript.show(this.view, this.pending);
    this.paint.shown(this.view);
    this.shown(this.view);
  }

  /** @param {string} message @param {"up" | "down" | null} value */
  vote(message, value) {
    this.fold.votes[message] = value;
    for (const line of this.fold.lines.values()) if (line.id === message) line.vote = value;
    this.again();
  }

  /** @param {string} text resolves once it is stored; sent again after a lost answer it is the same message */
  async send(text) {
    const { id, token } = this.held;
    if (this.unsure?.text !== text) this.unsure = { text, key: crypto.randomUUID?.() ?? traceparent() };
    const { key } = this.unsure;
    const clicked = performance.now();
    const body = { text, client_turn_id: key };
    const { turn_id } = await call("POST", `conversations/${id}/turns`, { token, body, headers: { traceparent: traceparent() } });
    this.unsure = undefined;
    this.paint.sent(turn_id, { key, token, conversation: id, clicked });
    this.pending.push({ key, kind: "customer", text: text.trim(), at: new Date().toISOString() });
    this.again();
  }

  /** @param {"POST" | "GET" | "DELETE"} method @param {string} path below the conversation @param {object} [body] */
  call(method, path, body) {
    return call(method, `conversations/${this.id}${path}`, { token: this.held.token, body });
  }
}
