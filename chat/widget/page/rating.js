/** What the customer thinks of it, once the conversation is closed: one to five, and a word if they like. */

import { field, submit } from "./leave.js";
import { make } from "./line.js";

export class Rating {
  /** @param {HTMLFormElement} form @param {import("./texts.js").Texts} texts @param {(score: number, comment: string | null) => Promise<boolean>} send */
  constructor(form, texts, send) {
    Object.assign(this, { form, texts, send });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {boolean} asked */
  ask(asked) {
    if (this.form.hidden === !asked) return;
    this.form.hidden = !asked;
    if (asked) this.#draw();
  }

  #draw() {
    const { texts } = this;
    const stars = make("fieldset", "stars");
    stars.append(make("legend", "", texts.say("rate.question")));
    for (let score = 1; score <= 5; score++) stars.append(star(score, texts.say("rate.score", { score })));
    this.comment = field("textarea", texts.say("rate.comment"));
    const send = submit(texts.say("rate.send"));
    this.form.replaceChildren(stars, this.comment, send);
    // The rest comes with the first star, so that the card stays small.
    this.comment.hidden = send.hidden = true;
    stars.addEventListener("change", () => (this.comment.hidden = send.hidden = false));
  }

  async #submit() {
    const score = Number(new FormData(this.form).get("score"));
    if (!(await this.send(score, this.comment.value.trim() || null))) return;
    const thanks = make("p", "thanks", this.texts.say("rate.thanks"));
    thanks.setAttribute("role", "status");
    this.form.replaceChildren(thanks);
  }
}

/** @param {number} score @param {string} name */
function star(score, name) {
  const label = make("label", "");
  const input = Object.assign(make("input", "unseen"), { type: "radio", name: "score", value: score, required: true });
  input.setAttribute("aria-label", name);
  label.append(input, "★");
  return label;
}
