/** Where the customer writes. The text stays in the box until the server has stored it. */

const DRAFT_MS = 200;

export class Composer {
  /**
   * @param {Record<string, HTMLElement>} parts @param {import("./texts.js").Texts} texts
   * @param {(text: string) => Promise<boolean>} send true once the text is stored, false when it was refused
   * @param {{read: () => string | undefined, write: (text: string) => void}} draft where an unsent text outlives the page
   */
  constructor(parts, texts, send, draft) {
    this.parts = parts;
    this.texts = texts;
    this.draft = draft;
    this.limit = 2000;
    this.sending = false;
    this.send = send;
    const { text, composer } = parts;
    text.addEventListener("input", () => this.#changed());
    text.addEventListener("keydown", (event) => this.#key(event));
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.#restoreDraft();
  }

  /** @param {string} text */
  fillIn(text) {
    this.parts.text.value = text;
    this.#changed();
  }

  focus() {
    if (matchMedia("(pointer: fine)").matches) this.parts.text.focus({ preventScroll: true });
  }

  /** @param {boolean} busy a reply is being written and can be stopped */
  set busy(busy) {
    this.parts.stop.hidden = !busy;
  }

  /** @param {string} sentence why something failed; empty when nothing did */
  tell(sentence) {
    this.parts.told.textContent = sentence;
    this.parts.composer.classList.toggle("refused", sentence !== "");
  }

  async submit() {
    if (!this.#sendable(this.parts.text.value)) return;
    if (await this.#deliver(this.parts.text.value)) this.fillIn("");
  }

  /** Send a suggestion as it is. What is being written stays; a refused suggestion waits in an empty box. @param {string} text */
  async suggest(text) {
    const stored = await this.#deliver(text);
    if (stored === false && !this.parts.text.value) {
      const told = this.parts.told.textContent;
      this.fillIn(text);
      this.tell(told);
    }
  }

  /** @param {string} text @returns {Promise<boolean | null>} null while another text is on its way */
  async #deliver(text) {
    if (this.sending) return null;
    this.#lock(true);
    try {
      return await this.send(text);
    } finally {
      this.#lock(false);
      this.focus();
    }
  }

  /** @param {string} text */
  #sendable(text) {
    return text.trim() !== "" && text.length <= this.limit;
  }

  /** @param {boolean} sending */
  #lock(sending) {
    this.sending = sending;
    this.parts.text.readOnly = sending;
    this.parts.composer.classList.toggle("sending", sending);
    this.parts.composer.setAttribute("aria-busy", String(sending));
    this.#measure();
  }

  #changed() {
    this.#measure();
    this.#keepDraft();
    const count = this.parts.text.value.length;
    this.tell(count > this.limit ? this.texts.say("too_long", { count, limit: this.limit }) : "");
  }

  #measure() {
    const { text, send } = this.parts;
    send.disabled = this.sending || !this.#sendable(text.value);
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }

  /** @param {KeyboardEvent} event Enter sends, but not the Enter that picks a word in an input method. */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  #restoreDraft() {
    const text = this.draft.read();
    if (text) this.fillIn(text);
  }

  /** An emptied box is forgotten at once: what was in it has been sent. */
  #keepDraft() {
    const keep = () => this.draft.write(this.parts.text.value);
    clearTimeout(this.keeping);
    if (this.parts.text.value) this.keeping = setTimeout(keep, DRAFT_MS);
    else keep();
  }
}
