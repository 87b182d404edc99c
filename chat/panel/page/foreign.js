/**
 * What help desks send about the conversation that is open there, read into one shape. Anything else is null.
 *
 * @typedef {{role: "customer" | "agent" | "bot", text: string}} ForeignLine
 * @typedef {{id: string | null, site: string | null, locale: string | null, transcript: ForeignLine[]}} Foreign
 */

const MOST_LINES = 200;
const LINE_MAX_CHARS = 8000;
const ROLES = new Set(["customer", "agent", "bot"]);

/** @param {unknown} data a message event's @returns {Foreign | null} */
export function readForeign(data) {
  const told = typeof data === "string" ? parsed(data) : data;
  if (typeof told !== "object" || told === null) return null;
  if (told.type === "pindesk.conversation") return own(told.conversation);
  if (told.event === "appContext") return chatwoot(told.data);
  if (Array.isArray(told["ticket.conversation"])) return zendesk(told);
  return null;
}

/** Our own contract. */
function own(conversation) {
  return conversation && foreign(conversation.id, conversation.transcript, conversation.site, conversation.locale);
}

/** A Chatwoot dashboard app: incoming messages are 0, outgoing ones 1; the rest are notices. Private notes stay there. */
function chatwoot(data) {
  const conversation = data?.conversation;
  if (!Array.isArray(conversation?.messages)) return null;
  const lines = conversation.messages
    .filter(({ message_type: type, private: hidden }) => !hidden && (type === 0 || type === 1))
    .map(({ message_type: type, content, sender }) => ({ role: type === 0 ? "customer" : sender?.type === "agent_bot" ? "bot" : "agent", text: content }));
  return foreign(conversation.id, lines);
}

/** What a Zendesk app gets from `client.get(["ticket.conversation", "ticket.id"])`; its texts may be HTML. */
function zendesk(told) {
  const lines = told["ticket.conversation"].map(({ author, message }) => ({
    role: author?.role === "end-user" ? "customer" : "agent",
    text: message?.contentType === "text/html" ? withoutTags(message.content) : message?.content,
  }));
  return foreign(told["ticket.id"], lines);
}

function foreign(id, lines, site = null, locale = null) {
  if (!Array.isArray(lines)) return null;
  const transcript = lines
    .filter((line) => ROLES.has(line?.role) && typeof line.text === "string" && line.text.trim())
    .slice(-MOST_LINES)
    .map(({ role, text }) => ({ role, text: text.slice(0, LINE_MAX_CHARS) }));
  return transcript.length ? { id: known(id), site: known(site), locale: known(locale), transcript } : null;
}

function known(value) {
  return value === null || value === undefined ? null : String(value).slice(0, 200);
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

/** HTML as text, without ever handing it to a parser that could run something. @param {unknown} html */
function withoutTags(html) {
  return String(html ?? "")
    .replace(/<(?:br|\/p|\/div|\/li)\b[^>]*>/gi, "\n")
    .replace(/<[^>]*>/g, "")
    .replace(/&(?:#(\d+)|(\w+));/g, (all, code, name) => (code ? String.fromCodePoint(Math.min(Number(code), 0x10ffff)) : (ENTITIES[name] ?? all)))
    .replace(/\n{3,}/g, "\n\n");
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
