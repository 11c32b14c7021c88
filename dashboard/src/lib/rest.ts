/**
 * Asking a REST interface: what every application of this workspace needs of it.
 *
 * Paths are the document's own, below the base address; a value for each `{name}` in them is given
 * apart and escaped here. Who is signed in is the application's business (`prepare`, `onAnswer`).
 */
import createClient from "openapi-fetch";

import { ApiError } from "./apiError";

export type Query = Record<string, string | number | boolean | string[] | undefined>;

export interface Options {
  path?: Record<string, string>;
  query?: Query;
  body?: unknown;
  /** How the body is written; JSON unless told. */
  as?: "json" | "text" | "form" | "binary";
  signal?: AbortSignal;
  /** What the answer is read as; JSON where it says so, unless told. */
  parse?: "json" | "text" | "blob" | "stream";
}

export type Method = "get" | "post" | "put" | "delete";

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

// The document is read while the pages run, so paths are plain text here.
type Ask = (method: Method, path: string, init: object) => Promise<Answer>;

export interface Asked {
  baseUrl: string;
  /** Adds to a request what the application sends with each. */
  prepare: (request: Request) => void;
  onAnswer?: (request: Request, response: Response) => void;
}

/** One question; throws ApiError whatever went wrong, no connection included. */
export type Call = <T = unknown>(method: Method, path: string, options?: Options) => Promise<T>;

export function makeCall({ baseUrl, prepare, onAnswer }: Asked): Call {
  const http = createClient<Record<string, never>>({
    baseUrl,
    querySerializer: { array: { style: "form", explode: true } },
  });
  const ask = http.request.bind(http) as unknown as Ask;
  http.use({
    onRequest({ request }) {
      // What is written for people comes in the language that is shown.
      request.headers.set("Accept-Language", document.documentElement.lang || "en");
      prepare(request);
      return request;
    },
    onResponse({ request, response }) {
      onAnswer?.(request, response);
    },
  });
  return async <T>(method: Method, path: string, options: Options = {}): Promise<T> => {
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
    if (!answer.response.ok) throw ApiError.of(answer.response.status, answer.error);
    return answer.data as T;
  };
}

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
    case "binary":
      return {
        body: options.body,
        bodySerializer: (file: Blob) => file,
        headers: { "Content-Type": "application/octet-stream" },
      };
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

/** Hands something that was answered to the browser's downloads. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
