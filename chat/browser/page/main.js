/** The browser chat: what the visitor does becomes calls, what the server's tail sends becomes the transcript. */

import { callsTo } from "./calls.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { draft } from "./draft.js";
import { Empty } from "./empty.js";
import { Memory } from "./memory.js";
import { Presence } from "./presence.js";
import { Scroll } from "./scroll.js";
import { Sidebar } from "./sidebar.js";
import { Texts } from "./texts.js";
import { Theme } from "./theme.js";
import { Transcript } from "./transcript.js";

const LIST_DELAY_MS = 300;
const RETRY_MS = 2_000;
const REST_MS = 30_000;

/**
 * @typedef {object} Bridge what Gradio hands to a custom component
 * @property {HTMLElement} element
 * @property {(event: string, data: object) => void} trigger
 * @property {any} props `value` is the tail's latest View; `site`, `texts` are fixed
 * @property {Record<string, (data: object) => Promise<any>>} server
 * @property {(prop: string, act: () => void) => void} watch
 */

/** @param {Bridge} bridge */
export function start(bridge) {
  new Page(bridge).begin();
}

class Page {
  /** @param {Bridge} bridge */
  constructor({ element, trigger, props, server, watch }) {
    const desk = element.querySelector(".desk");
    this.parts = Object.fromEntries([...desk.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.desk = desk;
    this.call = callsTo(server);
    // The address may name another brand of this server: `/?site=bank`.
    this.memory = new Memory(new URLSearchParams(location.search).get("site") || props.site);
    this.texts = new Texts(props.texts, this.memory.locale);
    this.theme = new Theme(this.parts.theme, this.memory, this.texts);
    this.presence = new Presence(desk, this.parts, this.texts, () => setTimeout(() => this.conversation.follow(), RETRY_MS));
    this.sidebar = new Sidebar(desk, this.parts, this.texts);
    this.empty = new Empty(this.parts, this.texts);
    this.scroll = new Scroll(this.parts.scroll, this.parts.lines, this.parts.latest);
    const transcript = new Transcript(this.parts.lines, this.texts);
    this.conversation = new Conversation(transcript, trigger, this.call, (view, news) => this.#shown(view, news));
    this.composer = new Composer(this.parts, this.texts, (text) => this.#send(text), draft);
    this.threads = [];
    watch("value", () => this.conversation.receive(props.value));
    desk.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#escape());
    document.addEventListener("visibilitychange", () => this.#seen());
    this.memory.onChangeElsewhere(() => this.#list());
    this.#speak();
    desk.classList.add("awake");
  }

  /** Learn who the shop is and what conversations there are, then show one of them. */
  async begin() {
    const { memory, texts } = this;
    try {
      const answer = await this.call("begin", { site: memory.site, locale: texts.locale, tokens: this.#tokens() });
      this.presence.connection(false);
      this.#welcome(answer);
      if (!this.conversation.id) this.#open(this.#wanted());
    } catch (refusal) {
      if (refusal.code === "not_found") return this.#away();
      this.presence.connection(refusal.code === "unreachable");
      setTimeout(() => this.begin(), RETRY_MS);
    }
  }

  /** The site is not served here (any more). */
  #away() {
    this.empty.away();
    this.presence.set("closed", null);
    this.parts.composer.hidden = this.parts.fine.hidden = true;
  }

  #tokens() {
    return this.memory.conversations.map(({ token }) => token);
  }

  /** @param {{brand: string, greeting: string, starters: string[], languages: string[], max_chars: number, conversations: object[]}} answer */
  #welcome(answer) {
    this.composer.limit = answer.max_chars;
    this.brand = answer.brand;
    this.#title(0);
    this.empty.welcome(answer);
    this.#threads(answer.conversations);
  }

  /** @param {object[]} threads newest first */
  #threads(threads) {
    this.threads = threads;
    this.sidebar.show(threads, this.conversation.id);
  }

  /** The conversation that this tab showed, else the newest open one. @returns {string | null} */
  #wanted() {
    const here = location.hash.slice(1);
    if (here === "new") return null;
    const known = this.threads.some(({ id }) => id === here);
    return known ? here : (this.threads.find(({ state }) => state !== "closed")?.id ?? null);
  }

  /** @param {string | null} id null shows the empty page of a new conversation */
  #open(id) {
    history.replaceState(history.state, "", `#${id ?? "new"}`);
    this.sidebar.close();
    this.sidebar.show(this.threads, id);
    this.composer.tell("");
    this.composer.busy = false;
    this.parts.empty.hidden = id !== null;
    this.#closed(false);
    this.presence.set(id ? "loading" : "empty", null);
    this.conversation.show(id, id && this.memory.token(id));
    this.scroll.toEnd();
    this.composer.focus();
  }

  /** @param {import("./transcript.js").View | null} view null when the conversation is gone @param {string} news to be read aloud */
  #shown(view, news) {
    if (view === null) return this.#gone();
    this.presence.lost = false;
    this.presence.set(view.state, view.agent);
    this.composer.busy = view.busy;
    this.#closed(view.state === "closed");
    this.parts.fine.hidden = view.state === "closed" || view.state === "agent";
    if (!news) return;
    this.#title(1);
    this.parts.announce.textContent = news;
    this.#list();
  }

  #gone() {
    this.memory.forget(this.conversation.id);
    this.#open(null);
    this.#list();
  }

  /** @param {boolean} closed */
  #closed(closed) {
    this.parts.ended.hidden = !closed;
    this.parts.composer.hidden = closed;
    this.parts.fine.hidden = closed;
  }

  /** Ask for the list again, once for all that happens at the same time. */
  #list() {
    clearTimeout(this.listing);
    this.listing = setTimeout(async () => {
      const answer = await this.call("conversations", { tokens: this.#tokens() }).catch(() => null);
      if (answer) this.#threads(answer.conversations);
    }, LIST_DELAY_MS);
  }

  /** @param {string} text @returns {Promise<boolean>} whether it is stored */
  async #send(text) {
    return this.#told(async () => {
      await this.#begun();
      await this.conversation.send(text);
      this.scroll.toEnd();
      this.#list();
    });
  }

  /** A conversation begins with the first thing that the visitor wants from it. */
  async #begun() {
    if (this.conversation.id) return;
    const { id, token } = await this.call("open", { site: this.memory.site, locale: this.texts.locale });
    this.memory.remember({ id, token });
    this.#open(id);
  }

  /** Do it, or say why it failed. @param {() => Promise<void>} act @returns {Promise<boolean>} whether it is done */
  async #told(act) {
    this.composer.tell("");
    try {
      await act();
      return true;
    } catch (refusal) {
      this.composer.tell(refusal.sentence?.(this.texts) ?? this.texts.say("errors.unknown"));
      return false;
    }
  }

  #escape() {
    if (this.sidebar.isOpen) this.sidebar.close();
    else this.#stop();
  }

  /** The tab came to the front, or went behind others. */
  #seen() {
    clearTimeout(this.resting);
    if (document.hidden) this.resting = setTimeout(() => this.conversation.rest(true), REST_MS);
    else this.conversation.rest(false);
    this.#title(0);
  }

  /** @param {number} more lines that came while nobody looked */
  #title(more) {
    this.unread = document.hidden ? (this.unread ?? 0) + more : 0;
    document.title = this.unread ? `(${this.unread}) ${this.brand}` : this.brand;
  }

  #stop() {
    if (this.conversation.turn) this.#do("stop", { turn_id: this.conversation.turn });
  }

  /** @param {string} name @param {object} data @returns {Promise<boolean>} */
  #do(name, data) {
    return this.#told(async () => {
      await this.#begun();
      const { id, token } = this.conversation;
      await this.call(name, { token, conversation_id: id, ...data });
    });
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const node = event.target.closest?.("[data-act]");
    if (node) this.acts[node.dataset.act]?.(node);
  }

  acts = {
    new: () => this.#open(null),
    open: (node) => this.#open(node.dataset.id),
    "open-side": () => this.sidebar.open(),
    "close-side": () => this.sidebar.close(),
    language: (node) => this.#language(node.dataset.locale),
    theme: () => this.theme.flip(),
    human: () => this.#do("human", {}),
    latest: () => this.scroll.toEnd(),
    stop: () => this.#stop(),
    retry: () => this.#do("retry", { turn_id: this.conversation.view.retry }),
    reply: (node) => this.composer.suggest(node.textContent),
    vote: (node) => this.#vote(node.dataset.message, node.dataset.value),
  };

  /** @param {string} message @param {"up" | "down"} value */
  async #vote(message, value) {
    this.conversation.vote(message, value);
    if (!(await this.#do("vote", { message_id: message, value }))) this.conversation.vote(message, undefined);
  }

  /** @param {string} locale */
  #language(locale) {
    this.memory.locale = locale;
    this.texts.use(locale);
    this.#speak();
    this.conversation.again();
    this.begin();
  }

  #speak() {
    this.texts.fill(this.desk);
    this.sidebar.showLanguages();
    this.theme.show();
    this.presence.show();
  }
}
