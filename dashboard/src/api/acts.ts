/**
 * Whether a person is there.
 *
 * A session ends when nobody used it for its time. Pages ask by themselves every few seconds, which
 * says nothing about a person: what is sent without anybody having touched the page since the last
 * request is marked, and the node does not count it.
 */

/** The header of a request that nobody caused. */
export const AUTOMATIC = "X-Automatic-Request";

// Not pointermove: browsers make some up when a page changes under a pointer that rests.
const SIGNS = ["pointerdown", "keydown", "wheel", "touchstart"] as const;

// Opening the page is an act.
let hasActed = true;

export function watchActs(): void {
  const note = () => {
    hasActed = true;
  };
  // Before any handler of the page sends something because of it.
  for (const sign of SIGNS) addEventListener(sign, note, { capture: true, passive: true });
}

/** Whether somebody did something since this was asked last. */
export function takeAct(): boolean {
  const found = hasActed;
  hasActed = false;
  return found;
}
