/** The calls to the server, relative to where the page's own files come from. */

export const API = new URL("../../../api/v1/", import.meta.url);
export const ROOT = new URL("../../../", import.meta.url);
const PATIENCE_MS = 30_000;

/** A refusal in the server's words; status 0 when nobody answered. */
export class Problem extends Error {
  /** @param {number} status @param {{code?: string, detail?: string, field?: string}} body @param {string | null} [retryAfter] */
  constructor(status, body, retryAfter) {
    super(body.detail ?? "The server does not answer.");
    this.status = status;
    this.code = body.code ?? "unreachable";
    this.field = body.field ?? null;
    this.retryAfterS = Number(retryAfter) || 0;
  }
}

export class Api {
  /** @param {string | null} token a side panel's; null means the session's cookie @param {() => void} onSignedOut */
  constructor(token, onSignedOut) {
    this.token = token;
    this.onSignedOut = onSignedOut;
  }

  get(path) {
    return this.call("GET", path);
  }

  post(path, body = {}) {
    return this.call("POST", path, body);
  }

  /** @param {string} method @param {string} path below /api/v1/ @param {object} [body] @returns {Promise<any>} */
  async call(method, path, body) {
    const answer = await this.#sent(method, path, body);
    const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    if (answer.status === 401 && told.code !== "wrong_credentials") this.onSignedOut();
    throw new Problem(answer.status, told, answer.headers.get("retry-after"));
  }

  async #sent(method, path, body) {
    const headers = { "X-Pindesk": "1", Accept: "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body) headers["Content-Type"] = "application/json";
    try {
      return await fetch(new URL(path, API), {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: this.token ? "omit" : "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch {
      throw new Problem(0, {});
    }
  }
}
