/** Gradio reloads the page after a lost connection: the draft travels with the history entry, in no storage. */
export const draft = {
  read: () => history.state?.draft,
  /** @param {string} text */
  write: (text) => history.replaceState({ ...history.state, draft: text }, ""),
};
