/** What only a browser can see: the headers of the frame's page as they arrive, after every proxy on the way. */

const list = document.querySelector("[data-part=findings]");
if (list && !list.querySelector(":scope > .bad:first-child")) look();

async function look() {
  const answer = await fetch(`../widget?site=${encodeURIComponent(list.dataset.site)}`, { cache: "no-store" });
  await answer.text();
  const framed = answer.headers.get("x-frame-options");
  const policy = answer.headers.get("content-security-policy") ?? "";
  if (framed) {
    tell("bad", "A proxy forbids frames", `Something between this server and browsers adds "X-Frame-Options: ${framed}". Have it leave that header away for /widget.`);
  } else if (!/frame-ancestors (?!'none')/.test(policy)) {
    tell("bad", "The frame's policy got lost", "Something between this server and browsers replaces the Content-Security-Policy of /widget. Have it pass that header on.");
  } else {
    tell("good", "The frame's headers arrive as they were sent", "No proxy on the way to this browser changes them.");
  }
  const loader = await fetch("../widget.js");
  if (!loader.ok || !loader.headers.get("content-type")?.includes("javascript")) {
    tell("bad", "The script does not arrive", `/widget.js answers ${loader.status}, ${loader.headers.get("content-type")}.`);
  }
}

/** @param {"good" | "bad"} verdict @param {string} title @param {string} text */
function tell(verdict, title, text) {
  const item = list.appendChild(document.createElement("li"));
  item.className = verdict;
  item.append(Object.assign(document.createElement("h3"), { textContent: title }));
  item.append(Object.assign(document.createElement("p"), { textContent: text }));
}
