/** Nobody is there: a message for those who will be, and where to answer it. */

import { button, make } from "./line.js";

export class Leave {
  /** @param {HTMLFormElement} form @param {import("./texts.js").Texts} texts @param {(text: string, contact: string) => Promise<boolean>} send */
  constructor(form, texts, send) {
    Object.assign(this, { form, texts, send });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {string | null} away why nobody is there; null when somebody is */
  offer(away) {
    const wanted = away !== null && this.done !== away;
    if (away === null) this.done = undefined;
    if (this.form.hidden === !wanted) return;
    this.form.hidden = !wanted;
    this.away = away;
    if (wanted) this.#draw();
  }

  #draw() {
    this.text = field("textarea", this.texts.say("leave.text"));
    this.text.required = true;
    this.contact = field("input", this.texts.say("leave.contact"));
    this.contact.maxLength = 200;
    const row = make("div", "row");
    row.append(button("pill", this.texts.say("leave.not_now"), "not-now"), submit(this.texts.say("leave.send")));
    this.form.replaceChildren(make("p", "asked", this.texts.say("leave.send")), this.text, this.contact, row);
  }

  /** The customer goes on without. */
  dismiss() {
    this.done = this.away;
    this.form.hidden = true;
  }

  async #submit() {
    if (await this.send(this.text.value.trim(), this.contact.value.trim())) this.dismiss();
  }
}

/** @param {"input" | "textarea"} tag @param {string} name */
export function field(tag, name) {
  const node = Object.assign(make(tag, ""), { placeholder: name, maxLength: 2000, dir: "auto" });
  node.setAttribute("aria-label", name);
  return node;
}

/** @param {string} text */
export function submit(text) {
  return Object.assign(button("pill solid", text, ""), { type: "submit" });
}
