/**
 * The side panel inside another help desk: suggestions and a summary for the conversation that is open there.
 *
 * A frame in a foreign page gets no cookie of ours. So the agent signs in once in a window of our own, which hands a
 * token to this frame alone; it is kept for this tab and ends with that session.
 */

import { Api, API, ROOT } from "./api.js";
import { summaryParts } from "./assist.js";
import { button, make } from "./element.js";
import { readForeign } from "./foreign.js";
import { Host } from "./host.js";

const TOKEN = "pindesk.token";
const ACKNOWLEDGED_MS = 700;

class SidePanel {
  constructor() {
    this.host = new Host((document.body.dataset.origins ?? "").split(" ").filter(Boolean), (data) => this.#hear(data));
    this.site = new URLSearchParams(location.search).get("site");
    this.note = make("p", { class: "soft", role: "status" });
    this.list = make("ol", { class: "suggestions", "aria-label": "Suggested replies" });
    this.summary = make("div", { class: "summary", "aria-live": "polite" });
    this.again = button("Suggest again", () => this.help(), { class: "pill", hidden: true });
    this.frame = make("main", { class: "side-panel" }, make("header", { class: "assist-head" }, make("h1", {}, "Assistance"), this.again), this.note, this.list, this.summary);
    addEventListener("keydown", (event) => this.#press(event));
  }

  start() {
    document.body.replaceChildren(this.frame);
    addEventListener("message", (event) => this.#token(event));
    return this.enter(stored());
  }

  /** @param {string | null} token null means whatever cookie the browser sends: in a page of our own site it does */
  async enter(token) {
    this.api = new Api(token, () => this.#signedOut());
    try {
      this.me = await this.api.get("session");
    } catch (problem) {
      if (problem.status !== 401) return this.#say(problem.message);
      return;
    }
    this.#say("Waiting for the conversation…");
    this.host.ready();
    if (this.foreign) this.help();
  }

  async help() {
    const { foreign } = this;
    if (!foreign || !this.me) return;
    const asked = (this.asking = Symbol("help"));
    this.#show([]);
    this.#say("Looking for fitting replies…");
    try {
      const told = await this.api.post("assist", this.#request(foreign));
      if (asked !== this.asking) return;
      this.#say(told.data.length ? "" : "No template fits.");
      this.#show(told.data);
      this.summary.replaceChildren(...summaryParts(told.summary));
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (asked === this.asking && problem.status !== 401) this.#say(problem.message);
    }
    this.again.hidden = false;
  }

  #request({ id, site, locale, transcript }) {
    const where = site ?? this.site ?? this.me.sites?.[0] ?? "demo";
    return { site: where, transcript, ...(id && { conversation: id }), ...(locale && { locale }) };
  }

  #hear(data) {
    if (data?.type === "pindesk.inserted") return this.#acknowledge(data.suggestion);
    if (data?.type === "pindesk.sent") return this.#sent(data);
    const foreign = readForeign(data);
    if (!foreign || JSON.stringify(foreign) === JSON.stringify(this.foreign)) return;
    this.foreign = foreign;
    this.help();
  }

  /** The host has sent what was made of a suggestion. */
  #sent({ suggestion, text }) {
    if (!this.shown?.some(({ id }) => id === suggestion) || typeof text !== "string") return;
    this.api.post(`agent/suggestions/${encodeURIComponent(suggestion)}/outcome`, { text: text.slice(0, 8000) }).catch(() => {});
  }

  #show(suggestions) {
    this.shown = suggestions;
    this.list.replaceChildren(...suggestions.map((each, at) => this.#card(each, at)));
    this.list.hidden = !suggestions.length;
    if (!suggestions.length) this.summary.replaceChildren();
  }

  #card(suggestion, at) {
    const insert = button("", () => this.insert(at), { class: "insert", "aria-label": `Insert suggestion ${at + 1}: ${suggestion.text}` });
    insert.append(make("kbd", { "aria-hidden": "true" }, String(at + 1)), make("span", { class: "suggested", dir: "auto" }, suggestion.text));
    return make("li", { class: "suggestion" }, insert, make("div", { class: "suggestion-foot" }, make("code", {}, suggestion.template)));
  }

  /** Hand a suggestion to the host; where it does not take it, it goes to the clipboard. @param {number} at */
  insert(at) {
    const suggestion = this.shown?.[at];
    if (!suggestion) return;
    clearTimeout(this.unanswered);
    this.inserted = suggestion.id;
    const { id, text, template } = suggestion;
    this.host.say({ type: "pindesk.insert", suggestion: id, text, template });
    this.unanswered = setTimeout(() => this.#copy(text), ACKNOWLEDGED_MS);
  }

  #acknowledge(suggestion) {
    if (suggestion !== this.inserted) return;
    clearTimeout(this.unanswered);
    this.#say("Inserted. Nothing is sent until you send it.");
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.#say("Copied: paste it into your reply.");
    } catch {
      this.#say("This help desk takes no insertions: select the text and copy it.");
    }
  }

  #press(event) {
    if (!event.ctrlKey && !event.metaKey && ["1", "2", "3"].includes(event.key)) this.insert(Number(event.key) - 1);
  }

  #signedOut() {
    store(null);
    this.me = undefined;
    this.#show([]);
    this.again.hidden = true;
    this.note.replaceChildren("Sign in to get suggestions here. ", button("Sign in", () => this.#signIn(), { class: "solid" }));
    this.note.hidden = false;
  }

  #signIn() {
    open(new URL("agent/login?popup=1", ROOT), "pindesk-sign-in", "popup,width=440,height=600");
  }

  /** From our own window only. */
  #token(event) {
    if (event.origin !== API.origin || event.source === parent || event.data?.type !== "pindesk.token") return;
    store(event.data.token);
    this.enter(event.data.token);
  }

  #say(words) {
    this.note.textContent = words;
    this.note.hidden = !words;
  }
}

/** Storage may be forbidden in a foreign page: then a reload of the frame asks again. */
function stored() {
  try {
    return sessionStorage.getItem(TOKEN);
  } catch {
    return null;
  }
}

function store(token) {
  try {
    if (token === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, token);
  } catch {
    // Forbidden.
  }
}

new SidePanel().start();
