/**
 * Puts what an element shows on the clipboard, and leaves it selected where that is not possible.
 *
 * The clipboard proper is only there over TLS and on the node's own machine, and a dashboard is often
 * opened as `http://HOST:18083`.
 */
export async function copyShown(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = window.getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    // Deprecated, and nothing else works without TLS.
    return document.execCommand("copy");
  }
}
