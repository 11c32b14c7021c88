/** What an object says to people that says the same to programs. */
function textIn(message: unknown): string | undefined {
  const text = typeof message === "object" && message !== null && "text" in message && message.text;
  return typeof text === "string" ? text : undefined;
}

/** What was answered instead of what was asked for. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when there was no answer at all, -1 when the page itself failed. */
    readonly status: number,
    /** The word of who was asked for it, such as `NOT_FOUND`. */
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }

  static of(status: number, body: unknown): ApiError {
    if (typeof body === "object" && body !== null) {
      const { code, error, message } = body as Record<string, unknown>;
      const text = typeof message === "string" ? message : (textIn(message) ?? JSON.stringify(message ?? body));
      // An edge service has numbers.
      const word = typeof code === "string" ? code : error;
      return new ApiError(status, String(word ?? `HTTP_${status}`), text);
    }
    const text = typeof body === "string" && body !== "" ? body.slice(0, 500) : `HTTP ${status}`;
    return new ApiError(status, `HTTP_${status}`, text);
  }

  /** Any thrown value as one of these. */
  static from(error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    const text = error instanceof Error ? error.message : String(error);
    return new ApiError(-1, "PAGE_BROKEN", text);
  }
}
