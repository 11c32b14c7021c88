/**
 * The REST API of the control plane; paths are the document's own, without `/api`.
 *
 * An access token lives for minutes. When it has run out, a new one is asked for once with the
 * refresh token, and what was refused is asked again; nobody who works notices.
 */
import { ApiError } from "@/lib/apiError";
import { makeCall, saveFile, type Method, type Options } from "@/lib/rest";

import { session, setSession, type Session } from "./session";
import type { Reply } from "./shapes";

export type { Method, Options, Query } from "@/lib/rest";

// What is asked before there is anybody signed in; a 401 there says something else.
const OPEN = new Set([
  "/login",
  "/refresh",
  "/setup",
  "/sign-in",
  "/oidc/begin",
  "/oidc/finish",
  "/invitation",
  "/invitation/accept",
  "/password-reset",
  "/password-reset/look",
  "/password-reset/finish",
]);

const ask = makeCall({
  baseUrl: "/api",
  prepare(request) {
    const token = session()?.accessToken;
    const path = new URL(request.url).pathname.replace(/^\/api/, "");
    if (token !== undefined && !OPEN.has(path)) {
      request.headers.set("Authorization", `Bearer ${token}`);
    }
  },
});

let renewing: Promise<boolean> | null = null;

async function renew(): Promise<boolean> {
  const before = session();
  if (before === null) return false;
  try {
    const { accessToken, refreshToken } = await ask<Session>("post", "/refresh", {
      body: { refreshToken: before.refreshToken },
    });
    // Somebody may have signed out while it was asked for.
    if (session() === before) setSession({ accessToken, refreshToken });
    return session() !== null;
  } catch (error) {
    const isRefused = error instanceof ApiError && error.status >= 400 && error.status < 500;
    if (isRefused && session() === before) setSession(null, true);
    return false;
  }
}

/** Whether there is a token again; asked for once, however many requests were refused together. */
function renewed(): Promise<boolean> {
  renewing ??= renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

/**
 * Asks the control plane.
 *
 * @throws ApiError whatever went wrong, no connection included.
 */
export async function call<T = unknown>(
  method: Method,
  path: string,
  options: Options = {},
): Promise<T> {
  const sentWith = session();
  try {
    return await ask<T>(method, path, options);
  } catch (refusal) {
    const isOld = refusal instanceof ApiError && refusal.status === 401 && !OPEN.has(path);
    if (!isOld || sentWith === null) throw refusal;
    const isNewer = session() !== null && session() !== sentWith;
    if (!isNewer && !(await renewed())) throw refusal;
    return ask<T>(method, path, options);
  }
}

export function get<P extends string>(path: P, options: Options = {}): Promise<Reply<P>> {
  return call<Reply<P>>("get", path, options);
}

/** Hands a file of the control plane to the browser's downloads. */
export async function download(path: string, name: string, options: Options = {}): Promise<void> {
  saveFile(await call<Blob>("get", path, { ...options, parse: "blob" }), name);
}
