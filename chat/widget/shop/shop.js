/**
 * The demo shop's own script. Like many shops it does not load pages but swaps them; the chat has to live through that.
 * What it says to the chat waits in an array until the chat's loader is there.
 */
window.Pindesk ||= [];

document.addEventListener("click", (event) => {
  const node = event.target.closest("a, button");
  if (!node) return;
  const { ask, say } = node.dataset;
  if (ask) Pindesk.push(["prefill", ask]);
  if (ask) Pindesk.push(["open"]);
  if (say) Pindesk.push(["send", say]);
  if (ask || say || node.matches("a[href^=demo-shop]")) event.preventDefault();
  if (node.matches("a[href^=demo-shop]")) visit(node.href, true);
});
addEventListener("popstate", () => visit(location.href, false));

/** @param {string} address @param {boolean} ahead put it into the history */
async function visit(address, ahead) {
  const page = new DOMParser().parseFromString(await (await fetch(address)).text(), "text/html");
  if (ahead) history.pushState({}, "", address);
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  // As page-swapping libraries do, run the scripts of the new page.
  for (const old of page.querySelectorAll("script[src*='widget.js']")) {
    const script = document.createElement("script");
    for (const { name, value } of old.attributes) script.setAttribute(name, value);
    document.head.append(script);
  }
  scrollTo(0, 0);
}
