/** The REST API of the edge service; paths are the document's own, without `/api`. */
import { ApiError } from "@/lib/apiError";
import { makeCall, saveFile, type Method, type Options } from "@/lib/rest";

import { setToken, token } from "./session";
import type { Reply } from "./shapes";

const ask = makeCall({
  baseUrl: "/api",
  prepare(request) {
    const held = token();
    if (held !== null && !request.url.endsWith("/login")) {
      request.headers.set("Authorization", `Bearer ${held}`);
    }
  },
  onAnswer(request, response) {
    const isLogin = new URL(request.url).pathname.endsWith("/login");
    if (response.status === 401 && !isLogin && token() !== null) setToken(null, true);
  },
});

/**
 * Asks the edge service. Where only the beginning of a list was taken, that is a failure, too.
 *
 * @throws ApiError whatever went wrong, no connection included.
 */
export async function call<T = unknown>(
  method: Method,
  path: string,
  options: Options = {},
): Promise<T> {
  const answer = await ask<T>(method, path, options);
  if (typeof answer === "object" && answer !== null && "index" in answer && "message" in answer) {
    throw ApiError.of(206, answer);
  }
  return answer;
}

export function get<P extends string>(path: P, options: Options = {}): Promise<Reply<P>> {
  return call<Reply<P>>("get", path, options);
}

/** Hands a file of the edge service to the browser's downloads. */
export async function download(path: string, name: string, options: Options = {}): Promise<void> {
  saveFile(await call<Blob>("get", path, { ...options, parse: "blob" }), name);
}
