/** The calls to the server. Each either answers or throws a Refusal, also when nobody answers. */

const PATIENCE_MS = 15_000;

export class Refusal extends Error {
  /** @param {{code: string, retry_after_s?: number, limit?: number}} refused */
  constructor({ code, retry_after_s, limit }) {
    super(code);
    this.code = code;
    this.retryAfterS = retry_after_s;
    this.limit = limit;
  }

  /** @param {import("./texts.js").Texts} texts @returns {string} a sentence for the customer */
  sentence(texts) {
    const seconds = this.retryAfterS ?? 1;
    const minutes = Math.ceil(seconds / 60);
    const long = this.code === "too_many_requests" && seconds > 90 ? "_minutes" : "";
    const key = `errors.${this.code}${long}`;
    return texts.say(texts.knows(key) ? key : "errors.unknown", { seconds, minutes, limit: this.limit });
  }
}

/**
 * @param {Record<string, (data: object) => Promise<object | undefined>>} server Gradio's bridge; it answers
 *   `undefined` when the request failed
 * @returns {(name: string, data: object) => Promise<any>}
 */
export function callsTo(server) {
  return async (name, data) => {
    const answer = await Promise.race([server[name](data), after(PATIENCE_MS)]);
    if (answer === undefined) throw new Refusal({ code: "unreachable" });
    if (answer.refused) throw new Refusal(answer.refused);
    return answer;
  };
}

/** @param {number} ms @returns {Promise<undefined>} */
function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}

/** A W3C traceparent: the click is where the turn's trace begins. */
export function traceparent() {
  const hex = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (b) => b.toString(16).padStart(2, "0")).join("");
  return `00-${hex(16)}-${hex(8)}-01`;
}
