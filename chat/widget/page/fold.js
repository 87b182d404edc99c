/**
 * A conversation as it is shown, folded from its events: the same View that `chat/browser/view.py` makes.
 *
 * @typedef {import("./transcript.js").View & {away: string | null, left: boolean}} View
 *   `away` says why nobody is there, `left` that the customer has left a message for those who will be
 */

export class Fold {
  /** @param {string} id @param {Record<string, "up" | "down">} votes by message */
  constructor(id, votes) {
    this.votes = votes;
    this.live = new Map();
    this.lines = new Map();
    this.now = { conversation: id, seq: 0, state: "bot", agent: null, away: null, left: false, retry: null, typing_at: null };
  }

  /** @returns {View} */
  view() {
    const [turn, text] = this.live.entries().next().value ?? [];
    const live = turn === undefined ? null : { turn, text };
    const retry = ["bot", "waiting"].includes(this.now.state) ? this.now.retry : null;
    return { ...this.now, retry, lines: [...this.lines.values()], live, busy: this.live.size > 0 };
  }

  /** @param {import("./tail.js").LogEvent} event in order of seq */
  apply({ seq, kind, payload }) {
    this.now.seq = seq;
    this.kinds[kind]?.(payload, payload.turn_id);
  }

  kinds = {
    // A turn that is tried again starts a second time.
    "turn.started": ({ client_turn_id, message }, turn) => {
      this.live.set(turn, "");
      this.now.retry = null;
      this.lines.delete(`stopped:${turn}`);
      this.#add(client_turn_id, message);
    },
    "reply.delta": ({ text }, turn) => this.live.set(turn, (this.live.get(turn) ?? "") + text),
    "reply.reset": (_, turn) => this.live.set(turn, ""),
    "reply.done": ({ message }, turn) => {
      this.live.delete(turn);
      this.#add(`reply:${turn}`, message);
    },
    // With a reason it was not the customer who stopped the turn, and there is nothing to try again.
    "turn.stopped": ({ reason }, turn) => {
      this.live.delete(turn);
      this.now.left ||= reason === "left";
      if (reason !== undefined) return;
      this.now.retry = turn;
      const key = `stopped:${turn}`;
      this.lines.set(key, { key, kind: "stopped", text: "", seq: this.now.seq });
    },
    "turn.failed": (_, turn) => {
      this.live.delete(turn);
      this.now.retry = turn;
    },
    message: ({ message }) => {
      this.now.left ||= message.role === "customer";
      this.#add(message.id, message);
    },
    handoff: ({ state, agent = null, away = null }) => Object.assign(this.now, { state, agent, away, left: false }),
    typing: ({ role }) => role === "agent" && (this.now.typing_at = new Date().toISOString()),
    "conversation.closed": () => (this.now.state = "closed"),
  };

  #add(key, { id, seq, role, content, created_at, quick_replies }) {
    const by = role === "agent" ? this.now.agent : null;
    this.lines.set(key, { key, kind: role, id, seq, text: content, at: created_at, quick_replies, by, vote: this.votes[id] ?? null });
    if (role === "agent") this.now.typing_at = null;
  }
}
