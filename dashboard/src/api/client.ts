/** The node's REST API; paths are the document's own, without `/api/v5`. */
import { ApiError } from "@/lib/apiError";
import { makeCall, saveFile, type Method, type Options } from "@/lib/rest";

import { AUTOMATIC, takeAct } from "./acts";
import { session, setSession } from "./session";
import type { Reply } from "./shapes";

export type { Method, Options, Query } from "@/lib/rest";

const ask = makeCall({
  baseUrl: "/api/v5",
  prepare(request) {
    const token = session()?.token;
    // A token that is no longer good would be refused where a new one is asked for.
    const isLogin = request.url.endsWith("/login");
    if (token !== undefined && !isLogin) request.headers.set("Authorization", `Bearer ${token}`);
    if (!takeAct()) request.headers.set(AUTOMATIC, "true");
    // Some answers exist as text, too.
    if (!request.headers.has("Accept")) request.headers.set("Accept", "application/json, */*;q=0.5");
  },
  onAnswer(request, response) {
    // Its own paths answer 401 to a wrong password, which does not end a session.
    const isOwn = /\/(login|change_pwd)$/.test(new URL(request.url).pathname);
    // So do those of accounts to whoever came by a code of an API key, which may do all else.
    const isClosed =
      session()?.isByCode === true && /\/api\/v5\/(users|api_key)(\/|$)/.test(request.url);
    if (response.status === 401 && !isOwn && !isClosed && session() !== null) setSession(null, true);
  },
});

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
  try {
    return await ask<T>(method, path, options);
  } catch (refusal) {
    const signedIn = session();
    const isDue = refusal instanceof ApiError && refusal.code === "PASSWORD_CHANGE_REQUIRED";
    if (isDue && signedIn !== null) setSession({ ...signedIn, mustChangePassword: true });
    throw refusal;
  }
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
  saveFile(await call<Blob>("get", path, { ...options, parse: "blob" }), name);
}
