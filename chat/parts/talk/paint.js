/** Tells the server when a reply came into sight, counted from the click: the last span of the turn's trace. */

/** @typedef {{key: string, token: string, conversation: string, clicked: number}} Waiting `clicked` in ms */

export class Paint {
  /** @param {(name: string, data: object) => Promise<any>} call */
  constructor(call) {
    this.call = call;
    /** @type {Map<string, Waiting>} by turn */
    this.waiting = new Map();
  }

  /** @param {string} turn @param {Waiting} waiting */
  sent(turn, waiting) {
    this.waiting.set(turn, waiting);
  }

  /** The next frame paints this view. @param {import("./transcript.js").View} view */
  shown(view) {
    if (this.waiting.size) requestAnimationFrame((at) => this.#look(view, at));
  }

  /** @param {import("./transcript.js").View} view @param {number} at */
  #look(view, at) {
    const keys = new Set(view.lines.map(({ key }) => key));
    for (const [turn, waiting] of this.waiting) {
      const seen = keys.has(`reply:${turn}`) || (view.live?.turn === turn && view.live.text !== "");
      if (seen) this.#tell(turn, waiting, at);
      if (seen || (keys.has(waiting.key) && !view.busy)) this.waiting.delete(turn);
    }
  }

  /** @param {string} turn @param {Waiting} waiting @param {number} at */
  #tell(turn, { token, conversation, clicked }, at) {
    const data = { token, conversation_id: conversation, turn_id: turn, first_text_ms: at - clicked };
    this.call("painted", data).catch(() => {});
  }
}
