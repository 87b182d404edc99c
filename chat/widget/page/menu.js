/**
 * What the menu offers and asks about first: earlier conversations, and the end of all of them. The question is the
 * page's one dialog: the browser keeps the focus in it and gives it back.
 */

import { call } from "./api.js";
import { make } from "./line.js";

/**
 * @param {Record<string, HTMLElement>} parts @param {import("./texts.js").Texts} texts @param {import("./visitor.js").Visitor} visitor
 * @returns {Promise<import("./visitor.js").Summary | undefined>} the one that was chosen
 */
export async function choose(parts, texts, visitor) {
  const found = await visitor.conversations();
  const list = found.map(({ id, state, updated_at }) => {
    const at = texts.lately(new Date(updated_at));
    return { value: id, text: state === "closed" ? `${at} · ${texts.say("presence.closed")}` : at };
  });
  const chosen = await ask(parts, { title: texts.say("earlier"), text: list.length ? "" : texts.say("none_earlier"), list });
  return found.find(({ id }) => id === chosen);
}

/** Everything of this visitor that the server holds, after a question. @returns {Promise<boolean>} whether it is gone */
export async function erase(parts, texts, visitor) {
  const question = { title: texts.say("delete"), text: texts.say("delete_question"), yes: texts.say("delete_yes") };
  if ((await ask(parts, question)) !== "yes") return false;
  for (const { id } of await visitor.conversations()) {
    await call("DELETE", `conversations/${id}`, { token: visitor.hold(id).token });
  }
  visitor.forget();
  return true;
}

/**
 * @param {Record<string, HTMLElement>} parts
 * @param {{title: string, text?: string, yes?: string, list?: {value: string, text: string}[]}} question
 * @returns {Promise<string>} "yes", the value of what was chosen, or "" for no
 */
function ask(parts, { title, text = "", yes = "", list = [] }) {
  const { dialog } = parts;
  parts["dialog-title"].textContent = title;
  parts["dialog-text"].textContent = text;
  parts["dialog-yes"].textContent = yes;
  parts["dialog-yes"].hidden = !yes;
  parts["dialog-list"].replaceChildren(...list.map(choice));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

function choice({ value, text }) {
  const item = make("li", "");
  const node = make("button", "", text);
  node.value = value;
  item.append(node);
  return item;
}
