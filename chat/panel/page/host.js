/** The page around the side panel. Only the origins that the server lists are heard and spoken to. */

const CHATWOOT_ASK = "chatwoot-dashboard-app:fetch-info";

export class Host {
  /** @param {string[]} origins @param {(data: unknown) => void} onMessage */
  constructor(origins, onMessage) {
    // Where the browser tells who is around us, the others need not be tried.
    const around = location.ancestorOrigins?.[0];
    this.patterns = origins.map(pattern);
    this.origins = around ? [around].filter((origin) => this.#knows(origin)) : origins.filter((origin) => !origin.includes("*"));
    addEventListener("message", (event) => {
      if (event.source === parent && parent !== window && this.#knows(event.origin)) {
        this.origins = [event.origin];
        onMessage(event.data);
      }
    });
  }

  /** Ask for the conversation, in the words of each contract. */
  ready() {
    this.say({ type: "pindesk.ready" });
    this.say(CHATWOOT_ASK);
  }

  /** @param {unknown} message */
  say(message) {
    if (parent === window) return;
    for (const origin of this.origins) parent.postMessage(message, origin);
  }

  #knows(origin) {
    return this.patterns.some((each) => each.test(origin));
  }
}

/** An origin of the list as it may be written there: `https://*.desk.example` stands for each host below. */
function pattern(origin) {
  const escaped = origin.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace("*", "[a-z0-9-]+(?:\\.[a-z0-9-]+)*");
  return new RegExp(`^${escaped}$`);
}
