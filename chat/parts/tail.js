/**
 * Follows an event stream by fetch (an EventSource cannot send a token). After every break it comes back where it was.
 *
 * @typedef {{seq: number, kind: string, payload: any}} LogEvent
 * @typedef {"connecting" | "live" | "lost" | "refused"} TailState `refused` is the end: the server will not have us
 */

const SILENT_MS = 45_000; // three of the server's pings
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Strangers to the stream get no second answer; everything else may pass. */
const FINAL = new Set([401, 403, 404, 410, 422]);

export class Tail {
  /**
   * @param {string} url @param {string} token
   * @param {(event: LogEvent) => void} onEvent @param {(state: TailState, status?: number) => void} onState
   */
  constructor(url, token, onEvent, onState) {
    Object.assign(this, { url, token, onEvent, onState, pauseMs: FIRST_PAUSE_MS, failures: 0 });
    this.wake = () => this.#hurry?.();
  }

  /** @type {(() => void) | undefined} ends the present pause */
  #hurry;

  /** @param {number} after the newest seq that is known already */
  async start(after = 0) {
    this.seq = after;
    addEventListener("online", this.wake);
    while (!this.stopped) {
      const status = await this.#visit();
      if (this.stopped) return;
      if (FINAL.has(status)) return this.#end(status);
      this.onState("lost");
      await this.#pause();
    }
  }

  stop() {
    this.stopped = true;
    this.controller?.abort();
    removeEventListener("online", this.wake);
    this.wake();
  }

  #end(status) {
    this.stop();
    this.onState("refused", status);
  }

  /** One connection, from beginning to end. @returns {Promise<number>} the status, 0 for none */
  async #visit() {
    this.controller = new AbortController();
    this.onState("connecting");
    this.#listen();
    try {
      const headers = { Accept: "text/event-stream", ...(this.token && { Authorization: `Bearer ${this.token}` }) };
      const credentials = this.token ? "omit" : "same-origin";
      const options = { headers, cache: "no-store", credentials, signal: this.controller.signal };
      const answer = await fetch(`${this.url}?after=${this.seq}`, options);
      if (!answer.ok) return answer.status;
      this.failures = 0;
      this.onState("live");
      await this.#read(answer.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch {
      // Broken off, silent for too long, or stopped.
    } finally {
      clearTimeout(this.silence);
      this.controller.abort();
    }
    return 0;
  }

  /** @param {ReadableStreamDefaultReader<string>} reader */
  async #read(reader) {
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.#listen();
      const blocks = (rest + part.value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) this.#hear(block);
    }
  }

  /** A connection on which not even pings arrive is dead, whatever the system says. */
  #listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.controller.abort(), SILENT_MS);
  }

  /** @param {string} block the lines of one event */
  #hear(block) {
    const fields = {};
    for (const line of block.split(/\r?\n/)) {
      // Not `.`, which stops at U+2028: people may write it.
      const [, name, value] = /^(\w+): ?([^]*)$/.exec(line) ?? [];
      if (name) fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
    }
    if (fields.retry) this.pauseMs = Number(fields.retry) || this.pauseMs;
    if (fields.data === undefined || this.stopped) return;
    if (fields.id) this.seq = Number(fields.id);
    this.onEvent({ seq: this.seq, kind: fields.event, payload: JSON.parse(fields.data) });
  }

  /** Longer after each failure in a row, and never all browsers at the same moment. */
  #pause() {
    const longest = Math.min(this.pauseMs * 2 ** this.failures++, LONGEST_PAUSE_MS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2));
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
