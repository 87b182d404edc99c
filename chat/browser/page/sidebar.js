/** The visitor's conversations, the language and the colours: a column on wide screens, a drawer on phones. */

import { button, make } from "./line.js";

/** @typedef {{id: string, title: string, state: string, updated_at: string}} Thread */

export class Sidebar {
  /** @param {HTMLElement} desk @param {Record<string, HTMLElement>} parts @param {import("./texts.js").Texts} texts */
  constructor(desk, parts, texts) {
    this.desk = desk;
    this.parts = parts;
    this.texts = texts;
    this.narrow = matchMedia("(max-width: 767px)");
    this.narrow.addEventListener("change", () => this.close());
    parts.veil.addEventListener("click", () => this.close());
    this.close();
  }

  get isOpen() {
    return this.desk.classList.contains("side-open");
  }

  open() {
    this.#set(true);
    this.parts.side.querySelector("button").focus();
  }

  close() {
    const within = this.parts.side.contains(document.activeElement);
    this.#set(false);
    if (within && this.narrow.matches) this.#opener().focus();
  }

  #opener() {
    return this.desk.querySelector("[data-act=open-side]");
  }

  /** @param {boolean} open */
  #set(open) {
    this.desk.classList.toggle("side-open", open);
    this.parts.side.inert = this.narrow.matches && !open;
    this.desk.querySelector(".room").inert = open;
    this.parts.veil.hidden = !open;
    this.#opener().setAttribute("aria-expanded", String(open));
  }

  /** @param {Thread[]} threads newest first @param {string | null} current */
  show(threads, current) {
    this.parts.threads.replaceChildren(...threads.map((thread) => this.#thread(thread, thread.id === current)));
  }

  /** @param {Thread} thread @param {boolean} current */
  #thread(thread, current) {
    const item = make("li", "thread");
    const node = button("thread-open", "", "open");
    node.dataset.id = thread.id;
    if (current) node.setAttribute("aria-current", "true");
    const title = make("span", "thread-title", thread.title || this.texts.say("untitled"));
    title.dir = "auto";
    node.append(title, make("span", "thread-at", this.#about(thread)));
    item.append(node);
    return item;
  }

  /** @param {Thread} thread */
  #about(thread) {
    const at = this.texts.lately(new Date(thread.updated_at));
    if (thread.state === "bot") return at;
    const presence = thread.state === "agent" ? "agent_unnamed" : thread.state;
    return `${at} · ${this.texts.say(`presence.${presence}`)}`;
  }

  showLanguages() {
    const nodes = Object.entries(this.texts.locales).map(([locale, { short, name }]) => {
      const node = button("segment", short, "language");
      Object.assign(node.dataset, { locale });
      node.lang = locale;
      node.title = name;
      node.setAttribute("aria-pressed", String(locale === this.texts.locale));
      return node;
    });
    this.parts.languages.replaceChildren(...nodes);
  }
}
