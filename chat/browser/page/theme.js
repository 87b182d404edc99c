/** Light or dark: the system's choice until the visitor makes one. */

export class Theme {
  /** @param {HTMLElement} toggle @param {import("./memory.js").Memory} memory @param {import("./texts.js").Texts} texts */
  constructor(toggle, memory, texts) {
    this.toggle = toggle;
    this.memory = memory;
    this.texts = texts;
    this.system = matchMedia("(prefers-color-scheme: dark)");
    this.system.addEventListener("change", () => this.show());
    this.show();
  }

  get dark() {
    return (this.memory.theme ?? (this.system.matches ? "dark" : "light")) === "dark";
  }

  flip() {
    this.memory.theme = this.dark ? "light" : "dark";
    this.show();
  }

  show() {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
    document.body.classList.toggle("dark", this.dark);
    const label = this.texts.say(this.dark ? "to_light" : "to_dark");
    this.toggle.title = label;
    this.toggle.setAttribute("aria-label", label);
  }
}
