/** The keyboard: what each key does, in one place that `?` shows. Single letters can be turned off. */

import { remember, remembered } from "./alerts.js";
import { button, make } from "./element.js";

const LETTERS_OFF = "pindesk.letters.off";

export class Keys {
  constructor() {
    this.groups = new Map();
    this.letters = remembered(LETTERS_OFF) === null;
    this.dialog = make("dialog", { class: "help", "aria-labelledby": "keys-title" });
    addEventListener("keydown", (event) => this.#press(event));
  }

  /**
   * @param {string} title
   * @param {Record<string, [string, (() => void)?]>} keys what it does by key; without an act it is only told of
   */
  group(title, keys) {
    this.groups.set(title, keys);
  }

  show() {
    const off = make("input", { type: "checkbox", checked: this.letters, on: { change: (event) => this.#allow(event.target.checked) } });
    this.dialog.replaceChildren(
      make("h2", { id: "keys-title" }, "Keyboard"),
      make("div", { class: "key-groups" }, ...[...this.groups].map(([title, keys]) => keyGroup(title, keys))),
      make("label", { class: "check" }, off, "Single keys act outside of text fields"),
      button("Close", () => this.dialog.close(), { class: "pill", autofocus: true }),
    );
    this.dialog.showModal();
  }

  #allow(letters) {
    this.letters = letters;
    remember(LETTERS_OFF, letters ? null : "1");
  }

  #press(event) {
    const suggested = event.altKey && /^Digit[1-3]$/.test(event.code) && event.code.slice(-1);
    const writing = event.target.closest?.("input, textarea, select, dialog[open]");
    const key = `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    if (suggested) return this.#act(event, this.#does(suggested));
    if (writing && key !== "Escape") return;
    if (writing) return event.target.blur();
    if (!this.letters && key.length === 1) return;
    if (key === "?") return this.#act(event, () => this.show());
    const act = this.#does(key);
    if (act) this.#act(event, act);
  }

  /** @param {string} key */
  #does(key) {
    return [...this.groups.values()].find((keys) => keys[key]?.[1])?.[key][1];
  }

  #act(event, act) {
    event.preventDefault();
    act();
  }
}

function keyGroup(title, keys) {
  const rows = Object.entries(keys).map(([key, [does]]) => make("div", {}, make("dt", {}, make("kbd", {}, key === "Escape" ? "Esc" : key)), make("dd", {}, does)));
  return make("section", {}, make("h3", {}, title), make("dl", {}, ...rows));
}
