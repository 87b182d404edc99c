/** The replicas: what each is doing, and emptying one before its process is stopped. */

import { ask } from "./dialogs.js";
import { button, make } from "./element.js";
import { counted, percent } from "./numbers.js";

const STATES = {
  starting: "starting", warming: "warming up", ready: "ready", draining: "draining", suspect: "suspect", down: "down",
};

export class Replicas {
  /** @param {import("./api.js").Api} api @param {(words: string, isTrouble?: boolean) => void} say */
  constructor(api, say) {
    this.api = api;
    this.say = say;
    this.cards = new Map();
    this.list = make("ul", { class: "replicas" });
    this.element = make("section", { class: "card", "aria-labelledby": "replicas-title" }, make("div", { class: "card-head" }, make("h2", { id: "replicas-title" }, "Replicas")), this.list);
  }

  async read() {
    const { data } = await this.api.get("replicas");
    this.known = data;
    for (const id of this.cards.keys()) if (!data.some((each) => each.id === id)) this.#drop(id);
    for (const replica of data) this.#card(replica).show(replica);
  }

  #drop(id) {
    this.cards.get(id).element.remove();
    this.cards.delete(id);
  }

  #card({ id }) {
    if (!this.cards.has(id)) {
      const card = new Card((replica) => this.#turn(replica));
      this.cards.set(id, card);
      this.list.append(card.element);
    }
    return this.cards.get(id);
  }

  /** Drain, or take that back, if the operator says so once more. */
  async #turn({ id, state, pins }) {
    const others = this.known.filter((each) => each.id !== id && each.state === "ready").length;
    const drains = state !== "draining";
    const moves = others ? `Its ${counted(pins, "conversation")} move${pins === 1 ? "s" : ""} to the others between the turns.` : "No other replica is ready: it goes on serving what comes.";
    const asked = drains
      ? { title: `Drain ${id}?`, act: "Drain", hint: `It takes no new conversations. ${moves} This lasts until it is taken back, or the replica restarts.` }
      : { title: `Let ${id} serve again?`, act: "Serve again", hint: "It takes new conversations. Those that have moved stay where they are." };
    if ((await ask(asked)) === null) return;
    try {
      await this.api.call(drains ? "POST" : "DELETE", `replicas/${encodeURIComponent(id)}/drain`);
      this.say(drains ? `${id} is being emptied.` : `${id} serves again.`);
    } catch (problem) {
      this.say(problem.message, true);
    }
    await this.read().catch(() => {});
  }
}

/** A replica's card is renewed in place: its button may have the focus. */
class Card {
  constructor(onTurn) {
    this.state = make("span", { class: "state" });
    this.name = make("h3", {});
    this.url = make("p", { class: "soft url" });
    this.counts = make("dl", { class: "counts" });
    this.note = make("p", { class: "soft" });
    this.act = button("", () => onTurn(this.replica), { class: "pill" });
    this.element = make("li", { class: "replica" }, make("div", { class: "replica-head" }, this.name, this.state), this.url, this.counts, make("div", { class: "replica-foot" }, this.note, this.act));
  }

  show(replica) {
    this.replica = replica;
    const { id, state, pins, inflight, waiting } = replica;
    this.element.dataset.state = state;
    this.name.textContent = id;
    this.state.textContent = STATES[state] ?? state;
    this.url.textContent = replica.url;
    const drains = state === "draining";
    this.act.textContent = drains ? "Serve again" : "Drain";
    this.act.setAttribute("aria-label", drains ? `Let ${id} serve again` : `Drain ${id}`);
    this.note.textContent = drains ? (pins + inflight + waiting ? "Being emptied" : "Empty: its process may stop") : "";
    this.counts.replaceChildren(
      count("Pins", pins), count("In flight", inflight), count("Waiting", waiting),
      count("KV cache", percent(replica.kv_usage)),
    );
  }
}

function count(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, String(value)));
}
