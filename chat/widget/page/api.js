/** The calls to the HTTP API. Each either answers or throws a Refusal, also when nobody answers. */

import { Refusal } from "./calls.js";

const PATIENCE_MS = 15_000;
const ROOT = new URL("api/v1/", document.baseURI);

/** @param {string} path below the API's root */
export const address = (path) => new URL(path, ROOT).href;

/**
 * @param {"GET" | "POST" | "DELETE"} method @param {string} path
 * @param {{token?: string, body?: object, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, { token, body, headers = {} } = {}) {
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const options = { method, headers, body: body && JSON.stringify(body), credentials: "omit", signal };
  const answer = await fetch(address(path), options).catch(() => null);
  if (!answer) throw new Refusal({ code: "unreachable" });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { code, limit } = await answer.json().catch(() => ({}));
  const retry_after_s = Number(answer.headers.get("retry-after")) || undefined;
  throw new Refusal({ code: answer.status < 500 ? code : "unavailable", limit, retry_after_s });
}
