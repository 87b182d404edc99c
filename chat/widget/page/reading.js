/** Up to where the conversation has been read: tells the website what is new, and those who listen what comes. */

import { Announcer } from "./announcer.js";

/** @typedef {import("./fold.js").View} View */

export class Reading {
  /** @param {HTMLElement} region for the announcer @param {import("./visitor.js").Visitor} visitor */
  constructor(region, visitor) {
    this.announcer = new Announcer(region);
    Object.assign(this, { visitor, host: visitor.host, shown: false, unread: 0, known: 0, seen: 0, view: null });
    document.addEventListener("visibilitychange", () => this.look());
  }

  /** Whether somebody looks at the page now. */
  get looked() {
    return this.shown && !document.hidden;
  }

  /** @param {import("./host.js").Held | null} held @param {number} known the seq up to which nothing is news */
  begin(held, known) {
    Object.assign(this, { held, known, seen: Math.min(held?.seen ?? 0, known), view: null });
    this.announcer.begin(known);
  }

  /** Somebody looks, or does not any more. What came meanwhile is there to be read, not to be announced. @param {boolean} [shown] */
  look(shown = this.shown) {
    this.shown = shown;
    this.announcer.begin(Math.max(this.view?.seq ?? 0, this.known));
    if (this.view) this.follow(this.view);
  }

  /** @param {View} view */
  follow(view) {
    this.view = view;
    if (this.looked) this.announcer.follow(view);
    const lines = view.lines.filter(({ kind }) => !["customer", "stopped"].includes(kind));
    for (const { seq, id, kind } of lines) if (seq > this.known) this.host.event("message", { id, role: kind });
    const newest = lines.at(-1)?.seq ?? 0;
    this.known = Math.max(this.known, newest);
    if (this.looked && newest > this.seen) this.#saw(newest);
    this.#count(this.looked ? 0 : lines.filter(({ seq }) => seq > this.seen).length);
    this.#watch(view.busy || ["waiting", "agent"].includes(view.state));
  }

  #saw(seq) {
    this.seen = seq;
    if (this.held.token !== this.visitor.person) this.host.remember({ ...this.held, seen: seq });
  }

  #count(count) {
    if (count !== this.unread) this.host.tell("unread", { count });
    this.unread = count;
  }

  /** Something is still to come: on the website's next page the frame has to be there. */
  #watch(watch) {
    if (watch !== this.watching) this.host.tell("keep", { watch });
    this.watching = watch;
  }
}
