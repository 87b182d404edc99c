/** Asking before something is done. */

import { button, make } from "./element.js";

let count = 0;

/**
 * @param {{title: string, act: string, hint?: string, label?: string}} asked with a `label` there is a field
 * @returns {Promise<string | null>} what was written, "" without a field, null for no
 */
export function ask({ title, act, hint, label }) {
  const id = `ask-${++count}`;
  const field = label && make("textarea", { id: `${id}-field`, rows: 4, dir: "auto", maxLength: 2000 });
  const dialog = make("dialog", { "aria-labelledby": `${id}-title` });
  const form = make("form", { method: "dialog" });
  form.append(
    make("h2", { id: `${id}-title` }, title),
    ...(hint ? [make("p", { class: "soft" }, hint)] : []),
    ...(label ? [make("label", { htmlFor: `${id}-field` }, label), field] : []),
    make("div", { class: "acts" }, button("Cancel", () => dialog.close("no"), { class: "pill" }), make("button", { class: "solid", value: "yes" }, act)),
  );
  field?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.close("yes");
  });
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? (field?.value ?? "") : null);
    });
  });
}
