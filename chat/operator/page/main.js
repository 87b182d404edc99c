/** The operator page: who may see it, what is chosen, and the figures of that, read again while somebody looks. */

import { Api, ROOT } from "./api.js";
import { Chooser } from "./chooser.js";
import { definitions } from "./definitions.js";
import { button, make } from "./element.js";
import { Plots } from "./plots.js";
import { Replicas } from "./replicas.js";
import { Templates } from "./templates.js";
import { Tiles } from "./tiles.js";
import { clock } from "./time.js";

const FIGURES_EVERY_MS = 30_000;
const REPLICAS_EVERY_MS = 4_000;

class OperatorPage {
  /** @param {Api} api @param {{name: string, roles: string[]}} me */
  constructor(api, me) {
    this.api = api;
    this.me = me;
    this.zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.status = make("p", { class: "status soft", role: "status" });
    this.chooser = new Chooser(() => this.read());
    this.tiles = new Tiles();
    this.plots = new Plots();
    this.templates = new Templates();
    this.replicas = new Replicas(api, (words) => this.#say(words));
  }

  start() {
    const parts = [this.tiles.element, this.plots.element, this.replicas.element, this.templates.element, definitions()];
    this.main = make("main", { class: "figures" }, ...parts);
    document.body.replaceChildren(this.#head(), this.main);
    setInterval(() => document.hidden || this.read(), FIGURES_EVERY_MS);
    setInterval(() => document.hidden || this.#readReplicas(), REPLICAS_EVERY_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.#readAll());
    return this.#readAll();
  }

  /** Read the figures of what is chosen; an answer that the next choice has overtaken is dropped. */
  async read() {
    const asked = (this.asked = Symbol("read"));
    this.main.setAttribute("aria-busy", "true");
    try {
      const told = await this.#figures();
      if (asked === this.asked) this.#show(told);
    } catch (problem) {
      if (asked === this.asked) this.#trouble(problem);
    }
    if (asked === this.asked) this.main.removeAttribute("aria-busy");
  }

  #readAll() {
    return Promise.all([this.read(), this.#readReplicas()]);
  }

  async #readReplicas() {
    await this.replicas.read().catch((problem) => this.#trouble(problem));
  }

  async #figures() {
    const { period, site } = this.chooser.chosen;
    const query = new URLSearchParams({ period, zone: this.zone, ...(site && { site }) });
    try {
      return await this.api.get(`operator/figures?${query}`);
    } catch (problem) {
      // A server that does not know this zone counts in days of UTC; a site that is none of ours may stand in a link.
      if (problem.field === "zone" && this.zone !== "UTC") this.zone = "UTC";
      else if (site && (problem.field === "site" || problem.status === 404)) this.chooser.forgetSite();
      else throw problem;
      return this.#figures();
    }
  }

  #show(told) {
    this.chooser.show(told.sites);
    this.tiles.show(told);
    this.plots.show(told, this.zone);
    this.templates.show(told);
    this.#say(`As of ${clock(told.at)}${this.zone === "UTC" ? ", days in UTC" : ""}`);
  }

  #trouble(problem) {
    if (problem.status === undefined) throw problem;
    if (problem.status !== 401) this.#say(`${problem.message} Trying again…`, true);
  }

  #say(words, isTrouble = false) {
    this.status.classList.toggle("trouble", isTrouble);
    if (this.status.textContent !== words) this.status.textContent = words;
  }

  #head() {
    const title = make("div", {}, make("h1", {}, "Operator page"), make("p", { class: "soft me", dir: "auto" }, this.me.name));
    const panel = this.me.roles.includes("agent") && make("a", { class: "pill", href: new URL("agent", ROOT).href }, "Agent panel");
    const out = button("Sign out", () => signOut(this.api), { class: "pill" });
    const links = make("nav", { class: "links", "aria-label": "Pages" }, panel, out);
    return make("header", { class: "top" }, make("div", { class: "top-row" }, title, links), make("div", { class: "bar" }, this.chooser.element, this.status));
  }
}

async function begin() {
  const api = new Api(null, goToLogin);
  try {
    const me = await api.get("session");
    if (!me.roles.includes("operator")) return showStranger(api, me);
    await new OperatorPage(api, me).start();
  } catch (problem) {
    if (problem.status !== 401) showTrouble(problem);
  }
}

function goToLogin() {
  location.replace(new URL("agent/login?next=operator", ROOT));
}

async function signOut(api) {
  await api.call("DELETE", "session").catch(() => {});
  goToLogin();
}

function showStranger(api, me) {
  const panel = me.roles.includes("agent") && make("a", { class: "solid", href: new URL("agent", ROOT).href }, "To the agent panel");
  const out = button("Sign out", () => signOut(api), { class: "pill" });
  const words = make("p", { role: "alert" }, make("bdi", {}, me.name), " is no operator. Ask for the role, or sign in as somebody else.");
  document.body.replaceChildren(make("main", { class: "door" }, make("h1", {}, "Operator page"), words, panel, out));
}

function showTrouble(problem) {
  const again = button("Try again", () => location.reload(), { class: "pill" });
  document.body.replaceChildren(make("main", { class: "door" }, make("h1", {}, "Operator page"), make("p", { role: "alert" }, problem.message), again));
  if (problem.status === undefined) throw problem;
}

begin();
