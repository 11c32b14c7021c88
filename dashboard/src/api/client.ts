/**
 * The node's REST API.
 *
 * Paths are the document's own, without `/api/v5`; a value for each `{name}` in them is given apart
 * and escaped here.
 */
import createClient from "openapi-fetch";

import { AUTOMATIC, takeAct } from "./acts";
import { ApiError } from "./error";
import { session, setSession } from "./session";
import type { Reply } from "./shapes";

export type Query = Record<string, string | number | boolean | string[] | undefined>;

export interface Options {
  path?: Record<string, string>;
  query?: Query;
  body?: unknown;
  /** How the body is written; JSON unless told. */
  as?: "json" | "text" | "form";
  signal?: AbortSignal;
  /** What the answer is read as; JSON where the node says so, unless told. */
  parse?: "json" | "text" | "blob";
}

export type Method = "get" | "post" | "put" | "delete";

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

// The document is read while the pages run (see `capabilities`), so paths are plain text here and
// what comes back is typed by `Reply`.
type Ask = (method: Method, path: string, init: object) => Promise<Answer>;

const http = createClient<Record<string, never>>({
  baseUrl: "/api/v5",
  querySerializer: { array: { style: "form", explode: true } },
});
const ask = http.request.bind(http) as unknown as Ask;

http.use({
  onRequest({ request }) {
    const token = session()?.token;
    // A token that is no longer good would be refused where a new one is asked for.
    const isLogin = request.url.endsWith("/login");
    if (token !== undefined && !isLogin) request.headers.set("Authorization", `Bearer ${token}`);
    // What the node writes for people comes in the language that is shown.
    request.headers.set("Accept-Language", document.documentElement.lang || "en");
    if (!takeAct()) request.headers.set(AUTOMATIC, "true");
    // Some answers exist as text, too.
    if (!request.headers.has("Accept")) request.headers.set("Accept", "application/json, */*;q=0.5");
    return request;
  },
  onResponse({ request, response }) {
    // Its own paths answer 401 to a wrong password, which does not end a session.
    const isOwn = /\/(login|change_pwd)$/.test(new URL(request.url).pathname);
    if (response.status === 401 && !isOwn && session() !== null) setSession(null, true);
  },
});

function present(query: Query | undefined): Query {
  return Object.fromEntries(
    Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== ""),
  );
}

function written(options: Options): object {
  switch (options.as) {
    case "text":
      return {
        body: options.body,
        bodySerializer: String,
        headers: { "Content-Type": "text/plain" },
      };
    case "form":
      return { body: options.body, bodySerializer: (form: FormData) => form };
    default:
      return options.body === undefined ? {} : { body: options.body };
  }
}

/**
 * However it is escaped, a browser takes `..` in a path as a step up: something else would be asked.
 *
 * @throws ApiError one of the names cannot be part of an address.
 */
function checkNames(names: readonly string[]): void {
  const found = names.find((name) => name === "." || name === "..");
  if (found !== undefined) throw new ApiError(-1, "NO_ADDRESS", `the name is ${found}`);
}

/**
 * Asks the node.
 *
 * @throws ApiError whatever went wrong, no connection included.
 */
export async function call<T = unknown>(
  method: Method,
  path: string,
  options: Options = {},
): Promise<T> {
  checkNames(Object.values(options.path ?? {}));
  let answer: Answer;
  try {
    answer = await ask(method, path, {
      params: { path: options.path ?? {}, query: present(options.query) },
      parseAs: options.parse ?? "json",
      signal: options.signal,
      ...written(options),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "NO_ANSWER", error instanceof Error ? error.message : String(error));
  }
  if (!answer.response.ok) {
    const refusal = ApiError.of(answer.response.status, answer.error);
    const signedIn = session();
    if (refusal.code === "PASSWORD_CHANGE_REQUIRED" && signedIn !== null) {
      setSession({ ...signedIn, mustChangePassword: true });
    }
    throw refusal;
  }
  return answer.data as T;
}

export function get<P extends string>(path: P, options: Options = {}): Promise<Reply<P>> {
  return call<Reply<P>>("get", path, options);
}

/** Tells the node that somebody is there. */
export function keepSession(): void {
  if (session() === null) return;
  // Whatever comes back, the next thing that is asked for tells.
  void call("get", "/monitor_current").catch(() => undefined);
}

/** Hands a file of the node to the browser's downloads. */
export async function download(path: string, name: string, options: Options = {}): Promise<void> {
  const blob = await call<Blob>("get", path, { ...options, parse: "blob" });
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
