/** The widget's page: what the visitor and the website do becomes calls, what the log says becomes the transcript. */

import { call } from "./api.js";
import { Refusal } from "./calls.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Empty } from "./empty.js";
import { Host } from "./host.js";
import { Leave } from "./leave.js";
import { choose, erase } from "./menu.js";
import { Rating } from "./rating.js";
import { Reading } from "./reading.js";
import { download } from "./record.js";
import { Scroll } from "./scroll.js";
import { Texts } from "./texts.js";
import { dress } from "./theme.js";
import { Transcript } from "./transcript.js";
import { Visitor } from "./visitor.js";

const AGAIN_MS = 2_000;
const TYPING_MS = 3_000;
const { welcome, assets, locales } = document.body.dataset;

/** @typedef {import("./fold.js").View} View */

/** @param {string} locale @returns {Promise<object>} the interface's strings */
const strings = async (locale) => (await fetch(`${assets}/${locale}.json`)).json();

class Page {
  /** @param {Texts} texts @param {{site: string, brand: string, max_chars: number, greetings: object} | null} site null for none */
  constructor(texts, site) {
    this.parts = Object.fromEntries([...document.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    const { parts } = this;
    Object.assign(this, { texts, site, state: "loading", lost: false });
    this.empty = new Empty(parts, texts);
    this.scroll = new Scroll(parts.scroll, parts.lines, parts.latest);
    const transcript = new Transcript(parts.lines, texts);
    this.conversation = new Conversation(transcript, (view) => this.#viewed(view), (...state) => this.#connection(...state));
    const draft = { read: () => "", write: (text) => this.host.note({ draft: text }) };
    this.composer = new Composer(parts, texts, (text) => this.#send(text), draft);
    this.rating = new Rating(parts.rating, texts, (score, comment) => this.#rate(score, comment));
    this.leave = new Leave(parts.leave, texts, (text, contact) => this.#leave(text, contact));
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#escape());
    parts.text.addEventListener("input", () => this.#types());
    addEventListener("online", () => this.#present());
    addEventListener("offline", () => this.#present());
    this.#speak();
    if (!site) return this.#away();
    this.composer.limit = site.max_chars;
    this.host = new Host(this.heard);
    this.visitor = new Visitor(site.site, this.host);
    this.reading = new Reading(parts.announce, this.visitor);
  }

  /** What the website says. */
  heard = {
    hello: ({ conversations = [], now = {}, identified = false, locale, theme, shown, focus }) => {
      // Anybody's script on the website can write to its storage.
      this.host.held = [conversations].flat().filter((held) => /^pdc_[\w-]+$/.test(held?.token));
      if (now.draft && !this.parts.text.value) this.composer.fillIn(now.draft);
      this.visitor.identified = identified;
      dress(theme);
      this.heard.shown({ shown, focus });
      this.arriving = this.#arrive(locale);
    },
    shown: ({ shown, focus }) => {
      this.reading.look(shown);
      if (shown && focus) this.#focus();
    },
    prefill: ({ text }) => this.composer.fillIn(String(text)),
    send: async ({ text }) => {
      await this.arriving;
      this.composer.suggest(String(text));
    },
    identify: async () => {
      await this.arriving;
      Object.assign(this.visitor, { identified: true, person: "" });
      this.arriving = this.#arrive();
    },
    identity: ({ token }) => this.visitor.answer?.(typeof token === "string" ? token : null),
    locale: ({ locale }) => this.#language(locale),
    theme: ({ theme }) => dress(theme),
    reset: () => {
      Object.assign(this.visitor, { identified: false });
      this.visitor.forget();
      this.composer.fillIn("");
      this.#open(null);
    },
  };

  /** Learn what was talked about before, and go on with it. @param {string} [locale] */
  async #arrive(locale) {
    if (locale) await this.#language(locale);
    const { visitor } = this;
    try {
      let found = await visitor.conversations();
      if (visitor.identified && !visitor.person) {
        const begun = found.find(({ state }) => state !== "closed")?.id ?? null;
        if (await visitor.prove(begun)) found = await visitor.conversations();
      }
      this.lost = false;
      await this.#open(found.find(({ state }) => state !== "closed") ?? null);
    } catch (refusal) {
      this.lost = true;
      this.#present();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      await this.#arrive();
    }
  }

  /** @param {import("./visitor.js").Summary | null} summary null shows the beginning of a new conversation */
  async #open(summary) {
    const held = summary && this.visitor.hold(summary.id);
    const told = held && (await call("GET", `conversations/${held.id}/feedback`, { token: held.token }));
    this.rated = Boolean(told?.rating);
    this.reading.begin(held, summary?.last_seq ?? 0);
    this.#enter(held ? "loading" : "empty");
    this.conversation.show(held, told?.votes);
    this.scroll.toEnd();
  }

  /** @param {string} state */
  #enter(state) {
    const closed = state === "closed";
    const { parts } = this;
    this.state = state;
    parts.empty.hidden = state !== "empty";
    parts.ended.hidden = !closed;
    parts.composer.hidden = closed;
    parts.fine.hidden = closed || state === "agent";
    parts.human.hidden = !["bot", "empty"].includes(state);
    parts.download.disabled = parts.delete.disabled = state === "empty";
    parts.end.disabled = closed || state === "empty";
    this.composer.busy = false;
    this.rating.ask(closed && !this.rated);
    this.leave.offer(null);
    this.#present();
  }

  /** @param {View} view */
  #viewed(view) {
    if (view.state !== this.state) {
      if (view.seq > this.reading.known) this.host.event("handoff", { state: view.state, agent: view.agent });
      this.#enter(view.state);
    }
    this.composer.busy = view.busy;
    this.leave.offer(view.state === "waiting" && !view.left ? view.away : null);
    this.#present();
    this.reading.follow(view);
  }

  /** @param {import("./tail.js").TailState} state @param {number} [status] */
  async #connection(state, status) {
    if (state === "refused") return this.#refused(status);
    if (state !== "connecting") this.lost = state === "lost";
    this.#present();
  }

  /** The token is no good any more: prove again who this is, or begin anew. @param {number} status */
  async #refused(status) {
    const { visitor, conversation } = this;
    if (status === 401 && visitor.identified && (await visitor.prove(null).catch(() => false))) {
      return conversation.renew(visitor.person);
    }
    this.host.forget([conversation.id]);
    this.#open(null);
  }

  /** Who is there, and whether we are. */
  #present() {
    const { parts, texts, state } = this;
    const trouble = !navigator.onLine ? "offline" : this.lost ? "reconnecting" : "";
    parts.banner.hidden = !trouble;
    parts.banner.textContent = trouble && texts.say(trouble);
    document.body.dataset.state = trouble ? "offline" : state;
    const { agent, away } = this.conversation.view ?? {};
    const named = state === "agent" && !agent ? "agent_unnamed" : state === "empty" ? "bot" : away ? "away" : state;
    parts.presence.textContent = texts.say(`presence.${trouble ? "offline" : named}`, { name: agent });
  }

  /** The site has no widget here. */
  #away() {
    this.empty.away();
    this.#enter("closed");
    this.parts.ended.hidden = true;
    this.rating.ask(false);
  }

  /** @param {string} text @returns {Promise<boolean>} whether it is stored */
  #send(text) {
    return this.#told(async () => {
      await this.#begun();
      await this.conversation.send(text);
      this.scroll.toEnd();
    });
  }

  /** A conversation begins with the first thing that the visitor wants from it. */
  async #begun() {
    if (this.conversation.id) return;
    if (this.lost) throw new Refusal({ code: "unreachable" });
    await this.arriving;
    if (this.conversation.id) return;
    const held = await this.visitor.open(this.texts.locale);
    this.rated = false;
    this.reading.begin(held, 0);
    this.#enter("bot");
    this.conversation.show(held);
  }

  /** Do it, or say why it failed. @param {() => Promise<void>} act @returns {Promise<boolean>} whether it is done */
  async #told(act) {
    this.composer.tell("");
    try {
      await this.#believed(act);
      return true;
    } catch (refusal) {
      this.composer.tell(refusal.sentence?.(this.texts) ?? this.texts.say("errors.unknown"));
      this.host.event("error", { code: refusal.code ?? "unknown" });
      return false;
    }
  }

  /** Do it, once more with a new proof if the old one has run out. @param {() => Promise<void>} act */
  async #believed(act) {
    try {
      await act();
    } catch (refusal) {
      const { visitor, conversation } = this;
      if (!["unauthorized", "identity_required"].includes(refusal.code) || !visitor.identified) throw refusal;
      if (!(await visitor.prove(conversation.id))) throw refusal;
      if (conversation.id) conversation.renew(visitor.person);
      await act();
    }
  }

  /** @param {string} path @param {object} [body] */
  #do(path, body = {}) {
    return this.#told(async () => {
      await this.#begun();
      await this.conversation.call("POST", path, body);
    });
  }

  /** Tell an agent that the customer is writing. */
  #types() {
    if (this.state !== "agent" || Date.now() - (this.typedAt ?? 0) < TYPING_MS) return;
    this.typedAt = Date.now();
    this.conversation.call("POST", "/typing").catch(() => {});
  }

  async #rate(score, comment) {
    this.rated = await this.#do("/rating", comment ? { score, comment } : { score });
    if (this.rated) this.host.event("rating", { score });
    return this.rated;
  }

  #leave(text, contact) {
    return this.#do("/leave", contact ? { text, contact } : { text });
  }

  #focus() {
    this.composer.focus();
    if (document.activeElement !== this.parts.text) this.parts.title.focus();
  }

  #escape() {
    if (!document.querySelector("dialog[open], :popover-open")) this.host.tell("close");
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const node = event.target.closest?.("[data-act]");
    if (!node) return;
    if (this.parts.menu.contains(node)) this.parts.menu.hidePopover();
    this.acts[node.dataset.act]?.(node);
  }

  acts = {
    close: () => this.host.tell("close"),
    new: async () => {
      await this.#open(null);
      this.#focus();
    },
    earlier: () => this.#earlier(),
    download: () => download(this.conversation.view, this.texts, this.site.brand),
    end: () => this.#do("/close"),
    delete: () => this.#delete(),
    human: () => this.#do("/handoff"),
    latest: () => this.scroll.toEnd(),
    stop: () => this.#do(`/turns/${this.conversation.view.live.turn}/stop`),
    retry: () => this.#do(`/turns/${this.conversation.view.retry}/retry`),
    reply: (node) => this.composer.suggest(node.textContent),
    vote: ({ dataset }) => this.#vote(dataset.message, dataset.value),
    "not-now": () => this.leave.dismiss(),
  };

  /** @param {string} message @param {"up" | "down"} value */
  async #vote(message, value) {
    this.conversation.vote(message, value);
    const { token } = this.conversation.held;
    const stored = await this.#told(() => call("POST", `messages/${message}/feedback`, { token, body: { value } }));
    if (!stored) this.conversation.vote(message, null);
  }

  async #earlier() {
    await this.#told(async () => {
      const chosen = await choose(this.parts, this.texts, this.visitor);
      if (chosen) await this.#open(chosen);
    });
  }

  async #delete() {
    await this.#told(async () => {
      if (!(await erase(this.parts, this.texts, this.visitor))) return;
      this.composer.fillIn("");
      await this.#open(null);
      this.parts.announce.textContent = this.texts.say("deleted");
    });
  }

  /** @param {string} wanted a BCP 47 tag */
  async #language(wanted) {
    const locale = locales.split(" ").find((each) => each === String(wanted).split(/[-_]/)[0].toLowerCase());
    if (!locale || locale === this.texts.locale) return;
    this.texts.locales[locale] ??= await strings(locale);
    this.texts.use(locale);
    this.#speak();
    this.conversation.again();
  }

  #speak() {
    const { texts, site, parts } = this;
    document.documentElement.dir = texts.say("direction");
    texts.fill(document);
    if (site) this.empty.welcome({ ...site, ...(site.greetings[texts.locale] ?? Object.values(site.greetings)[0]) });
    if (site) parts.title.textContent = document.title = site.brand;
    this.#present();
  }
}

const { lang } = document.documentElement;
new Page(new Texts({ [lang]: await strings(lang) }, lang), JSON.parse(welcome));
