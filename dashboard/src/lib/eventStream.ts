/** Server-sent events, read from a body: `EventSource` cannot send who is asking. */

export interface ServerEvent {
  event: string;
  data: string;
}

/** Cuts text that arrives in pieces into events; lines that are comments mean nothing. */
export class EventCutter {
  private rest = "";
  private event = "message";
  private data: string[] = [];

  feed(text: string): ServerEvent[] {
    const found: ServerEvent[] = [];
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) found.push({ event: this.event, data: this.data.join("\n") });
        this.event = "message";
        this.data = [];
        continue;
      }
      const [name = "", value = ""] = split(line);
      if (name === "event") this.event = value;
      else if (name === "data") this.data.push(value);
    }
    return found;
  }
}

function split(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}

/** Reads until the stream ends or fails. */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const cutter = new EventCutter();
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    cutter.feed(value).forEach(onEvent);
  }
}
