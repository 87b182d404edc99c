/** The page before the first message: the brand, its greeting, and suggestions to begin with. */

import { button, make } from "./line.js";

export class Empty {
  /** @param {Record<string, HTMLElement>} parts @param {import("./texts.js").Texts} texts */
  constructor(parts, texts) {
    this.parts = parts;
    this.texts = texts;
  }

  /** @param {{brand: string, greeting: string, starters: string[], languages: string[]}} welcome */
  welcome({ brand, greeting, starters, languages }) {
    const { parts, texts } = this;
    parts.title.textContent = brand;
    parts.mark.textContent = [...brand][0];
    parts["empty-title"].textContent = texts.say("empty_title");
    parts.greeting.textContent = greeting;
    parts.starters.replaceChildren(...starters.map((text) => {
      const item = make("li", "");
      item.append(button("pill", text, "reply"));
      return item;
    }));
    const understood = languages.some((tag) => tag.split("-")[0] === texts.locale);
    parts.speaks.hidden = understood;
    parts.speaks.textContent = understood ? "" : texts.say("speaks", { languages: texts.languages(languages) });
  }

  /** There is no such shop. */
  away() {
    this.parts.empty.hidden = false;
    this.parts.mark.hidden = true;
    this.parts["empty-title"].textContent = this.texts.say("no_site");
  }
}
