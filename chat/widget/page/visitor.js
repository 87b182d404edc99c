/**
 * Who is in front of the page: somebody who holds the tokens of some conversations, or a person whom the website has
 * proved. A person's token is good for all their conversations, those of other devices too.
 *
 * @typedef {import("./host.js").Held} Held
 * @typedef {{id: string, state: string, last_seq: number, updated_at: string}} Summary
 */

import { call } from "./api.js";

export class Visitor {
  /** @param {string} site @param {import("./host.js").Host} host */
  constructor(site, host) {
    Object.assign(this, { site, host, person: "", identified: false });
  }

  get #tokens() {
    return [this.person, ...this.host.held.map(({ token }) => token)].filter(Boolean);
  }

  /** The visitor's conversations, newest first. @returns {Promise<Summary[]>} */
  async conversations() {
    if (!this.#tokens.length) return [];
    const token = this.#tokens.join(", ");
    try {
      const { data } = await call("GET", "conversations?limit=200", { token });
      const known = new Set(data.map(({ id }) => id));
      const gone = this.host.held.map(({ id }) => id).filter((id) => !known.has(id));
      if (gone.length) this.host.forget(gone);
      return data.filter(({ site }) => site === this.site);
    } catch (refusal) {
      if (refusal.code !== "unauthorized") throw refusal;
      this.forget();
      return [];
    }
  }

  /** @param {string} id @returns {Held} */
  hold(id) {
    return this.host.held.find((held) => held.id === id) ?? { id, token: this.person, seen: Infinity };
  }

  /** Begin a conversation. @param {string} locale @returns {Promise<Held>} */
  async open(locale) {
    const { id, token } = await call("POST", "conversations", { token: this.person, body: { site: this.site, locale } });
    const held = { id, token, seen: 0 };
    if (this.person) this.person = token;
    else this.host.remember(held);
    return held;
  }

  /**
   * Show the website's word for who this is; what was begun without it, now belongs to them.
   * @param {string | null} begun the id of a conversation that is going on
   * @returns {Promise<boolean>} whether the server believes it
   */
  async prove(begun) {
    const identity = await this.#word();
    if (!identity) return false;
    const held = this.host.held.find(({ id }) => id === begun);
    try {
      const answer = held
        ? await call("POST", `conversations/${begun}/identify`, { token: held.token, body: { identity } })
        : await call("POST", "identify", { body: { site: this.site, identity } });
      if (held) this.host.forget([begun]);
      // Kept by nobody: the next page asks again, and who was signed in before is not taken for who is now.
      this.person = answer.token;
    } catch (refusal) {
      if (refusal.code === "unreachable" || refusal.code === "unavailable") throw refusal;
      this.host.event("error", { code: refusal.code });
      return false;
    }
    return true;
  }

  /** Ask the website once, however many wait for the answer. @returns {Promise<string | null>} */
  #word() {
    return (this.asked ??= new Promise((resolve) => {
      this.answer = (token) => {
        this.asked = undefined;
        resolve(token);
      };
      this.host.tell("identity");
    }));
  }

  /** Nothing of this visitor stays here. */
  forget() {
    this.host.forget(this.host.held.map(({ id }) => id));
    this.person = "";
  }
}
