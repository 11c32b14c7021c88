/**
 * Whether a person is there.
 *
 * A session ends when nobody used it for its time. Pages ask by themselves every few seconds, which
 * says nothing about a person: what is sent without anybody having touched the page since the last
 * request is marked, and the node does not count it. Who works on a page that asks for nothing, such as
 * the WebSocket client, is told to the node now and then.
 */

/** The header of a request that nobody caused. */
export const AUTOMATIC = "X-Automatic-Request";

// Not pointermove: browsers make some up when a page changes under a pointer that rests.
const SIGNS = ["pointerdown", "keydown", "wheel", "touchstart"] as const;

// The shortest session that makes sense is a minute.
const TELL_MS = 15_000;

// Opening the page is an act.
let hasActed = true;
/** When the node last heard of an act. */
let toldAt = Date.now();

/** `tell` is called when somebody acts and the node has not heard of it for a while. */
export function watchActs(tell: () => void): void {
  const note = () => {
    hasActed = true;
    if (Date.now() - toldAt >= TELL_MS) tell();
  };
  // Before any handler of the page sends something because of it.
  for (const sign of SIGNS) addEventListener(sign, note, { capture: true, passive: true });
}

/** Whether somebody did something since this was asked last. */
export function takeAct(): boolean {
  const found = hasActed;
  hasActed = false;
  if (found) toldAt = Date.now();
  return found;
}
