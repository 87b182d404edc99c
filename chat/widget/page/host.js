/**
 * The website around the frame, through its loader: it keeps what must outlive the frame, in the website's own storage.
 * What it says is believed only from the origin in our address, which is also the only one that hears us.
 *
 * @typedef {{id: string, token: string, seen: number}} Held a conversation of this visitor; `seen` is a seq
 */

const ORIGIN = new URLSearchParams(location.search).get("origin") ?? "";
const FRAMED = window.parent !== window;

export class Host {
  /** @param {Record<string, (data: any) => void>} heard by kind of message */
  constructor(heard) {
    this.held = [];
    addEventListener("message", ({ origin, source, data }) => {
      if (origin !== ORIGIN || source !== window.parent) return;
      if (typeof data?.pindesk === "string" && Object.hasOwn(heard, data.pindesk)) heard[data.pindesk](data);
    });
    // Opened as a page of its own there is nobody to keep anything.
    if (FRAMED) this.tell("ready");
    else queueMicrotask(() => heard.hello({ conversations: [], now: {}, shown: true, theme: {} }));
  }

  /** @param {string} pindesk kind of message @param {object} [data] */
  tell(pindesk, data = {}) {
    if (FRAMED && ORIGIN) window.parent.postMessage({ ...data, pindesk }, ORIGIN);
  }

  /** @param {string} name an event of the loader's `on` @param {object} [detail] */
  event(name, detail = {}) {
    this.tell("event", { name, detail });
  }

  /** @param {Held} held */
  remember(held) {
    this.held = [held, ...this.held.filter(({ id }) => id !== held.id)];
    this.tell("keep", { held: [held] });
  }

  /** @param {string[]} gone */
  forget(gone) {
    this.held = this.held.filter(({ id }) => !gone.includes(id));
    this.tell("keep", { gone });
  }

  /** For this tab only. @param {{draft?: string}} now */
  note(now) {
    this.tell("keep", { now });
  }
}
