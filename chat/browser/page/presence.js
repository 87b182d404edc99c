/** Who is there, and whether we are connected at all. */

export class Presence {
  /**
   * @param {HTMLElement} desk @param {Record<string, HTMLElement>} parts @param {import("./texts.js").Texts} texts
   * @param {() => void} onLost called when the live view has broken off
   */
  constructor(desk, parts, texts, onLost) {
    this.desk = desk;
    this.parts = parts;
    this.texts = texts;
    this.onLost = onLost;
    this.state = "loading";
    this.agent = null;
    this.lost = false;
    addEventListener("online", () => this.show());
    addEventListener("offline", () => this.show());
    this.#watchGradio();
  }

  /** @param {string} state @param {string | null} agent */
  set(state, agent) {
    Object.assign(this, { state, agent });
    this.show();
  }

  /** @param {boolean} lost the server does not answer */
  connection(lost) {
    this.lost = lost;
    this.show();
  }

  show() {
    const trouble = !navigator.onLine ? "offline" : this.lost ? "reconnecting" : "";
    this.parts.banner.hidden = !trouble;
    this.parts.banner.textContent = trouble && this.texts.say(trouble);
    this.desk.dataset.state = trouble ? "offline" : this.state;
    this.parts["presence-text"].textContent = this.#words(trouble);
    this.parts.human.hidden = !["bot", "empty"].includes(this.state);
  }

  /** @param {string} trouble */
  #words(trouble) {
    if (trouble) return this.texts.say("presence.offline");
    if (this.state === "agent" && !this.agent) return this.texts.say("presence.agent_unnamed");
    return this.texts.say(`presence.${this.state === "empty" ? "bot" : this.state}`, { name: this.agent });
  }

  /** Gradio tells of trouble by toasts, which our styles hide. When the server is back it reloads the page. */
  #watchGradio() {
    const look = () => {
      const toast = document.querySelector(".toast-body:not([data-seen])");
      if (!toast) return;
      toast.dataset.seen = "";
      this.connection(true);
      this.onLost();
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  }
}
